import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { ApiError, invalidRequest, type ErrorBody } from './api-error.js';
import { detailsOf, planOf } from './checkout-session.js';
import { confirmIntent, finishAuthentication, settleIntent } from './confirmation.js';
import { createCustomer } from './customer.js';
import { announce } from './event.js';
import { createIntent } from './payment-intent.js';
import { createMethod, type CardDetails } from './payment-method.js';
import { confirmSetup, finishSetupAuthentication } from './setup-intent.js';

type Session = Stripe.Checkout.Session;

/** How one press of the button ended. */
export type Paid =
  | { result: 'complete'; session: Session }
  | { result: 'requires_action'; session: Session }
  | { result: 'declined'; session: Session; error: ErrorBody };

/** The buyer presses Pay (or Save card) on an open session. Runs inside a unit of change. */
export function pay(account: Account, given: Session, card: CardDetails): Paid {
  refuseClosed(given);
  const session: Session = { ...given, customer_details: given.customer_details ?? detailsOf(undefined, card.email) };
  account.store.put('checkout.session', session);
  const method = createMethod(account, card);
  if (session.mode === 'setup') {
    const setup = find(account, 'setup_intent', session.setup_intent as string);
    return outcome(account, session, () => confirmSetup(account, setup, { payment_method: method.id }).status);
  }
  const begun = withIntent(account, session, card);
  const intent = find(account, 'payment_intent', begun.payment_intent as string);
  return outcome(account, begun, () => confirmIntent(account, intent, { payment_method: method.id }).status);
}

/** The buyer comes back from the 3-D Secure step. */
export function authenticate(account: Account, session: Session, passed: boolean): Paid {
  refuseClosed(session);
  if (session.mode === 'setup') {
    const setup = find(account, 'setup_intent', session.setup_intent as string);
    return outcome(account, session, () => finishSetupAuthentication(account, setup, passed).status);
  }
  const intent = find(account, 'payment_intent', (session.payment_intent ?? '') as string);
  return outcome(account, session, () => finishAuthentication(account, intent, passed).status);
}

function refuseClosed(session: Session): void {
  if (session.status !== 'open') throw invalidRequest(`This Checkout Session is ${session.status}.`);
}

/** The PaymentIntent is made at the first confirmation; a second try after a decline uses the same one. */
function withIntent(account: Account, session: Session, card: CardDetails): Session {
  if (session.payment_intent) return session;
  const { payment, customer_creation: creation } = planOf(account, session.id);
  const needsCustomer = creation === 'always' || payment.setup_future_usage !== undefined;
  const customer =
    (session.customer as string | null) ??
    (needsCustomer ? createCustomer(account, { email: emailOf(session, card) ?? '', name: card.name ?? '' }).id : null);
  const intent = createIntent(account, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? '',
    ...(customer && { customer }),
    description: payment.description,
    metadata: payment.metadata,
    receipt_email: payment.receipt_email,
    setup_future_usage: payment.setup_future_usage,
    statement_descriptor: payment.statement_descriptor,
    statement_descriptor_suffix: payment.statement_descriptor_suffix,
  });
  const begun: Session = { ...session, payment_intent: intent.id, customer };
  account.store.put('checkout.session', begun);
  return begun;
}

function emailOf(session: Session, card: CardDetails): string | null {
  return session.customer_details?.email ?? session.customer_email ?? card.email ?? null;
}

function outcome(account: Account, session: Session, attempt: () => string): Paid {
  try {
    const status = attempt();
    if (status === 'requires_action') return { result: 'requires_action', session };
    return { result: 'complete', session: complete(account, session, status) };
  } catch (error) {
    if (error instanceof ApiError && error.traits.keepsEffects)
      return { result: 'declined', session, error: error.body };
    throw error;
  }
}

function complete(account: Account, session: Session, status: string): Session {
  const customer = session.customer ? findCustomer(account, session.customer as string) : undefined;
  const paid = status === 'processing' ? 'unpaid' : 'paid';
  const done: Session = {
    ...session,
    customer_details: detailsOf(customer, session.customer_email) ?? session.customer_details,
    payment_status: session.mode === 'setup' ? 'no_payment_required' : paid,
    status: 'complete',
    url: null,
  };
  account.store.put('checkout.session', done);
  announce(account, 'checkout.session.completed', done);
  return done;
}

/** A delayed payment ends; the session it came from hears of it. */
export function settle(
  account: Account,
  intent: Stripe.PaymentIntent,
  how: 'succeeded' | 'failed',
): Stripe.PaymentIntent {
  const settled = settleIntent(account, intent, how);
  const session = account.store.all('checkout.session').find((one) => one.payment_intent === intent.id);
  if (!session) return settled;
  if (how === 'failed') {
    announce(account, 'checkout.session.async_payment_failed', session);
    return settled;
  }
  const paid: Session = { ...session, payment_status: 'paid' };
  account.store.put('checkout.session', paid);
  announce(account, 'checkout.session.async_payment_succeeded', paid);
  return settled;
}
