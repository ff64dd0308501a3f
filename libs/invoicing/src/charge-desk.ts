import { askAgainAfterMs, chargeable, type Decimal, text } from '@drawdown/billing-core';
import {
  type ChargeRequest,
  paymentRefused,
  SAVED_METHODS,
  type SavedMethod,
  type SavedMethods,
} from '@drawdown/contracts';
import { Agenda, EventBus, explainRefusal, newId, Problem, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Inject, Injectable } from '@nestjs/common';
import { CreditPurchases } from './credit-purchases.service.js';
import type { Invoice } from './invoice.entity.js';
import { isOpen, move, PAYMENT_MOVES } from './lifecycles.js';
import { Payment, PaymentAttempt } from './payment.entity.js';
import { isPaid, named, Receivables } from './receivables.service.js';

/** Why an invoice is charged. One cause charges an invoice once, however often it is told. */
export interface Cause {
  readonly key: string;
  /** Somebody asked for it, so it goes also where invoices are sent instead of charged. */
  readonly byHand: boolean;
  /** The saved method to charge; without it the default one. */
  readonly methodId?: string | null;
}

/** Why an invoice is not charged now. */
export const CHARGE_REFUSALS = [
  'not_finalized',
  'paid',
  'wallet_closed',
  'page_open',
  'sent_as_invoice',
  'awaits_customer',
  'no_saved_method',
  'declined_for_good',
  'tried_for_this_cause',
  'below_minimum',
  'above_maximum',
] as const;
export type ChargeRefusal = (typeof CHARGE_REFUSALS)[number];

/** Why no attempt was made, as a word and as a sentence. */
export interface Refused {
  readonly refused: ChargeRefusal;
  readonly reason: string;
}

export type Begun = { readonly attemptId: string } | Refused;

/** What a person who asked for the charge is told. */
export function refusalOf({ refused: why, reason }: Refused): Problem {
  return why === 'not_finalized' || why === 'paid' || why === 'wallet_closed' || why === 'page_open'
    ? Problem.state(reason, why)
    : new Problem('invalid_operation', reason, { reason: why });
}

const refused = (why: ChargeRefusal, reason: string): Begun => ({ refused: why, reason });

/** Decides whether an invoice is charged, and commits the attempt before anything is sent. */
@Injectable()
export class ChargeDesk {
  constructor(
    private readonly receivables: Receivables,
    private readonly purchases: CreditPurchases,
    private readonly subscriptions: SubscriptionsService,
    private readonly events: EventBus,
    private readonly agenda: Agenda,
    @Inject(SAVED_METHODS) private readonly savedMethods: SavedMethods<Tx>,
  ) {}

  /**
   * Makes the attempt with its frozen request, or answers the one still open, or says why not. Customer and invoice are
   * locked; an invoice has one open payment, attempt or page, by a unique index.
   */
  async begin(tx: Tx, invoiceId: string, cause: Cause): Promise<Begun> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    const attempts = await this.attemptsOf(tx, invoice);
    const open = attempts.find(isOpen);
    if (open) return { attemptId: open.id };
    const obstacle = (await this.obstacle(tx, invoice, cause)) ?? doneBefore(attempts, cause);
    if (obstacle) return obstacle;
    const method = cause.methodId
      ? await this.savedMethods.get(tx, invoice.customerId, cause.methodId)
      : await this.savedMethods.defaultOf(tx, invoice.customerId);
    if (!method) return refused('no_saved_method', 'the customer has no saved payment method');
    if (declinedForGood(attempts.at(-1), method)) {
      return refused(
        'declined_for_good',
        'this payment method was declined for good; the customer has to pay or save another',
      );
    }
    const due = chargeable(invoice.amountRemaining, invoice.currency);
    if ('refused' in due) return this.refuseAmount(tx, invoice, due);
    return { attemptId: await this.attempt(tx, invoice, attempts, { amount: due.amount, method, cause }) };
  }

  private async obstacle(tx: Tx, invoice: Invoice, cause: Cause): Promise<Begun | null> {
    if (invoice.status !== 'FINALIZED') return refused('not_finalized', `the invoice is ${invoice.status}`);
    if (isPaid(invoice)) return refused('paid', 'nothing is left to pay');
    if (await this.purchases.isWithoutWallet(tx, invoice)) {
      return refused('wallet_closed', 'the wallet of the credits is closed: they can not come any more');
    }
    const page = await tx.em.count(Payment, {
      environmentId: tx.scope.environmentId,
      invoiceId: invoice.id,
      methodType: 'PAYMENT_LINK',
      status: { $in: ['PENDING', 'PROCESSING'] },
    });
    if (page > 0) return refused('page_open', 'a hosted page for this invoice is open');
    if (cause.byHand || !invoice.subscriptionId) return null;
    const { collectionMethod, paymentBehavior, status } = await this.subscriptions.get(tx, invoice.subscriptionId);
    if (collectionMethod === 'send_invoice') {
      return refused('sent_as_invoice', 'invoices of this subscription are sent, not charged');
    }
    return paymentBehavior === 'default_incomplete' && status === 'incomplete'
      ? refused('awaits_customer', 'the customer itself makes the first payment of this subscription')
      : null;
  }

  private async attempt(
    tx: Tx,
    invoice: Invoice,
    before: readonly PaymentAttempt[],
    charge: { amount: Decimal; method: SavedMethod; cause: Cause },
  ): Promise<string> {
    const payment = await this.reopened(tx, invoice, charge.amount);
    payment.paymentMethodId = charge.method.id;
    const id = newId('attempt');
    const attempt = tx.em.create(PaymentAttempt, {
      id,
      ...tx.scope,
      paymentId: payment.id,
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      number: before.length + 1,
      cause: charge.cause.key,
      request: requestOf(tx, id, payment, invoice, charge),
      state: 'created',
      timesAsked: 0,
      gatewayPaymentId: null,
      errorCode: null,
      errorMessage: null,
      hard: false,
      sentAt: null,
      settledAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await tx.em.flush();
    await this.agenda.schedule(tx, {
      kind: 'payment.retry',
      customerId: invoice.customerId,
      subjectId: attempt.id,
      dueAt: new Date(tx.now.getTime() + askAgainAfterMs(0, false)),
    });
    return attempt.id;
  }

  /** The invoice's payment by card, open (again) for this amount. */
  private async reopened(tx: Tx, invoice: Invoice, amount: Decimal): Promise<Payment> {
    const payment = await this.cardPayment(tx, invoice);
    if (!payment) return newPayment(tx, invoice, 'CARD', amount);
    return tx.em.assign(payment, {
      status: move(PAYMENT_MOVES, payment.status, 'PENDING'),
      amount,
      errorCode: null,
      errorMessage: null,
      failedAt: null,
      archivedAt: null,
      updatedAt: tx.now,
    });
  }

  /** An amount no card takes: visible as a failed payment nothing was sent for, told once. */
  private async refuseAmount(
    tx: Tx,
    invoice: Invoice,
    due: { refused: 'below_minimum' | 'above_maximum'; reason: string },
  ): Promise<Begun> {
    const payment =
      (await this.cardPayment(tx, invoice)) ?? (await newPayment(tx, invoice, 'CARD', invoice.amountRemaining));
    if (payment.errorMessage !== due.reason) {
      tx.em.assign(payment, {
        status: move(PAYMENT_MOVES, payment.status, 'FAILED'),
        errorCode: due.refused,
        errorMessage: due.reason,
        failedAt: tx.now,
        updatedAt: tx.now,
      });
      await this.events.publish(tx, paymentRefused, { ...named(invoice), payment_id: payment.id, reason: due.reason });
    }
    return refused(due.refused, due.reason);
  }

  /** The invoice's one payment by card, if there has been any. */
  cardPayment(tx: Tx, invoice: Invoice): Promise<Payment | null> {
    const where = { environmentId: tx.scope.environmentId, invoiceId: invoice.id, methodType: 'CARD' as const };
    return tx.em.findOne(Payment, where, { refresh: true });
  }

  private attemptsOf(tx: Tx, invoice: Invoice): Promise<PaymentAttempt[]> {
    const where = { environmentId: tx.scope.environmentId, invoiceId: invoice.id };
    return tx.em.find(PaymentAttempt, where, { orderBy: { number: 'asc' }, refresh: true });
  }
}

/** A new open payment of an invoice. @throws Problem 409 when it has another: the unique index decides. */
export async function newPayment(
  tx: Tx,
  invoice: Invoice,
  methodType: Payment['methodType'],
  amount: Decimal,
  facts: Partial<Payment> = {},
): Promise<Payment> {
  const payment = tx.em.create(Payment, {
    id: newId('pay'),
    ...tx.scope,
    invoiceId: invoice.id,
    customerId: invoice.customerId,
    methodType,
    status: 'PENDING',
    amount,
    currency: invoice.currency,
    paymentMethodId: null,
    gatewayPaymentId: null,
    errorCode: null,
    errorMessage: null,
    saveMethod: false,
    returnUrls: null,
    requestKey: null,
    metadata: {},
    succeededAt: null,
    failedAt: null,
    refundedAt: null,
    archivedAt: null,
    createdAt: tx.now,
    updatedAt: tx.now,
    ...facts,
  });
  await flushPayments(tx);
  return payment;
}

/** A payment that was only made is open from now on. @throws Problem 409 when the invoice has another. */
export async function processable(tx: Tx, payment: Payment): Promise<void> {
  if (payment.status === 'PENDING') return;
  tx.em.assign(payment, { status: move(PAYMENT_MOVES, payment.status, 'PENDING'), updatedAt: tx.now });
  await flushPayments(tx);
}

const flushPayments = (tx: Tx): Promise<void> =>
  explainRefusal(tx.em.flush(), {
    payment_open: Problem.state('another payment of the invoice is open', 'in_progress'),
  });

function requestOf(
  { scope }: Tx,
  attemptId: string,
  payment: Payment,
  invoice: Invoice,
  { amount, method }: { amount: Decimal; method: SavedMethod },
): ChargeRequest {
  return {
    ...scope,
    attemptId,
    paymentId: payment.id,
    invoiceId: invoice.id,
    customerId: invoice.customerId,
    paymentMethodId: method.id,
    gatewayPaymentId: payment.gatewayPaymentId ?? null,
    amount: text(amount),
    currency: invoice.currency,
    description: `Invoice ${invoice.number}`,
  };
}

function doneBefore(attempts: readonly PaymentAttempt[], cause: Cause): Begun | null {
  return attempts.some((attempt) => attempt.cause === cause.key)
    ? refused('tried_for_this_cause', 'it was charged for this cause before')
    : null;
}

/** The same card again is of no use, or needs the customer: a hosted page or another card. */
function declinedForGood(last: PaymentAttempt | undefined, method: SavedMethod): boolean {
  if (!last || last.request.paymentMethodId !== method.id) return false;
  return last.hard || last.state === 'requires_customer';
}
