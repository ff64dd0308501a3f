import { askAgainAfterMs, Decimal } from '@drawdown/billing-core';
import {
  type DueWork,
  PAYMENT_GATEWAY,
  type PayloadOf,
  type PaymentGateway,
  refundLeftOpen,
  type RefundOutcome,
  type refundReported,
  type RefundRequest,
} from '@drawdown/contracts';
import {
  Agenda,
  EventBus,
  pageOptions,
  type PageQuery,
  Problem,
  type Scope,
  Transactions,
  type Tx,
} from '@drawdown/platform';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { move, REFUND_MOVES } from './lifecycles.js';
import { Payment } from './payment.entity.js';
import { Receivables } from './receivables.service.js';
import { RefundBook } from './refund-book.js';
import { Refund } from './refund.entity.js';
import { returnableMoney } from './returnable-money.js';

const OPEN: readonly Refund['state'][] = ['created', 'sent', 'unknown', 'pending'];

/**
 * Brings refunds to their end: committed, sent, settled, each in a transaction of its own and the call in none, as
 * `Collection` does with charges. Only the gateway's word closes one; whoever tells it, it counts once.
 */
@Injectable()
export class Refunding {
  private readonly log = new Logger(Refunding.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly receivables: Receivables,
    private readonly book: RefundBook,
    private readonly agenda: Agenda,
    private readonly events: EventBus,
    @Inject(PAYMENT_GATEWAY) private readonly gateway: PaymentGateway,
  ) {}

  /** Sends one that surely was not sent, asks about one that may have been. Does nothing about a settled one. */
  async carryOn(scope: Scope, refundId: string): Promise<void> {
    const refund = await this.transactions.run(scope, (tx) => this.get(tx, refundId));
    const { request, state } = refund;
    if (!request || !OPEN.includes(state)) return;
    if (state !== 'created') await this.settleBy(scope, request, () => this.resolve(request));
    else if (await this.claim(scope, refundId)) await this.settleBy(scope, request, () => this.gateway.refund(request));
  }

  /** Due work `refund.retry`: asking is a network call, so it waits for the commit. */
  async fellDue(tx: Tx, { subjectId }: DueWork): Promise<void> {
    const { id, customerId, invoiceId, state } = await this.get(tx, subjectId);
    if (!OPEN.includes(state)) return;
    await this.events.publish(tx, refundLeftOpen, { refund_id: id, customer_id: customerId, invoice_id: invoiceId });
  }

  /** The gateway's word. @throws Problem 404 for a refund that was never made. */
  async settled(tx: Tx, refundId: string, outcome: RefundOutcome): Promise<void> {
    const { refund, invoice, payment } = await this.locked(tx, refundId);
    if (outcome.status === refund.state || refund.state === 'failed') return;
    switch (outcome.status) {
      case 'pending':
        return this.pending(tx, refund, outcome.gatewayRefundId);
      case 'succeeded':
        return this.book.succeed(tx, refund, invoice, outcome.gatewayRefundId);
      case 'failed':
        return this.book.fail(tx, refund, invoice, payment, outcome);
    }
  }

  /** Somebody gave money back at the gateway itself: that is a fact, and credits that were spent are owed. */
  async reported(tx: Tx, told: PayloadOf<typeof refundReported>): Promise<void> {
    const { outcome, gateway_payment_id: gatewayPaymentId } = told;
    const of = { environmentId: tx.scope.environmentId };
    if (!outcome.gatewayRefundId) return;
    const known = await tx.em.findOne(Refund, { ...of, gatewayRefundId: outcome.gatewayRefundId });
    if (known) return this.settled(tx, known.id, outcome);
    if (outcome.status === 'failed') return;
    const money = await returnableMoney(tx, { customerId: told.customer_id, currency: told.currency });
    const receipt = money.find((one) => one.gatewayPaymentId === gatewayPaymentId);
    if (!receipt) throw Problem.notFound('payment', gatewayPaymentId);
    const invoice = await this.receivables.lock(tx, receipt.invoiceId);
    const meanwhile = await tx.em.findOne(Refund, { ...of, gatewayRefundId: outcome.gatewayRefundId });
    if (meanwhile) return this.settled(tx, meanwhile.id, outcome);
    const payment = await tx.em.findOneOrFail(Payment, { ...of, id: receipt.paymentId }, { refresh: true });
    const refund = await this.book.enter(tx, invoice, payment, {
      receipt,
      amount: new Decimal(told.amount),
      origin: 'gateway',
      gatewayRefundId: outcome.gatewayRefundId,
    });
    if (outcome.status === 'succeeded') await this.book.succeed(tx, refund, invoice, outcome.gatewayRefundId);
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Refund> {
    const refund = await tx.em.findOne(Refund, { environmentId: tx.scope.environmentId, id });
    if (!refund) throw Problem.notFound('refund', id);
    return refund;
  }

  /** The refunds of a payment. @throws Problem 404 for an unknown one. */
  async list(tx: Tx, paymentId: string, query: PageQuery): Promise<[Refund[], number]> {
    const of = { environmentId: tx.scope.environmentId };
    if (!(await tx.em.count(Payment, { ...of, id: paymentId }))) throw Problem.notFound('payment', paymentId);
    return tx.em.findAndCount(Refund, { ...of, paymentId }, pageOptions(query));
  }

  private async pending(tx: Tx, refund: Refund, gatewayRefundId: string): Promise<void> {
    if (refund.state === 'succeeded') return;
    const from = refund.state === 'created' ? 'sent' : refund.state;
    tx.em.assign(refund, { state: move(REFUND_MOVES, from, 'pending'), gatewayRefundId, updatedAt: tx.now });
    await this.askAgain(tx, refund);
  }

  /** The gateway gave no answer: it is asked again. */
  private async unanswered(tx: Tx, refundId: string, reason: string): Promise<void> {
    const { refund } = await this.locked(tx, refundId);
    if (!OPEN.includes(refund.state)) return;
    const state = refund.state === 'pending' ? 'pending' : 'unknown';
    tx.em.assign(refund, { state, errorMessage: reason.slice(0, 2000), updatedAt: tx.now });
    await this.askAgain(tx, refund);
  }

  private async askAgain(tx: Tx, refund: Refund): Promise<void> {
    if (!refund.request) return;
    const wait = askAgainAfterMs(refund.timesAsked, refund.state === 'pending');
    refund.timesAsked += 1;
    const { customerId, id: subjectId } = refund;
    const dueAt = new Date(tx.now.getTime() + wait);
    await this.agenda.schedule(tx, { kind: 'refund.retry', customerId, subjectId, dueAt });
  }

  /** What surely never arrived is sent again under the same id, which can't give the money back twice. */
  private async resolve(request: RefundRequest): Promise<RefundOutcome> {
    const found = await this.gateway.resolveRefund(request);
    return found.status === 'none' ? this.gateway.refund(request) : found;
  }

  private async settleBy(scope: Scope, { refundId }: RefundRequest, ask: () => Promise<RefundOutcome>): Promise<void> {
    let outcome: RefundOutcome;
    try {
      outcome = await ask();
    } catch (error) {
      const { message } = error as Error;
      this.log.warn(`the outcome of refund ${refundId} is unknown: ${message}`);
      return this.transactions.run(scope, (tx) => this.unanswered(tx, refundId, message));
    }
    await this.transactions.run(scope, (tx) => this.settled(tx, refundId, outcome));
  }

  /** Committed before the call: one of several workers gets to send. */
  private claim(scope: Scope, refundId: string): Promise<boolean> {
    return this.transactions.run(scope, async (tx) => {
      const { refund } = await this.locked(tx, refundId);
      if (refund.state !== 'created') return false;
      tx.em.assign(refund, { state: move(REFUND_MOVES, refund.state, 'sent'), sentAt: tx.now, updatedAt: tx.now });
      return true;
    });
  }

  /** Customer, then invoice; then what hangs on them, read anew. */
  private async locked(tx: Tx, refundId: string) {
    const known = await this.get(tx, refundId);
    const invoice = await this.receivables.lock(tx, known.invoiceId);
    const of = { environmentId: tx.scope.environmentId };
    const refund = await tx.em.findOneOrFail(Refund, { ...of, id: refundId }, { refresh: true });
    const payment = await tx.em.findOneOrFail(Payment, { ...of, id: refund.paymentId }, { refresh: true });
    return { refund, invoice, payment };
  }
}
