import {
  composeBill,
  composeChange,
  type BillLine,
  type BillableItem,
  type BilledPeriod,
  type BilledUsage,
  type Decimal,
  type InvoiceDraft,
  type LateBilledUsage,
  periodAfter,
  settlesUsage,
} from '@drawdown/billing-core';
import { UsageService } from '@drawdown/metering';
import { Problem, type Tx } from '@drawdown/platform';
import {
  type LineItem,
  type Period,
  type Subscription,
  SubscriptionsService,
  timeOf,
  unitPriceOfItem,
} from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import type { Invoice, InvoiceLine } from './invoice.entity.js';

/** What an invoice line says, recorded or not. */
export type LineContent = Pick<
  InvoiceLine,
  | 'lineItemId'
  | 'priceId'
  | 'priceType'
  | 'planId'
  | 'planDisplayName'
  | 'meterId'
  | 'meterDisplayName'
  | 'displayName'
  | 'periodStart'
  | 'periodEnd'
  | 'quantity'
  | 'freeUnits'
  | 'gross'
  | 'waived'
  | 'creditsApplied'
  | 'due'
  | 'metadata'
>;

/** What an invoice says: its lines and their sums, money. */
export interface InvoiceContent {
  readonly lines: readonly LineContent[];
  readonly subtotal: Decimal;
  readonly totalDiscount: Decimal;
  readonly totalCreditsApplied: Decimal;
  readonly total: Decimal;
  /** By how much the lines are below zero. */
  readonly accountCredit: Decimal;
}

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
   * The step at the end of the current period, were that now. @throws Problem 404, 409 without a current period.
   */
  async nextStepOf(tx: Tx, subscriptionId: string): Promise<BillingStep & { ended: BilledPeriod; sequence: number }> {
    const subscription = await this.subscriptions.get(tx, subscriptionId);
    const current = await this.subscriptions.currentPeriod(tx, subscriptionId);
    if (!current)
      throw Problem.state('a subscription without a current period has no next invoice', subscription.status);
    const ended = billedPeriod(current);
    return { subscription, next: upcoming(subscription, ended), ended, sequence: current.number + 1 };
  }

  /** @param settle whether the usage is settled by it: what comes later is late usage. */
  async compose(tx: Tx, step: BillingStep, { settle }: { settle: boolean }): Promise<InvoiceContent> {
    const { subscription, next, ended } = step;
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    const draft = composeBill({
      items: items.map(billableItem),
      next,
      ended,
      usage: ended ? await this.usageOf(tx, ended.id, settle) : [],
      late: ended ? await this.lateOf(tx, subscription.id, settle) : [],
      prorated: subscription.prorationBehavior === 'create_prorations',
      currency: subscription.currency,
    });
    return contentOf(draft, items);
  }

  /** What a change of items inside a period gives back and charges. */
  async composeChange(
    tx: Tx,
    subscription: Subscription,
    change: { readonly ended: readonly string[]; readonly begun: readonly string[]; readonly at: Date },
    period: BilledPeriod,
  ): Promise<InvoiceContent> {
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    const named = (ids: readonly string[]) => items.filter(({ id }) => ids.includes(id)).map(billableItem);
    const draft = composeChange({
      ended: named(change.ended),
      begun: named(change.begun),
      at: change.at,
      period,
      prorated: subscription.prorationBehavior === 'create_prorations',
      currency: subscription.currency,
    });
    return contentOf(draft, items);
  }

  /** True when the step has usage that may still come in: its invoice waits for it. */
  async waitsForUsage(tx: Tx, { subscription, ended }: BillingStep): Promise<boolean> {
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    return settlesUsage(items.map(billableItem), ended);
  }

  private async usageOf(tx: Tx, periodId: string, settle: boolean): Promise<BilledUsage[]> {
    return settle ? this.usage.settle(tx, periodId) : this.usage.accruals(tx, periodId);
  }

  private async lateOf(tx: Tx, subscriptionId: string, settle: boolean): Promise<LateBilledUsage[]> {
    return settle ? this.usage.settleLate(tx, subscriptionId) : this.usage.late(tx, subscriptionId);
  }
}

const LATE = ' (late usage)';

export const billedPeriod = (period: Period): BilledPeriod => ({
  id: period.id,
  kind: period.kind,
  start: period.startAt,
  end: period.endAt,
  whole: { start: period.wholeStart, end: period.wholeEnd },
  restCredited: period.restCredited,
});

/** The paid period after the current one; null when the subscription ends with it. */
function upcoming(subscription: Subscription, current: BilledPeriod): BilledPeriod | null {
  if (subscription.cancelAt && subscription.cancelAt <= current.end) return null;
  const { kind, span, whole } = periodAfter(timeOf(subscription), current);
  return { id: 'upcoming', kind, ...span, whole };
}

const billableItem = (item: LineItem): BillableItem => ({
  id: item.id,
  type: item.priceType,
  cadence: item.invoiceCadence,
  price: unitPriceOfItem(item),
  quantity: item.quantity,
  start: item.startDate,
  end: item.endDate ?? null,
  feeFrom: item.feeFrom,
  feeUntil: item.feeUntil ?? null,
});

function contentOf(draft: InvoiceDraft<BillLine>, items: readonly LineItem[]): InvoiceContent {
  const byId = new Map(items.map((item) => [item.id, item]));
  return { ...draft, lines: draft.lines.map((line) => lineContent(line, byId.get(line.itemId)!)) };
}

const lineContent = (line: BillLine & { due: Decimal }, item: LineItem): LineContent => ({
  lineItemId: item.id,
  priceId: item.priceId,
  priceType: item.priceType,
  planId: item.planId,
  planDisplayName: item.planDisplayName,
  meterId: item.meterId,
  meterDisplayName: item.meterDisplayName,
  displayName: line.late ? `${item.displayName}${LATE}` : item.displayName,
  periodStart: line.span.start,
  periodEnd: line.span.end,
  quantity: line.quantity,
  freeUnits: line.free,
  gross: line.gross,
  waived: line.waived,
  creditsApplied: line.credits,
  due: line.due,
  metadata: item.metadata,
});
