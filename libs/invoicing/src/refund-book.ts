import { Decimal, text, ZERO } from '@drawdown/billing-core';
import type { RefundRequest } from '@drawdown/contracts';
import { refundCreated, refundFailed, refundSucceeded } from '@drawdown/contracts';
import { Agenda, EventBus, newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { AccountCredits } from './account-credits.service.js';
import type { Invoice } from './invoice.entity.js';
import { move, PAYMENT_MOVES, REFUND_MOVES, type PaymentStatus } from './lifecycles.js';
import type { Payment } from './payment.entity.js';
import { PurchaseReversals } from './purchase-reversals.service.js';
import { named } from './receivables.service.js';
import { Refund } from './refund.entity.js';
import type { ReturnableReceipt } from './returnable-money.js';

/** What is given back, of which money, and why. */
export interface NewRefund {
  readonly receipt: ReturnableReceipt;
  readonly amount: Decimal;
  readonly origin: Refund['origin'];
  readonly reason?: string | null;
  readonly metadata?: Record<string, string>;
  readonly requestKey?: string | null;
  /** Of one that somebody made at the gateway. */
  readonly gatewayRefundId?: string | null;
}

/** Records refunds, and what they count for: on the invoice, on the payment, in the wallet. Callers hold the invoice's lock. */
@Injectable()
export class RefundBook {
  constructor(
    private readonly purchases: PurchaseReversals,
    private readonly accountCredits: AccountCredits,
    private readonly events: EventBus,
    private readonly agenda: Agenda,
  ) {}

  /**
   * Enters a refund before it is sent: from here on its money counts as gone, and its credits are.
   * @throws Problem 409 when we would take back credits that are spent.
   */
  async enter(tx: Tx, invoice: Invoice, payment: Payment, wanted: NewRefund): Promise<Refund> {
    const id = newId('refund');
    const credits = await this.creditsOf(tx, invoice, id, wanted);
    const { receipt, amount, origin } = wanted;
    const refund = tx.em.create(Refund, {
      id,
      ...tx.scope,
      receiptId: receipt.id,
      paymentId: payment.id,
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      origin,
      amount,
      currency: invoice.currency,
      credits,
      reason: wanted.reason ?? null,
      request: receipt.byGateway && origin !== 'gateway' ? requestOf(tx, id, invoice, receipt, amount) : null,
      state: origin === 'gateway' ? 'pending' : 'created',
      timesAsked: 0,
      gatewayRefundId: wanted.gatewayRefundId ?? null,
      errorCode: null,
      errorMessage: null,
      requestKey: wanted.requestKey ?? null,
      metadata: wanted.metadata ?? {},
      sentAt: null,
      settledAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    if (origin === 'account_credit') this.accountCredits.payOut(tx, refund);
    await this.count(tx, invoice, payment, amount);
    await this.events.publish(tx, refundCreated, { ...told(refund, invoice), credits: text(credits) });
    return refund;
  }

  /** The money has gone back. */
  async succeed(tx: Tx, refund: Refund, invoice: Invoice, gatewayRefundId: string | null): Promise<void> {
    await this.settle(tx, refund, 'succeeded', { gatewayRefundId });
    await this.events.publish(tx, refundSucceeded, told(refund, invoice));
  }

  /** The money has not gone back, or came again: everything it counted for is undone. */
  async fail(
    tx: Tx,
    refund: Refund,
    invoice: Invoice,
    payment: Payment,
    { code, message, gatewayRefundId }: { code: string; message: string; gatewayRefundId: string | null },
  ): Promise<void> {
    await this.settle(tx, refund, 'failed', {
      gatewayRefundId: gatewayRefundId ?? refund.gatewayRefundId ?? null,
      errorCode: code,
      errorMessage: message,
    });
    await this.purchases.restore(tx, keyOf(refund.id));
    if (refund.origin === 'account_credit') this.accountCredits.payBack(tx, refund);
    await this.count(tx, invoice, payment, refund.amount.neg());
    await this.events.publish(tx, refundFailed, { ...told(refund, invoice), reason: message });
  }

  private async creditsOf(tx: Tx, invoice: Invoice, id: string, { origin, amount }: NewRefund): Promise<Decimal> {
    const back = { key: keyOf(id), amount };
    if (origin === 'request') return this.purchases.takeBack(tx, invoice, back);
    return origin === 'gateway' ? this.purchases.lose(tx, invoice, back) : ZERO;
  }

  private async count(tx: Tx, invoice: Invoice, payment: Payment, amount: Decimal): Promise<void> {
    tx.em.assign(invoice, { refundedAmount: invoice.refundedAmount.plus(amount), updatedAt: tx.now });
    const status = await statusOf(tx, payment);
    tx.em.assign(payment, {
      status: move(PAYMENT_MOVES, payment.status, status),
      refundedAt: status === 'SUCCEEDED' ? null : tx.now,
      updatedAt: tx.now,
    });
  }

  private async settle(tx: Tx, refund: Refund, state: 'succeeded' | 'failed', facts: Partial<Refund>): Promise<void> {
    const from = refund.state === 'created' ? 'sent' : refund.state;
    tx.em.assign(refund, {
      ...facts,
      state: move(REFUND_MOVES, from, state),
      settledAt: tx.now,
      updatedAt: tx.now,
    });
    await this.agenda.cancel(tx, 'refund.retry', refund.id);
  }
}

const keyOf = (refundId: string): string => `refund:${refundId}`;

/** How much of a payment's money has been given back. */
async function statusOf(tx: Tx, payment: Payment): Promise<PaymentStatus> {
  await tx.em.flush();
  const found = await sql<{ received: string; refunded: string }>`
    select (select coalesce(sum(amount), 0) from payment_receipt
            where environment_id = ${tx.scope.environmentId} and payment_id = ${payment.id}) received,
           (select coalesce(sum(amount), 0) from refund
            where environment_id = ${tx.scope.environmentId} and payment_id = ${payment.id} and state <> 'failed') refunded`.execute(
    tx.db,
  );
  const [received, refunded] = [new Decimal(found.rows[0]!.received), new Decimal(found.rows[0]!.refunded)];
  if (refunded.isZero()) return 'SUCCEEDED';
  return refunded.lt(received) ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
}

const requestOf = (
  { scope: { tenantId, environmentId } }: Tx,
  refundId: string,
  { id: invoiceId, currency }: Invoice,
  { paymentId, gatewayPaymentId }: ReturnableReceipt,
  amount: Decimal,
): RefundRequest => ({
  tenantId,
  environmentId,
  refundId,
  paymentId,
  invoiceId,
  gatewayPaymentId,
  amount: text(amount),
  currency,
});

const told = (refund: Refund, invoice: Invoice) => ({
  ...named(invoice),
  refund_id: refund.id,
  payment_id: refund.paymentId,
  amount: text(refund.amount),
});
