import { askAgainAfterMs, canMove, Decimal } from '@drawdown/billing-core';
import {
  type ChargeOutcome,
  type checkoutSettled,
  methodOutdated,
  type PayloadOf,
  SAVED_METHODS,
  type SavedMethods,
} from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { Agenda, EventBus, newId, Problem, type Tx } from '@drawdown/platform';
import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { CreditPurchases } from './credit-purchases.service.js';
import type { Invoice } from './invoice.entity.js';
import { ATTEMPT_MOVES, type AttemptState, CHECKOUT_MOVES, move, PAYMENT_MOVES } from './lifecycles.js';
import { CheckoutSession, Payment, PaymentAttempt } from './payment.entity.js';
import { isPaid, Receivables } from './receivables.service.js';

type Succeeded = Extract<ChargeOutcome, { status: 'succeeded' }>;
type Failed = Extract<ChargeOutcome, { status: 'failed' }>;

/**
 * The one place where an outcome becomes a fact, whoever tells it: the direct answer, the webhook, the landing page or
 * the resolver, in any order and any number of times. Success is never undone; money is counted once per payment of the
 * gateway; a second payment of an invoice is recorded, never lost.
 */
@Injectable()
export class Settlement {
  constructor(
    private readonly customers: CustomersService,
    private readonly receivables: Receivables,
    private readonly purchases: CreditPurchases,
    private readonly agenda: Agenda,
    private readonly events: EventBus,
    @Inject(SAVED_METHODS) private readonly savedMethods: SavedMethods<Tx>,
  ) {}

  /** @throws Problem 404 for an attempt that was never made. */
  async attemptSettled(tx: Tx, attemptId: string, outcome: ChargeOutcome): Promise<void> {
    const { attempt, payment, invoice } = await this.locked(tx, attemptId);
    switch (outcome.status) {
      case 'succeeded':
        return this.attemptSucceeded(tx, attempt, payment, invoice, outcome);
      case 'failed':
        return this.attemptFailed(tx, attempt, payment, invoice, outcome);
      case 'processing':
        return this.attemptProcessing(tx, attempt, payment, outcome.gatewayPaymentId);
    }
  }

  /** The gateway gave no answer: nobody may charge the invoice until it has, and it is asked again. */
  async attemptUnanswered(tx: Tx, attemptId: string, reason: string): Promise<void> {
    const { attempt } = await this.locked(tx, attemptId);
    const state = attempt.state === 'processing' ? 'processing' : 'unknown';
    if (!canMove(ATTEMPT_MOVES, attempt.state, state)) return;
    tx.em.assign(attempt, { state, errorMessage: reason.slice(0, 2000), updatedAt: tx.now });
    await this.askAgain(tx, attempt);
  }

  /** A hosted page was used, expired, or failed. @throws Problem 404 for a page that was never opened. */
  async checkoutSettled(tx: Tx, told: Omit<PayloadOf<typeof checkoutSettled>, 'customer_id'>): Promise<void> {
    const session = await this.lockedSession(tx, told.session_id);
    const status = STATUS_OF[told.status];
    if (!canMove(CHECKOUT_MOVES, session.status, status)) return;
    tx.em.assign(session, { status, settledAt: tx.now, updatedAt: tx.now });
    await this.agenda.cancel(tx, 'checkout.expire', session.id);
    if (!session.paymentId || !session.invoiceId) return;
    const payment = await tx.em.findOneOrFail(Payment, named(tx, session.paymentId), ANEW);
    const invoice = await this.receivables.lock(tx, session.invoiceId);
    if (told.status === 'paid') {
      const gatewayPaymentId = told.gateway_payment_id ?? `checkout:${session.id}`;
      await this.receive(tx, payment, invoice, gatewayPaymentId, new Decimal(told.amount ?? payment.amount));
    } else if (told.status !== 'saved') {
      await this.pageUnused(tx, session, payment, invoice);
    }
  }

  /** Money that came another way than through the gateway: the whole amount of the payment, once. */
  receivedOutside(tx: Tx, payment: Payment, invoice: Invoice): Promise<void> {
    return this.receive(tx, payment, invoice, `offline:${payment.id}`, payment.amount);
  }

  /** Credits that pay the whole amount of the payment; whoever calls has taken them. */
  receivedInCredits(tx: Tx, payment: Payment, invoice: Invoice): Promise<void> {
    return this.receive(tx, payment, invoice, `credits:${payment.id}`, payment.amount);
  }

  private async attemptSucceeded(tx: Tx, attempt: PaymentAttempt, payment: Payment, invoice: Invoice, told: Succeeded) {
    if (!canMove(ATTEMPT_MOVES, attempt.state, 'succeeded')) return;
    const facts = { gatewayPaymentId: told.gatewayPaymentId, errorCode: null, errorMessage: null };
    await this.close(tx, attempt, 'succeeded', facts);
    await this.receive(tx, payment, invoice, told.gatewayPaymentId, new Decimal(told.amount));
  }

  private async attemptFailed(tx: Tx, attempt: PaymentAttempt, payment: Payment, invoice: Invoice, told: Failed) {
    const state = told.needsCustomer ? 'requires_customer' : 'failed';
    if (!canMove(ATTEMPT_MOVES, attempt.state, state)) return;
    const error = { errorCode: told.code, errorMessage: told.message };
    // The next attempt confirms the same payment of the gateway again: what is known of it is not forgotten.
    const gatewayPaymentId = told.gatewayPaymentId ?? payment.gatewayPaymentId ?? null;
    await this.close(tx, attempt, state, { ...error, gatewayPaymentId, hard: told.hard });
    if (!canMove(PAYMENT_MOVES, payment.status, 'FAILED')) return;
    tx.em.assign(payment, { status: 'FAILED', ...error, gatewayPaymentId, failedAt: tx.now, updatedAt: tx.now });
    await this.receivables.decline(tx, invoice, payment.id, told.message);
    await this.purchases.abandonWithoutWallet(tx, invoice);
    await this.tellOfNewerMethod(tx, attempt, invoice);
  }

  /** While an attempt was open a method saved meanwhile could not be charged: its turn comes now. */
  private async tellOfNewerMethod(tx: Tx, attempt: PaymentAttempt, invoice: Invoice): Promise<void> {
    if (isPaid(invoice) || invoice.status !== 'FINALIZED') return;
    const method = await this.savedMethods.defaultOf(tx, attempt.customerId);
    if (!method || method.id === attempt.request.paymentMethodId) return;
    await this.events.publish(tx, methodOutdated, {
      attempt_id: attempt.id,
      customer_id: attempt.customerId,
      invoice_id: attempt.invoiceId,
      payment_method_id: method.id,
    });
  }

  private async attemptProcessing(tx: Tx, attempt: PaymentAttempt, payment: Payment, gatewayPaymentId: string) {
    if (!canMove(ATTEMPT_MOVES, attempt.state, 'processing')) return;
    tx.em.assign(attempt, { state: 'processing', gatewayPaymentId, updatedAt: tx.now });
    if (canMove(PAYMENT_MOVES, payment.status, 'PROCESSING')) {
      tx.em.assign(payment, { status: 'PROCESSING', gatewayPaymentId, updatedAt: tx.now });
    }
    await this.askAgain(tx, attempt);
  }

  /** Books money once, and what it brings. */
  private async receive(tx: Tx, payment: Payment, invoice: Invoice, gatewayPaymentId: string, amount: Decimal) {
    if (canMove(PAYMENT_MOVES, payment.status, 'SUCCEEDED')) {
      tx.em.assign(payment, {
        status: 'SUCCEEDED',
        gatewayPaymentId,
        errorCode: null,
        errorMessage: null,
        succeededAt: tx.now,
        failedAt: null,
        updatedAt: tx.now,
      });
    }
    await tx.em.flush();
    if (!(await countOnce(tx, payment, gatewayPaymentId, amount))) return;
    await this.receivables.receive(tx, invoice, payment.id, amount);
    if (isPaid(invoice)) await this.purchases.fulfil(tx, invoice);
  }

  /** Credits ordered by the page itself never come; another invoice stays open, and a decline counts as one. */
  private async pageUnused(tx: Tx, session: CheckoutSession, payment: Payment, invoice: Invoice): Promise<void> {
    if (!canMove(PAYMENT_MOVES, payment.status, 'FAILED')) return;
    const failed = session.status === 'failed';
    const message = failed ? 'the payment on the hosted page failed' : 'the hosted page was not used in time';
    const error = { errorCode: failed ? 'payment_failed' : 'page_expired', errorMessage: message };
    tx.em.assign(payment, { status: 'FAILED', ...error, failedAt: tx.now, updatedAt: tx.now });
    if (session.mode === 'top_up') await this.purchases.abandon(tx, invoice);
    else if (failed) await this.receivables.decline(tx, invoice, payment.id, message);
    await this.purchases.abandonWithoutWallet(tx, invoice);
  }

  private async close(tx: Tx, attempt: PaymentAttempt, state: AttemptState, facts: Partial<PaymentAttempt>) {
    tx.em.assign(attempt, {
      ...facts,
      state: move(ATTEMPT_MOVES, attempt.state, state),
      settledAt: tx.now,
      updatedAt: tx.now,
    });
    await this.agenda.cancel(tx, 'payment.retry', attempt.id);
  }

  private async askAgain(tx: Tx, attempt: PaymentAttempt): Promise<void> {
    const wait = askAgainAfterMs(attempt.timesAsked, attempt.state === 'processing');
    attempt.timesAsked += 1;
    await this.agenda.schedule(tx, {
      kind: 'payment.retry',
      customerId: attempt.customerId,
      subjectId: attempt.id,
      dueAt: new Date(tx.now.getTime() + wait),
    });
  }

  /** Customer, then invoice; then what hangs on them, read anew. */
  private async locked(tx: Tx, attemptId: string) {
    const known = await tx.em.findOne(PaymentAttempt, named(tx, attemptId));
    if (!known) throw Problem.notFound('payment attempt', attemptId);
    const invoice = await this.receivables.lock(tx, known.invoiceId);
    const attempt = await tx.em.findOneOrFail(PaymentAttempt, named(tx, attemptId), ANEW);
    const payment = await tx.em.findOneOrFail(Payment, named(tx, attempt.paymentId), ANEW);
    return { attempt, payment, invoice };
  }

  private async lockedSession(tx: Tx, sessionId: string): Promise<CheckoutSession> {
    const known = await tx.em.findOne(CheckoutSession, named(tx, sessionId));
    if (!known) throw Problem.notFound('checkout session', sessionId);
    await this.customers.lock(tx, [known.customerId]);
    return tx.em.findOneOrFail(CheckoutSession, named(tx, sessionId), ANEW);
  }
}

const STATUS_OF = { paid: 'complete', saved: 'complete', expired: 'expired', failed: 'failed' } as const;

const named = (tx: Tx, id: string) => ({ environmentId: tx.scope.environmentId, id });
/** After the lock: what another transaction changed while we waited for it must be seen. */
const ANEW = { refresh: true } as const;

/** The receipt. False when this payment of the gateway was counted before: the unique index decides. */
async function countOnce(tx: Tx, payment: Payment, gatewayPaymentId: string, amount: Decimal): Promise<boolean> {
  const { tenantId, environmentId } = tx.scope;
  const counted = await sql`
    insert into payment_receipt (id, tenant_id, environment_id, payment_id, invoice_id, customer_id,
                                 gateway_payment_id, amount, currency, created_at, updated_at)
    values (${newId('receipt')}, ${tenantId}, ${environmentId}, ${payment.id}, ${payment.invoiceId},
            ${payment.customerId}, ${gatewayPaymentId}, ${amount.toFixed()}, ${payment.currency}, ${tx.now}, ${tx.now})
    on conflict (environment_id, gateway_payment_id) do nothing returning id`.execute(tx.db);
  return counted.rows.length > 0;
}
