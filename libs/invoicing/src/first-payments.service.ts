import type { DueWork } from '@drawdown/contracts';
import { Agenda, Problem, type Scope, Transactions, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Collection } from './collection.service.js';
import { Invoice } from './invoice.entity.js';
import { Payment } from './payment.entity.js';
import { isPaid, Receivables } from './receivables.service.js';

const HOUR_MS = 3_600_000;
/** For how long a request waits for the outcome of a charge that another worker has sent. */
const PAUSES_MS = [50, 100, 200, 400, 800, 1600, 3200];
/** How long a first payment may take, by the environment's clock; at most the first period. */
const EXPIRES_AFTER_MS = 23 * HOUR_MS;

/**
 * Subscriptions that are incomplete until their first invoice is paid. In time it makes them active, whoever pays how;
 * else they are cancelled and the invoice is void.
 */
@Injectable()
export class FirstPayments {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly receivables: Receivables,
    private readonly collection: Collection,
    private readonly transactions: Transactions,
    private readonly agenda: Agenda,
  ) {}

  /** A period began: of an incomplete subscription its first, whose invoice is made by now. One that asks for nothing is no obstacle. */
  async await(tx: Tx, subscriptionId: string): Promise<void> {
    const subscription = await this.subscriptions.get(tx, subscriptionId);
    if (subscription.status !== 'incomplete') return;
    if (!(await this.owedBy(tx, subscriptionId))) return this.subscriptions.complete(tx, subscriptionId);
    const latest = tx.now.getTime() + EXPIRES_AFTER_MS;
    await this.agenda.schedule(tx, {
      kind: 'subscription.expire',
      customerId: subscription.customerId,
      subjectId: subscriptionId,
      dueAt: new Date(Math.min(latest, subscription.currentPeriodEnd!.getTime())),
    });
  }

  /** Due work `subscription.expire`. A charge under way is waited for, but not beyond the period that it is for. */
  async fallDue(tx: Tx, { subjectId: id }: DueWork): Promise<void> {
    const { status, customerId, currentPeriodEnd } = await this.subscriptions.get(tx, id);
    if (status !== 'incomplete') return;
    const owed = await this.owedBy(tx, id);
    if (owed && tx.now < currentPeriodEnd! && (await isBeingCharged(tx, owed))) {
      const dueAt = new Date(Math.min(tx.now.getTime() + HOUR_MS, currentPeriodEnd!.getTime()));
      return this.agenda.schedule(tx, { kind: 'subscription.expire', customerId, subjectId: id, dueAt });
    }
    await this.giveUp(tx, id);
  }

  /** A subscription that was cancelled before its first payment came: nobody owes that any more. */
  async cancelled(tx: Tx, subscriptionId: string): Promise<void> {
    await this.agenda.cancel(tx, 'subscription.expire', subscriptionId);
    const { paymentBehavior, trialEnd } = await this.subscriptions.get(tx, subscriptionId);
    if (paymentBehavior === 'default_active' || trialEnd) return;
    const owed = await this.owedBy(tx, subscriptionId);
    if (owed && owed.amountPaid.isZero() && !(await isBeingCharged(tx, owed))) await this.receivables.void(tx, owed);
  }

  /** A charge that was under way when its subscription was given up came to nothing. */
  async declined(tx: Tx, subscriptionId: string): Promise<void> {
    const { status } = await this.subscriptions.get(tx, subscriptionId);
    if (status === 'cancelled') await this.cancelled(tx, subscriptionId);
  }

  /**
   * Charges the first invoice now, before the request that subscribed is answered.
   * @returns why it is not paid, null when the subscription may stand: active, or incomplete and allowed to be.
   */
  async collect(scope: Scope, subscriptionId: string): Promise<Problem | null> {
    const owed = await this.transactions.run(scope, (tx) => this.owedBy(tx, subscriptionId));
    // The cause of the listener that hears of the finalization: whoever comes first, one charge.
    if (owed) await this.collection.collect(scope, owed.id, { key: 'finalized', byHand: false });
    // The other one may have sent it, and hear of its outcome in a moment.
    for (const pause of PAUSES_MS) {
      if (!(await this.transactions.run(scope, (tx) => this.isUnderWay(tx, subscriptionId)))) break;
      await sleep(pause);
    }
    return this.transactions.run(scope, (tx) => this.judge(tx, subscriptionId));
  }

  private async judge(tx: Tx, id: string): Promise<Problem | null> {
    const { paymentBehavior, status, cancelReason } = await this.subscriptions.get(tx, id);
    const unpaid = status === 'incomplete' || (status === 'cancelled' && cancelReason === REASON);
    if (paymentBehavior !== 'error_if_incomplete' || !unpaid) return null;
    const failed = await paymentOf(tx, (await firstInvoiceOf(tx, id))!);
    if (status === 'incomplete' && isUnderWay(failed)) {
      return new Problem('service_unavailable', 'the outcome of the first payment is not known yet', {
        subscription_id: id,
      });
    }
    if (status === 'incomplete') await this.giveUp(tx, id);
    return new Problem('invalid_operation', `the first payment failed: ${failed?.errorMessage ?? NO_METHOD}`, {
      field: 'payment_behavior',
      subscription_id: id,
      decline_code: failed?.errorCode ?? null,
    });
  }

  private async isUnderWay(tx: Tx, subscriptionId: string): Promise<boolean> {
    const owed = await this.owedBy(tx, subscriptionId);
    return owed !== null && isBeingCharged(tx, owed);
  }

  private async giveUp(tx: Tx, id: string): Promise<void> {
    await this.subscriptions.cancel(tx, id, {
      type: 'immediate',
      finalInvoice: false,
      reason: REASON,
      prorated: false,
    });
  }

  /** The first invoice while something is left to pay on it, locked. */
  private async owedBy(tx: Tx, subscriptionId: string): Promise<Invoice | null> {
    await tx.em.flush();
    const first = await firstInvoiceOf(tx, subscriptionId);
    if (!first) return null;
    const invoice = await this.receivables.lock(tx, first.id);
    return invoice.status === 'FINALIZED' && !isPaid(invoice) ? invoice : null;
  }
}

/** What a subscription that never was active says it ended for. */
const REASON = 'incomplete';
const NO_METHOD = 'the customer has no saved payment method';

const paymentOf = (tx: Tx, { id: invoiceId }: Invoice): Promise<Payment | null> =>
  tx.em.findOne(Payment, { environmentId: tx.scope.environmentId, invoiceId, methodType: 'CARD' }, { refresh: true });

/** A page may be closed; what was sent for a card may have charged it. */
const isBeingCharged = async (tx: Tx, invoice: Invoice): Promise<boolean> => isUnderWay(await paymentOf(tx, invoice));

const isUnderWay = (payment: Payment | null): boolean =>
  payment?.status === 'PENDING' || payment?.status === 'PROCESSING';

const firstInvoiceOf = (tx: Tx, subscriptionId: string): Promise<Invoice | null> =>
  tx.em.findOne(Invoice, {
    environmentId: tx.scope.environmentId,
    subscriptionId,
    kind: 'start',
    sequence: 1,
  });
