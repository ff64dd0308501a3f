import { Decimal, roundMoney, text } from '@drawdown/billing-core';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { ChargeDesk, newPayment, processable, refusalOf } from './charge-desk.js';
import { CheckoutDesk } from './checkout-desk.js';
import { CreditPayments } from './credit-payments.service.js';
import { keyReused } from './credit-purchases.service.js';
import type { Invoice } from './invoice.entity.js';
import { move, PAYMENT_MOVES } from './lifecycles.js';
import { Payment, type PaymentMethodType } from './payment.entity.js';
import type { CreatePaymentBody, UpdatePaymentBody } from './payment-desk.dto.js';
import { isPaid, Receivables } from './receivables.service.js';
import { Settlement } from './settlement.service.js';

/** A payment that was begun, and what has to go to the gateway after the commit. */
export interface BegunPayment {
  readonly paymentId: string;
  readonly attemptId: string | null;
  readonly sessionId: string | null;
}

/** Payments that somebody asks for. Made first, processed at once or when somebody says so. */
@Injectable()
export class PaymentDesk {
  constructor(
    private readonly receivables: Receivables,
    private readonly settlement: Settlement,
    private readonly charges: ChargeDesk,
    private readonly checkout: CheckoutDesk,
    private readonly credits: CreditPayments,
  ) {}

  /**
   * Records money that came another way; null is all that is left.
   * @throws Problem 400 for parts of a minor unit, 404, 409 for what is not owed or while another payment is open.
   */
  async record(tx: Tx, invoiceId: string, amount: Decimal | null): Promise<Payment> {
    const invoice = await this.payable(tx, invoiceId);
    const money = amount ?? invoice.amountRemaining;
    assertWhole(money, invoice);
    const payment = await newPayment(tx, invoice, 'OFFLINE', money);
    await this.settlement.receivedOutside(tx, payment, invoice);
    return payment;
  }

  /**
   * Makes a payment, and processes it unless that is to wait. A key seen before answers the payment made then.
   * @throws Problem 400, 404, 409; see `process`.
   */
  async begin(tx: Tx, body: CreatePaymentBody): Promise<BegunPayment> {
    const repeated = await this.repeated(tx, body);
    if (repeated) return { paymentId: repeated.id, attemptId: null, sessionId: null };
    const invoice = await this.payable(tx, body.destination_id);
    if (body.currency !== invoice.currency) throw Problem.invalid('currency', `must be ${invoice.currency}`);
    assertAmount(body.payment_method_type, new Decimal(body.amount), invoice);
    assertFields(body, invoice);
    const open = body.payment_method_type === 'PAYMENT_LINK' ? await this.checkout.openPageOf(tx, invoice) : null;
    if (open) return { paymentId: open.paymentId!, attemptId: null, sessionId: open.id };
    const payment = await this.made(tx, invoice, body);
    if (body.process_payment === false) return { paymentId: payment.id, attemptId: null, sessionId: null };
    return this.processed(tx, payment, invoice);
  }

  /**
   * Runs a payment that was only made, or a card's that failed.
   * @throws Problem 404, 409 for another status or what is not owed; see `ChargeDesk.begin` and `CheckoutDesk.pay`.
   */
  async process(tx: Tx, id: string): Promise<BegunPayment> {
    const payment = await this.locked(tx, id);
    const again = payment.status === 'FAILED' && payment.methodType === 'CARD';
    if (payment.status !== 'INITIATED' && !again) {
      throw Problem.state(`a payment that is ${payment.status} is not processed again`, payment.status);
    }
    return this.processed(tx, payment, await this.payable(tx, payment.invoiceId));
  }

  /**
   * Texts at any time; the method, and the end without the gateway, while it is only made.
   * @throws Problem 404, 409 for what the gateway, or nobody, can change any more.
   */
  async update(tx: Tx, id: string, body: UpdatePaymentBody): Promise<void> {
    const payment = await this.locked(tx, id);
    const { metadata, payment_method_id: method, payment_status: status } = body;
    if (metadata) payment.metadata = metadata;
    if (method && method !== payment.paymentMethodId) {
      assertOnlyMade(payment);
      payment.paymentMethodId = method;
    }
    payment.updatedAt = tx.now;
    if (!status || status === payment.status) return;
    assertOnlyMade(payment);
    if (status === 'FAILED') {
      const errorMessage = body.error_message ?? 'failed by hand';
      tx.em.assign(payment, { status: move(PAYMENT_MOVES, payment.status, status), errorMessage, failedAt: tx.now });
    } else if (status === 'SUCCEEDED' && payment.methodType === 'OFFLINE') {
      await this.processed(tx, payment, await this.payable(tx, payment.invoiceId));
    } else throw Problem.state(`a ${payment.methodType} payment becomes ${status} by being processed`, payment.status);
  }

  /** Nothing came of it: it is not shown any more. @throws Problem 404, 409 for another status. */
  async remove(tx: Tx, id: string): Promise<void> {
    const payment = await this.locked(tx, id);
    if (payment.status !== 'INITIATED' && payment.status !== 'FAILED') {
      throw Problem.state(`a payment that is ${payment.status} stays`, payment.status);
    }
    tx.em.assign(payment, { archivedAt: tx.now, updatedAt: tx.now });
  }

  private async processed(tx: Tx, payment: Payment, invoice: Invoice): Promise<BegunPayment> {
    const begun = { paymentId: payment.id, attemptId: null, sessionId: null };
    switch (payment.methodType) {
      case 'CARD':
        return { ...begun, attemptId: await this.charge(tx, payment) };
      case 'PAYMENT_LINK': {
        const session = await this.checkout.pay(tx, payment, invoice);
        return { ...begun, sessionId: session.id };
      }
      case 'CREDITS':
        assertAmount('CREDITS', payment.amount, invoice);
        await processable(tx, payment);
        await this.credits.take(tx, payment, invoice);
        await this.settlement.receivedInCredits(tx, payment, invoice);
        return begun;
      case 'OFFLINE':
        await processable(tx, payment);
        await this.settlement.receivedOutside(tx, payment, invoice);
        return begun;
    }
  }

  private async charge(tx: Tx, { invoiceId, paymentMethodId }: Payment): Promise<string> {
    const cause = { key: newId('by_hand'), byHand: true, methodId: paymentMethodId ?? null };
    const begun = await this.charges.begin(tx, invoiceId, cause);
    if ('refused' in begun) throw refusalOf(begun);
    return begun.attemptId;
  }

  /** An invoice has one payment by card, whose tries go on at the gateway where the last one ended. */
  private async made(tx: Tx, invoice: Invoice, body: CreatePaymentBody): Promise<Payment> {
    const { payment_method_type: methodType, idempotency_key: requestKey, metadata } = body;
    const facts = {
      status: 'INITIATED' as const,
      paymentMethodId: body.payment_method_id ?? null,
      requestKey: requestKey ?? null,
      metadata: metadata ?? {},
      saveMethod: body.save_card_and_make_default ?? false,
      returnUrls:
        methodType === 'PAYMENT_LINK' ? { success_url: body.success_url!, cancel_url: body.cancel_url! } : null,
    };
    const known = methodType === 'CARD' ? await this.charges.cardPayment(tx, invoice) : null;
    if (!known) return newPayment(tx, invoice, methodType, new Decimal(body.amount), facts);
    if (requestKey || body.process_payment === false) {
      throw new Problem('invalid_state', 'the invoice has a payment by card already: process that one', {
        state: known.status,
        payment_id: known.id,
      });
    }
    return tx.em.assign(known, { ...(metadata ? { metadata } : {}), paymentMethodId: facts.paymentMethodId });
  }

  private async repeated(tx: Tx, body: CreatePaymentBody): Promise<Payment | null> {
    const { idempotency_key: requestKey, destination_id: invoiceId, amount } = body;
    if (!requestKey) return null;
    await this.receivables.lock(tx, invoiceId);
    const made = await tx.em.findOne(Payment, { environmentId: tx.scope.environmentId, requestKey });
    const same = made?.invoiceId === invoiceId && made.methodType === body.payment_method_type;
    if (made && !(same && made.amount.eq(amount))) throw keyReused('another payment');
    return made;
  }

  private async locked(tx: Tx, id: string): Promise<Payment> {
    const where = { environmentId: tx.scope.environmentId, id, archivedAt: null };
    const known = await tx.em.findOne(Payment, where);
    if (!known) throw Problem.notFound('payment', id);
    await this.receivables.lock(tx, known.invoiceId);
    return tx.em.refreshOrFail(known);
  }

  private async payable(tx: Tx, invoiceId: string): Promise<Invoice> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    if (invoice.status !== 'FINALIZED') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
    if (isPaid(invoice)) throw Problem.state('nothing is left to pay on the invoice', invoice.paymentStatus);
    return invoice;
  }
}

/** What a card, a page or credits can pay is not above what is left; by card and page all of it. */
function assertAmount(methodType: PaymentMethodType, amount: Decimal, invoice: Invoice): void {
  const left = invoice.amountRemaining;
  const rest = `${text(left)} ${invoice.currency}`;
  switch (methodType) {
    case 'CARD':
    case 'PAYMENT_LINK':
      if (!amount.eq(left)) throw Problem.invalid('amount', `must be all that is left to pay, ${rest}`);
      return;
    case 'CREDITS':
      if (amount.gt(left)) throw Problem.invalid('amount', `must be at most what is left to pay, ${rest}`);
      return assertWhole(amount, invoice);
    case 'OFFLINE':
      return assertWhole(amount, invoice);
  }
}

function assertFields(body: CreatePaymentBody, invoice: Invoice): void {
  const { payment_method_type: methodType, save_card_and_make_default: saves } = body;
  if (methodType === 'PAYMENT_LINK') {
    if (!body.success_url) throw Problem.invalid('success_url', 'is needed for a hosted page');
    if (!body.cancel_url) throw Problem.invalid('cancel_url', 'is needed for a hosted page');
  }
  if (saves && methodType !== 'PAYMENT_LINK') {
    throw Problem.invalid(
      'save_card_and_make_default',
      'makes sense only where the customer shows a card: PAYMENT_LINK',
    );
  }
  if (body.payment_method_id && methodType !== 'CARD' && methodType !== 'CREDITS') {
    throw Problem.invalid('payment_method_id', 'names a saved method (CARD) or a wallet (CREDITS)');
  }
  if (methodType === 'CREDITS' && invoice.type === 'CREDIT') {
    throw Problem.invalid('payment_method_type', 'CREDITS buy no credits');
  }
}

function assertWhole(money: Decimal, { currency }: Invoice): void {
  if (!roundMoney(money, currency).eq(money)) {
    throw Problem.invalid('amount', `must be whole minor units of ${currency}`);
  }
}

function assertOnlyMade({ status }: Payment): void {
  if (status !== 'INITIATED') throw Problem.state(`a payment that is ${status} can't be changed like that`, status);
}
