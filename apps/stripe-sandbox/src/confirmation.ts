import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import { AUTHENTICATION_REQUIRED, chargeOutcome, type Decline } from './cards.js';
import { createCharge } from './charge.js';
import { cardError, declineBody } from './decline.js';
import { openDispute } from './dispute.js';
import { announce } from './event.js';
import { refuseState, unexpectedState } from './payment-intent.js';
import { attach, cardOf, notOfCustomer, readyMethod, refuseSpent } from './payment-method.js';

export interface Confirmation {
  payment_method?: string;
  off_session?: boolean;
  error_on_requires_action?: boolean;
  return_url?: string;
  receipt_email?: string;
  setup_future_usage?: Stripe.PaymentIntent.SetupFutureUsage | '';
  /** Its holder has just passed 3-D Secure (hosted page). */
  authenticated?: boolean;
}

/** Throws the intent at its card: a new state of the intent, or the 402 that tells why not. */
export function confirmIntent(account: Account, given: Stripe.PaymentIntent, how: Confirmation): Stripe.PaymentIntent {
  refuseState(given, 'confirm');
  const method = usableMethod(account, given, how.payment_method);
  const intent: Stripe.PaymentIntent = {
    ...given,
    payment_method: method.id,
    next_action: null,
    receipt_email: how.receipt_email === undefined ? given.receipt_email : how.receipt_email || null,
    setup_future_usage:
      how.setup_future_usage === undefined ? given.setup_future_usage : how.setup_future_usage || null,
  };
  const card = cardOf(account, method.id);
  const outcome = chargeOutcome(card, { present: !how.off_session, authenticated: how.authenticated ?? false });
  switch (outcome.result) {
    case 'succeeded':
      return succeed(account, intent, method, {
        authenticated: how.authenticated ?? false,
        disputed: outcome.disputed,
      });
    case 'processing':
      return process(account, intent, method);
    case 'declined':
      return decline(account, intent, method, outcome.decline);
    case 'requires_action':
      if (how.error_on_requires_action) return decline(account, intent, method, AUTHENTICATION_REQUIRED);
      return askForAuthentication(account, intent, how.return_url);
  }
}

function usableMethod(
  account: Account,
  intent: Stripe.PaymentIntent,
  wanted: string | undefined,
): Stripe.PaymentMethod {
  const id = wanted ?? (intent.payment_method as string | null);
  if (!id) {
    throw unexpectedState(
      intent,
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent " +
        'with a payment method and then confirm it again, or confirm it again directly with a payment method.',
    );
  }
  const method = readyMethod(account, id, 'payment_method');
  if (method.customer && method.customer !== intent.customer) throw notOfCustomer(method.id);
  refuseSpent(account, method);
  return method;
}

function succeed(
  account: Account,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  { authenticated, disputed }: { authenticated: boolean; disputed: boolean },
): Stripe.PaymentIntent {
  const charge = createCharge(account, intent, method, { status: 'succeeded' });
  const paid: Stripe.PaymentIntent = {
    ...intent,
    status: 'succeeded',
    amount_received: intent.amount,
    latest_charge: charge.id,
    last_payment_error: null,
    processing: null,
  };
  account.store.put('payment_intent', paid);
  announce(account, 'payment_intent.succeeded', paid);
  keepOrSpend(account, paid, method, authenticated);
  if (disputed) openDispute(account, charge, { reason: 'fraudulent' });
  return paid;
}

/** A card used with `setup_future_usage` is saved to the customer; one used without a customer is used up. */
function keepOrSpend(
  account: Account,
  paid: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  authenticated: boolean,
): void {
  const card = cardOf(account, method.id);
  if (paid.setup_future_usage && paid.customer) {
    attach(account, method, paid.customer as string);
    account.store.put('card', { ...card, set_up: card.set_up || authenticated });
  } else if (!method.customer) {
    account.store.put('card', { ...card, spent: true });
  }
}

function process(account: Account, intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod): Stripe.PaymentIntent {
  const charge = createCharge(account, intent, method, { status: 'pending' });
  const processing: Stripe.PaymentIntent = {
    ...intent,
    status: 'processing',
    latest_charge: charge.id,
    last_payment_error: null,
    processing: { type: 'card', card: {} },
  };
  account.store.put('payment_intent', processing);
  announce(account, 'payment_intent.processing', processing);
  return processing;
}

function decline(account: Account, intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod, why: Decline): never {
  const charge = createCharge(account, intent, method, { status: 'failed', decline: why });
  const body = declineBody(why, method, charge);
  const failed = failedIntent(intent, body, charge.id);
  account.store.put('payment_intent', failed);
  announce(account, 'payment_intent.payment_failed', failed);
  throw cardError(body, { payment_intent: failed });
}

function failedIntent(
  intent: Stripe.PaymentIntent,
  error: ReturnType<typeof declineBody>,
  charge: string | null,
): Stripe.PaymentIntent {
  return {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    last_payment_error: error,
    latest_charge: charge,
    next_action: null,
    processing: null,
  };
}

function askForAuthentication(
  account: Account,
  intent: Stripe.PaymentIntent,
  returnUrl: string | undefined,
): Stripe.PaymentIntent {
  const waiting: Stripe.PaymentIntent = {
    ...intent,
    status: 'requires_action',
    next_action: returnUrl
      ? {
          type: 'redirect_to_url',
          redirect_to_url: { return_url: returnUrl, url: `${account.publicUrl}/3ds/payment_intent/${intent.id}` },
        }
      : { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } },
  };
  account.store.put('payment_intent', waiting);
  announce(account, 'payment_intent.requires_action', waiting);
  return waiting;
}

/** The end of the 3-D Secure step: the charge is thrown after all, or fails for want of proof. */
export function finishAuthentication(
  account: Account,
  intent: Stripe.PaymentIntent,
  passed: boolean,
): Stripe.PaymentIntent {
  if (passed) return confirmIntent(account, intent, { authenticated: true });
  const method = find(account, 'payment_method', intent.payment_method as string);
  const body = declineBody(AUTHENTICATION_FAILED, method);
  const failed = failedIntent(
    intent,
    { ...body, type: 'invalid_request_error' },
    intent.latest_charge as string | null,
  );
  account.store.put('payment_intent', failed);
  announce(account, 'payment_intent.payment_failed', failed);
  throw cardError(body, { payment_intent: failed });
}

const AUTHENTICATION_FAILED: Decline = {
  code: 'payment_intent_authentication_failure',
  message: 'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
};

/** A delayed method ends: the money came, or it did not. */
export function settleIntent(
  account: Account,
  intent: Stripe.PaymentIntent,
  outcome: 'succeeded' | 'failed',
): Stripe.PaymentIntent {
  if (intent.status !== 'processing') throw unexpectedState(intent, 'Only a processing PaymentIntent can be settled.');
  const charge = find(account, 'charge', intent.latest_charge as string);
  const method = find(account, 'payment_method', charge.payment_method ?? '');
  if (outcome === 'succeeded') {
    const captured: Stripe.Charge = { ...charge, status: 'succeeded', captured: true, amount_captured: charge.amount };
    account.store.put('charge', captured);
    announce(account, 'charge.succeeded', captured);
    const paid: Stripe.PaymentIntent = {
      ...intent,
      status: 'succeeded',
      amount_received: intent.amount,
      processing: null,
    };
    account.store.put('payment_intent', paid);
    announce(account, 'payment_intent.succeeded', paid);
    keepOrSpend(account, paid, method, false);
    return paid;
  }
  const why: Decline = { code: 'payment_intent_payment_attempt_failed', message: 'The payment failed.' };
  const failedCharge: Stripe.Charge = {
    ...charge,
    status: 'failed',
    paid: false,
    failure_code: why.code,
    failure_message: why.message,
  };
  account.store.put('charge', failedCharge);
  announce(account, 'charge.failed', failedCharge);
  const failed = failedIntent(intent, declineBody(why, method, failedCharge), charge.id);
  account.store.put('payment_intent', failed);
  announce(account, 'payment_intent.payment_failed', failed);
  return failed;
}
