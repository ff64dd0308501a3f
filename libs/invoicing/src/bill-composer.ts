import {
  composeBill,
  composeChange,
  type BillLine,
  type BilledPeriod,
  type BilledUsage,
  type CommittedUsage,
  type Decimal,
  type InvoiceDraft,
  type LateBilledUsage,
  settlesUsage,
  sum,
} from '@drawdown/billing-core';
import { UsageService } from '@drawdown/metering';
import type { Tx } from '@drawdown/platform';
import {
  type BilledItem,
  commitmentOf,
  type Period,
  type Subscription,
  SubscriptionsService,
} from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { commitmentLine, isOfCommitment } from './commitment-line.js';
import { amountsOf, type InvoiceContent, type LineContent } from './invoice-content.js';
import { Invoice } from './invoice.entity.js';

/** A step of a subscription to bill: the period that begins and the one that ended, either of them or both. */
export interface BillingStep {
  readonly subscription: Subscription;
  readonly next: BilledPeriod | null;
  readonly ended: BilledPeriod | null;
}

/**
 * The one way from a subscription to the content of an invoice: drafts when they are read, previews and finalization
 * all come through here. Loads, lets billing-core decide, and records nothing but, when asked, that usage is settled.
 */
@Injectable()
export class BillComposer {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly usage: UsageService,
  ) {}

  /** The step that a subscription's invoice bills. */
  async stepOf(
    tx: Tx,
    invoice: Pick<Invoice, 'subscriptionId' | 'kind' | 'periodId' | 'endedPeriodId'>,
  ): Promise<BillingStep> {
    const period = async (id: string | null | undefined) =>
      id ? billedPeriod(await this.subscriptions.period(tx, id)) : null;
    return {
      subscription: await this.subscriptions.get(tx, invoice.subscriptionId!),
      next: invoice.kind === 'final' ? null : await period(invoice.periodId),
      ended: await period(invoice.endedPeriodId),
    };
  }

  /**
   * @param settle whether the usage is settled by it: what comes later is late usage.
   * @param withLate whether late usage of earlier periods stands on it; default true.
   */
  async compose(
    tx: Tx,
    step: BillingStep,
    { settle, withLate = true }: { settle: boolean; withLate?: boolean },
  ): Promise<InvoiceContent> {
    const { subscription, next, ended } = step;
    const items = await this.subscriptions.billedItems(tx, subscription.id);
    const late = ended && withLate ? await this.lateOf(tx, subscription.id, settle) : [];
    const charged = ended ? await this.chargedBefore(tx, subscription, ended) : [];
    const draft = composeBill({
      items,
      next,
      ended: ended?.restCredited ? await this.unlessDropped(tx, ended, charged) : ended,
      charged,
      paidBefore: next ? await this.chargedBefore(tx, subscription, next) : [],
      began: next && items.some(isPending) ? await this.paidStarts(tx, subscription, next) : [],
      usage: ended ? await this.usageOf(tx, ended.id, settle) : [],
      late,
      commitment: commitmentOf(subscription),
      lateCommitted: await this.lateCommitted(tx, subscription, items, late),
      prorated: subscription.prorationBehavior === 'create_prorations',
      currency: subscription.currency,
    });
    return contentOf(draft, subscription, items);
  }

  /** What a change of items inside a period gives back and charges. */
  async composeChange(
    tx: Tx,
    subscription: Subscription,
    change: { readonly ended: readonly string[]; readonly begun: readonly string[]; readonly at: Date },
    period: BilledPeriod,
  ): Promise<InvoiceContent> {
    const items = await this.subscriptions.billedItems(tx, subscription.id);
    const named = (ids: readonly string[]) => items.filter(({ id }) => ids.includes(id));
    const charged = await this.chargedBefore(tx, subscription, period);
    const draft = composeChange({
      ended: named(change.ended),
      begun: named(change.begun),
      at: change.at,
      period: await this.unlessDropped(tx, period, charged),
      charged,
      prorated: subscription.prorationBehavior === 'create_prorations',
      currency: subscription.currency,
    });
    return contentOf(draft, subscription, items);
  }

  /** True when the step has usage that may still come in: its invoice waits for it. */
  async waitsForUsage(tx: Tx, { subscription, ended }: BillingStep): Promise<boolean> {
    const items = await this.subscriptions.billedItems(tx, subscription.id);
    return settlesUsage(items, ended);
  }

  /** Parts of the same billing period, before pauses that gave nothing back. */
  private async chargedBefore(tx: Tx, { id }: Subscription, { start, whole }: BilledPeriod): Promise<BilledPeriod[]> {
    if (+start === +whole.start) return [];
    const periods = (await this.subscriptions.periods(tx, id)).map(billedPeriod);
    return periods.filter(
      (one) => one.kind === 'paid' && !one.restCredited && +one.whole.start === +whole.start && one.start < start,
    );
  }

  /** Whether the advance fees of the period, or of the part that paid for it, were dropped with their invoice. */
  private async unlessDropped(tx: Tx, period: BilledPeriod, charged: readonly BilledPeriod[]): Promise<BilledPeriod> {
    const voided = await tx.em.count(Invoice, {
      environmentId: tx.scope.environmentId,
      periodId: { $in: [period, ...charged].map(({ id }) => id) },
      kind: { $in: ['start', 'cycle'] as const },
      status: 'VOIDED',
    });
    return { ...period, dropped: voided > 0 };
  }

  /** Where paid periods before `next` have begun. */
  private async paidStarts(tx: Tx, { id }: Subscription, next: BilledPeriod): Promise<Date[]> {
    const periods = await this.subscriptions.periods(tx, id);
    return periods.flatMap(({ kind, startAt }) => (kind === 'paid' && startAt < next.start ? [startAt] : []));
  }

  private async usageOf(tx: Tx, periodId: string, settle: boolean): Promise<BilledUsage[]> {
    return settle ? this.usage.settle(tx, periodId) : this.usage.accruals(tx, periodId);
  }

  private async lateOf(tx: Tx, subscriptionId: string, settle: boolean): Promise<LateBilledUsage[]> {
    return settle ? this.usage.settleLate(tx, subscriptionId) : this.usage.late(tx, subscriptionId);
  }

  /** All promised usage of the paid periods that late usage is of; what is not late of it was billed. */
  private async lateCommitted(
    tx: Tx,
    subscription: Subscription,
    items: readonly BilledItem[],
    late: readonly LateBilledUsage[],
  ): Promise<CommittedUsage[]> {
    const promising = new Set(items.flatMap(({ id, commitment }) => (commitment ? [id] : [])));
    const whole = subscription.commitmentAmount ? [null] : [];
    if (promising.size + whole.length === 0) return [];
    const committed: CommittedUsage[] = [];
    for (const [periodId, usage] of Map.groupBy(late, ({ period }) => period.id)) {
      const period = billedPeriod(await this.subscriptions.period(tx, periodId));
      if (period.kind === 'trial') continue;
      const all = await this.usage.accruals(tx, periodId);
      const own = usage.flatMap(({ lineItemId }) => (promising.has(lineItemId) ? [lineItemId] : []));
      for (const itemId of [...whole, ...own]) {
        const accrued = accruedOf(all, itemId);
        committed.push({ period, itemId, accrued, billed: accrued.minus(accruedOf(usage, itemId)) });
      }
    }
    return committed;
  }
}

const LATE = ' (late usage)';

/** Asked once, and not by a change. */
const isPending = ({ once, feeUntil }: BilledItem): boolean => Boolean(once && !feeUntil);

/** Of one item, or of all. */
const accruedOf = (usage: readonly BilledUsage[], itemId: string | null): Decimal =>
  sum(usage.flatMap(({ lineItemId, accrued }) => (itemId === null || lineItemId === itemId ? [accrued] : [])));

export const billedPeriod = (period: Period): BilledPeriod => ({
  id: period.id,
  kind: period.kind,
  start: period.startAt,
  end: period.endAt,
  whole: { start: period.wholeStart, end: period.wholeEnd },
  restCredited: period.restCredited,
});

function contentOf(
  draft: InvoiceDraft<BillLine>,
  subscription: Subscription,
  items: readonly BilledItem[],
): InvoiceContent {
  const byId = new Map(items.map((item) => [item.id, item]));
  const lines = draft.lines.map((line) => {
    const content = isOfCommitment(line)
      ? commitmentLine(line, subscription, items)
      : lineContent(line, byId.get(line.itemId!)!);
    return line.late ? { ...content, displayName: `${content.displayName}${LATE}` } : content;
  });
  return { ...draft, lines };
}

const lineContent = (line: BillLine & { due: Decimal }, item: BilledItem): LineContent => ({
  lineItemId: item.id,
  priceId: item.priceId,
  priceType: item.type,
  planId: item.planId,
  planDisplayName: item.planDisplayName,
  meterId: item.meterId,
  meterDisplayName: item.meterDisplayName,
  displayName: item.displayName,
  ...amountsOf(line),
  commitment: null,
  metadata: item.metadata,
});
