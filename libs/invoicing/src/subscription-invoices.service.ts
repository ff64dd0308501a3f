import { dueDate } from '@drawdown/billing-core';
import {
  LATE_USAGE_WINDOW_MS,
  type itemsChanged,
  type PayloadOf,
  type periodOpened,
  type subscriptionCancelled,
  type subscriptionPaused,
} from '@drawdown/contracts';
import { Agenda, type SetTx, together, type Tx } from '@drawdown/platform';
import { type Subscription, SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { billedPeriod, BillComposer } from './bill-composer.js';
import { FeePayments } from './fee-payments.service.js';
import { InvoiceBook } from './invoice-book.js';
import { Invoice, type BillingReason, type InvoiceKind } from './invoice.entity.js';
import { Receivables } from './receivables.service.js';

const REASON_OF: Record<InvoiceKind, BillingReason> = {
  start: 'SUBSCRIPTION_CREATE',
  cycle: 'SUBSCRIPTION_CYCLE',
  final: 'SUBSCRIPTION_UPDATE',
  change: 'SUBSCRIPTION_UPDATE',
};

/** The step that an invoice bills; with the kind unique, so that no step is billed twice. */
interface StepKey {
  readonly subscriptionId: string;
  readonly kind: InvoiceKind;
  readonly periodId: string;
  readonly endedPeriodId: string | null;
  readonly sequence: number;
}

/**
 * Invoices of subscriptions, from the draft to the number. A draft holds no lines: they
 * are composed when it is read and recorded when it is finalized. Running any of it again does nothing.
 */
@Injectable()
export class SubscriptionInvoices {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly composer: BillComposer,
    private readonly fees: FeePayments,
    private readonly book: InvoiceBook,
    private readonly receivables: Receivables,
    private readonly agenda: Agenda,
  ) {}

  /** A paid period began: its advance fees, and what the period before it still owes. */
  async periodOpened(tx: Tx, { subscription_id, period, previous }: PayloadOf<typeof periodOpened>): Promise<void> {
    if (period.kind !== 'paid') return;
    await this.draft(tx, {
      subscriptionId: subscription_id,
      kind: previous ? 'cycle' : 'start',
      periodId: period.period_id,
      endedPeriodId: previous?.period_id ?? null,
      sequence: period.number,
    });
  }

  /** A subscription rests: what the period that was cut short still owes, or gives back. */
  async paused(tx: Tx, { subscription_id, last_period: last }: PayloadOf<typeof subscriptionPaused>): Promise<void> {
    await this.draft(tx, {
      subscriptionId: subscription_id,
      kind: 'final',
      periodId: last.period_id,
      endedPeriodId: last.period_id,
      sequence: last.number,
    });
  }

  /**
   * Line items changed inside a period: what was paid for the rest of it is given back, what it costs now is charged,
   * at once. The advance fees of a period that has just begun and whose invoice is a draft are not charged yet.
   */
  async itemsChanged(tx: Tx, payload: PayloadOf<typeof itemsChanged>): Promise<void> {
    const { subscription_id: subscriptionId, change_id: changeId, period_id: periodId } = payload;
    if (!payload.prorated || !periodId) return;
    const at = new Date(payload.at);
    const subscription = await this.subscriptions.get(tx, subscriptionId);
    const period = await this.subscriptions.period(tx, periodId);
    if (period.startAt.getTime() === at.getTime() && (await this.isDrafted(tx, periodId))) return;
    const { ended, begun } = payload;
    const content = await this.composer.composeChange(tx, subscription, { ended, begun, at }, billedPeriod(period));
    if (content.lines.length === 0) return;
    const invoice = await this.book.draft(tx, {
      subscriptionId,
      kind: 'change',
      changeId,
      periodId,
      sequence: period.number,
      customerId: subscription.customerId,
      type: 'SUBSCRIPTION',
      billingReason: REASON_OF.change,
      currency: subscription.currency,
      periodStart: at,
      periodEnd: period.endAt,
    });
    await this.book.finalize(tx, invoice, await this.fees.pay(tx, invoice, content), dueDateOf(tx, subscription));
  }

  private async isDrafted(tx: Tx, periodId: string): Promise<boolean> {
    const of = { environmentId: tx.scope.environmentId, periodId, status: 'DRAFT' as const };
    return (await tx.em.count(Invoice, of)) > 0;
  }

  /** A subscription ended: what its last period still owes. */
  async cancelled(tx: Tx, payload: PayloadOf<typeof subscriptionCancelled>): Promise<void> {
    const { last_period: last } = payload;
    if (!last || !payload.final_invoice) return;
    await this.draft(tx, {
      subscriptionId: payload.subscription_id,
      kind: 'final',
      periodId: last.period_id,
      endedPeriodId: last.period_id,
      sequence: last.number,
    });
  }

  /**
   * Due work `invoice.finalize`, and by hand. Records the lines as they are now and gives the number; a draft with no
   * lines is dropped. Does nothing when there is no draft any more.
   */
  async finalize(tx: Tx, invoiceId: string): Promise<void> {
    const invoice = await this.receivables.lockIfKnown(tx, invoiceId);
    if (invoice?.status !== 'DRAFT') return;
    await this.agenda.cancel(tx, 'invoice.finalize', invoice.id);
    const step = await this.composer.stepOf(tx, invoice);
    const content = await this.composer.compose(tx, step, { settle: true });
    if (content.lines.length === 0) await this.book.drop(tx, invoice);
    else {
      const paid = await this.fees.pay(tx, invoice, content);
      await this.book.finalize(tx, invoice, paid, invoice.dueDate ?? dueDateOf(tx, step.subscription));
    }
  }

  private async draft(tx: Tx, key: StepKey): Promise<void> {
    if (await together(tx, areDrafted, key)) return;
    const step = await this.composer.stepOf(tx, key);
    const waits = await this.composer.waitsForUsage(tx, step);
    if (!waits && (await this.composer.compose(tx, step, { settle: false })).lines.length === 0) return;
    const { start, end } = (step.next ?? step.ended)!;
    const invoice = await this.book.draft(tx, {
      ...key,
      customerId: step.subscription.customerId,
      type: 'SUBSCRIPTION',
      billingReason: REASON_OF[key.kind],
      currency: step.subscription.currency,
      periodStart: start,
      periodEnd: end,
    });
    if (waits) await this.finalizeAfterWindow(tx, invoice);
    else await this.finalize(tx, invoice.id);
  }

  /** Usage of the ended period may still arrive for one window from now. */
  private async finalizeAfterWindow(tx: Tx, invoice: Invoice): Promise<void> {
    await this.agenda.schedule(tx, {
      kind: 'invoice.finalize',
      customerId: invoice.customerId,
      subjectId: invoice.id,
      dueAt: new Date(tx.now.getTime() + LATE_USAGE_WINDOW_MS),
    });
  }
}

/** Whether a step has its invoice, whatever became of it. */
async function areDrafted(tx: SetTx, steps: readonly StepKey[]): Promise<boolean[]> {
  const found = await sql<{ drafted: boolean }>`
    select exists (
      select from invoice
      where environment_id = ${tx.scope.environmentId} and subscription_id = s.subscription_id
        and period_id = s.period_id and kind = s.kind and kind <> 'change') drafted
    from unnest(
      ${steps.map(({ subscriptionId }) => subscriptionId)}::text[], ${steps.map(({ periodId }) => periodId)}::text[],
      ${steps.map(({ kind }) => kind)}::text[]) with ordinality s(subscription_id, period_id, kind, place)
    order by place`.execute(tx.db);
  return found.rows.map(({ drafted }) => drafted);
}

const dueDateOf = (tx: Tx, { paymentTerms, customerTimezone }: Subscription): Date =>
  dueDate(tx.now, paymentTerms ?? null, customerTimezone);
