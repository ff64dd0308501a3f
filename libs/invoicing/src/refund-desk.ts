import { askAgainAfterMs, Decimal, fromMinorUnits, sum, text, toMinorUnits } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { Agenda, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { AccountCredits } from './account-credits.service.js';
import { keyReused } from './credit-purchases.service.js';
import { Payment } from './payment.entity.js';
import { Receivables } from './receivables.service.js';
import { RefundBook, type NewRefund } from './refund-book.js';
import type { CreateRefundBody, PayOutBody } from './refunds.dto.js';
import { Refund } from './refund.entity.js';
import { returnableMoney, type ReturnableReceipt } from './returnable-money.js';

/** Refunds that somebody asks for: decided, and committed before anything is sent. */
@Injectable()
export class RefundDesk {
  constructor(
    private readonly receivables: Receivables,
    private readonly customers: CustomersService,
    private readonly accountCredits: AccountCredits,
    private readonly book: RefundBook,
    private readonly agenda: Agenda,
  ) {}

  /**
   * Gives back money of a payment, all that is left of it or a part. A request key seen before answers the refund made then.
   * @throws Problem 400 for parts of a minor unit, 404, 409 for more than is left, of money or of credits it bought.
   */
  async begin(tx: Tx, paymentId: string, body: CreateRefundBody): Promise<Refund> {
    const payment = await this.locked(tx, paymentId);
    const repeated = await this.repeated(tx, paymentId, body);
    if (repeated) return repeated;
    if (payment.methodType === 'CREDITS') {
      throw Problem.unsupported('payment_id', 'was paid with credits: there is no money to give back');
    }
    const receipt = chosen(await returnableMoney(tx, { paymentId }), payment, body.amount);
    const amount = body.amount ? new Decimal(body.amount) : receipt.left;
    const { reason, metadata, idempotency_key: requestKey } = body;
    return this.enter(tx, payment, {
      receipt,
      amount,
      origin: 'request',
      reason: reason ?? null,
      metadata: metadata ?? {},
      requestKey: requestKey ?? null,
    });
  }

  /**
   * Pays out what a customer has with us by refunds of what it has paid by card, the newest first.
   * @throws Problem 400 for parts of a minor unit, 404, 409 for more than there is, or than cards can be given back.
   */
  async payOut(tx: Tx, customerId: string, { currency, amount: wanted }: PayOutBody): Promise<Refund[]> {
    await this.customers.get(tx, customerId);
    await this.customers.lock(tx, [customerId]);
    const balance = await this.accountCredits.balance(tx, customerId, currency);
    const amount = wanted ? new Decimal(wanted) : balance;
    assertWhole(amount, currency);
    if (amount.lte(0) || amount.gt(balance)) throw tooMuch(balance, currency);
    const refunds: Refund[] = [];
    let left = amount;
    for (const receipt of await returnableMoney(tx, { customerId, currency })) {
      if (left.isZero()) break;
      if (!receipt.byGateway || receipt.disputed || receipt.left.lte(0)) continue;
      const part = Decimal.min(left, receipt.left);
      left = left.minus(part);
      const payment = await this.locked(tx, receipt.paymentId);
      refunds.push(await this.enter(tx, payment, { receipt, amount: part, origin: 'account_credit' }));
    }
    if (!left.isZero()) throw tooMuch(sum(refunds.map((refund) => refund.amount)), currency);
    return refunds;
  }

  private async enter(tx: Tx, payment: Payment, wanted: NewRefund): Promise<Refund> {
    const invoice = await this.receivables.lock(tx, payment.invoiceId);
    const refund = await this.book.enter(tx, invoice, payment, wanted);
    if (refund.request) await this.askLater(tx, refund);
    else await this.book.succeed(tx, refund, invoice, null);
    return refund;
  }

  /** Whatever breaks before the answer: somebody asks what became of it. */
  private askLater(tx: Tx, { customerId, id: subjectId }: Refund): Promise<void> {
    const dueAt = new Date(tx.now.getTime() + askAgainAfterMs(0, false));
    return this.agenda.schedule(tx, { kind: 'refund.retry', customerId, subjectId, dueAt });
  }

  private async repeated(tx: Tx, paymentId: string, body: CreateRefundBody): Promise<Refund | null> {
    const { idempotency_key: requestKey, amount } = body;
    if (!requestKey) return null;
    const made = await tx.em.findOne(Refund, { environmentId: tx.scope.environmentId, requestKey });
    if (made && (made.paymentId !== paymentId || (amount && !made.amount.eq(amount))))
      throw keyReused('another refund');
    return made;
  }

  private async locked(tx: Tx, paymentId: string): Promise<Payment> {
    const of = { environmentId: tx.scope.environmentId, id: paymentId };
    const known = await tx.em.findOne(Payment, { ...of, archivedAt: null });
    if (!known) throw Problem.notFound('payment', paymentId);
    await this.receivables.lock(tx, known.invoiceId);
    return tx.em.findOneOrFail(Payment, of, { refresh: true });
  }
}

/** The newest money that covers the amount; of a payment that was made twice the second. */
function chosen(
  receipts: readonly ReturnableReceipt[],
  payment: Payment,
  amount: string | null | undefined,
): ReturnableReceipt {
  if (receipts.length === 0) throw Problem.state('nothing has been paid by this payment', payment.status);
  if (amount) assertWhole(new Decimal(amount), payment.currency);
  const wanted = amount ? new Decimal(amount) : null;
  const receipt = receipts.find(({ left }) => (wanted ? left.gte(wanted) : left.gt(0)));
  if (!receipt) throw tooMuch(Decimal.max(0, ...receipts.map(({ left }) => left)), payment.currency);
  if (receipt.disputed) throw Problem.state('a dispute about this payment is open: the bank decides', 'disputed');
  return receipt;
}

/** @throws Problem 400 for what the gateway can't give back to the last digit. */
function assertWhole(amount: Decimal, currency: string): void {
  if (!fromMinorUnits(toMinorUnits(amount, currency), currency).eq(amount)) {
    throw Problem.invalid('amount', `must be whole minor units of ${currency}`);
  }
}

const tooMuch = (most: Decimal, currency: string): Problem =>
  new Problem('invalid_state', `no more than ${text(most)} ${currency} can be given back`, {
    field: 'amount',
    refundable_amount: text(most),
  });
