import { Decimal, roundMoney, text } from '@drawdown/billing-core';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { ChargeDesk, newPayment, refusalOf } from './charge-desk.js';
import { CheckoutDesk } from './checkout-desk.js';
import type { Invoice } from './invoice.entity.js';
import { Payment, PaymentAttempt } from './payment.entity.js';
import type { CreatePaymentBody } from './payment-desk.dto.js';
import { isPaid, Receivables } from './receivables.service.js';
import { Settlement } from './settlement.service.js';

/** A payment that was begun, and what has to go to the gateway after the commit. */
export interface BegunPayment {
  readonly paymentId: string;
  readonly attemptId: string | null;
  readonly sessionId: string | null;
}

/** Payments that somebody asks for. */
@Injectable()
export class PaymentDesk {
  constructor(
    private readonly receivables: Receivables,
    private readonly settlement: Settlement,
    private readonly charges: ChargeDesk,
    private readonly checkout: CheckoutDesk,
  ) {}

  /**
   * Records money that came another way; null is all that is left.
   * @throws Problem 400 for parts of a minor unit, 404, 409 for what is not owed or while another payment is open.
   */
  async record(tx: Tx, invoiceId: string, amount: Decimal | null): Promise<Payment> {
    const invoice = await this.payable(tx, invoiceId);
    const money = amount ?? invoice.amountRemaining;
    if (!roundMoney(money, invoice.currency).eq(money)) {
      throw Problem.invalid('amount', `must be whole minor units of ${invoice.currency}`);
    }
    const payment = await newPayment(tx, invoice, 'OFFLINE', money);
    await this.settlement.receivedOutside(tx, payment, invoice);
    return payment;
  }

  /** @throws Problem 400, 404, 409; see `record`, `ChargeDesk.begin` and `CheckoutDesk.begin`. */
  async begin(tx: Tx, body: CreatePaymentBody): Promise<BegunPayment> {
    const invoice = await this.payable(tx, body.destination_id);
    if (body.currency !== invoice.currency) throw Problem.invalid('currency', `must be ${invoice.currency}`);
    const amount = new Decimal(body.amount);
    if (body.payment_method_type === 'OFFLINE') {
      const { id } = await this.record(tx, invoice.id, amount);
      return { paymentId: id, attemptId: null, sessionId: null };
    }
    if (!amount.eq(invoice.amountRemaining)) {
      throw Problem.invalid('amount', `must be all that is left to pay, ${text(invoice.amountRemaining)}`);
    }
    return body.payment_method_type === 'CARD' ? this.charge(tx, invoice) : this.page(tx, invoice, body);
  }

  private async charge(tx: Tx, invoice: Invoice): Promise<BegunPayment> {
    const begun = await this.charges.begin(tx, invoice.id, { key: newId('by_hand'), byHand: true });
    if ('refused' in begun) throw refusalOf(begun);
    const attempt = await tx.em.findOneOrFail(PaymentAttempt, {
      environmentId: tx.scope.environmentId,
      id: begun.attemptId,
    });
    return { paymentId: attempt.paymentId, attemptId: attempt.id, sessionId: null };
  }

  private async page(tx: Tx, invoice: Invoice, { success_url, cancel_url }: CreatePaymentBody): Promise<BegunPayment> {
    if (!success_url) throw Problem.invalid('success_url', 'is needed for a hosted page');
    if (!cancel_url) throw Problem.invalid('cancel_url', 'is needed for a hosted page');
    const page = { mode: 'invoice', invoice_id: invoice.id, success_url, cancel_url } as const;
    const session = await this.checkout.begin(tx, page);
    return { paymentId: session.paymentId!, attemptId: null, sessionId: session.id };
  }

  private async payable(tx: Tx, invoiceId: string): Promise<Invoice> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    if (invoice.status !== 'FINALIZED') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
    if (isPaid(invoice)) throw Problem.state('nothing is left to pay on the invoice', invoice.paymentStatus);
    return invoice;
  }
}
