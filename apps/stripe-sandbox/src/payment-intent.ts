import type Stripe from 'stripe';
import { type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { checkAmount, checkCurrency } from './money.js';
import { newMetadata } from './params.js';

export const STATUSES = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
] as const;
export type Status = (typeof STATUSES)[number];

/** From which states each verb may start. */
const ALLOWED: Record<'confirm' | 'cancel' | 'update', readonly Status[]> = {
  confirm: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
  cancel: ['requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture'],
  update: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
};

export type NewIntent = Pick<
  Stripe.PaymentIntentCreateParams,
  | 'amount'
  | 'currency'
  | 'customer'
  | 'description'
  | 'metadata'
  | 'receipt_email'
  | 'setup_future_usage'
  | 'statement_descriptor'
  | 'statement_descriptor_suffix'
>;

/** What no intent of the sandbox has, or has yet. */
const UNUSED = {
  allowed_payment_method_types: null,
  amount_capturable: 0,
  amount_received: 0,
  application: null,
  application_fee_amount: null,
  canceled_at: null,
  cancellation_reason: null,
  customer_account: null,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: null,
  livemode: false,
  managed_payments: null,
  next_action: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_options: null,
  payment_record: null,
  processing: null,
  review: null,
  shipping: null,
  source: null,
  transfer_group: null,
} satisfies Partial<Stripe.PaymentIntent>;

export function newIntent(account: Account, wanted: NewIntent): Stripe.PaymentIntent {
  const currency = checkCurrency(wanted.currency);
  checkAmount(wanted.amount, currency);
  const id = newId('pi');
  return {
    id,
    object: 'payment_intent',
    ...UNUSED,
    amount: wanted.amount,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    capture_method: 'automatic_async',
    client_secret: newId(`${id}_secret`),
    confirmation_method: 'automatic',
    created: account.clock.now(),
    currency,
    customer: wanted.customer || null,
    description: wanted.description || null,
    metadata: newMetadata(wanted.metadata),
    payment_method: null,
    payment_method_types: ['card'],
    receipt_email: wanted.receipt_email || null,
    setup_future_usage: wanted.setup_future_usage || null,
    statement_descriptor: wanted.statement_descriptor || null,
    statement_descriptor_suffix: wanted.statement_descriptor_suffix || null,
    status: 'requires_payment_method',
  };
}

export function createIntent(account: Account, wanted: NewIntent, method?: string): Stripe.PaymentIntent {
  const intent = newIntent(account, wanted);
  const ready: Stripe.PaymentIntent = method
    ? { ...intent, payment_method: method, status: 'requires_confirmation' }
    : intent;
  account.store.put('payment_intent', ready);
  announce(account, 'payment_intent.created', ready);
  return ready;
}

/** The open session whose payment this intent is, if any: then the session decides, not the API. */
export function openSessionOf(account: Account, intent: string): Stripe.Checkout.Session | undefined {
  return account.store.all('checkout.session').find((one) => one.status === 'open' && one.payment_intent === intent);
}

export function refuseState(intent: Stripe.PaymentIntent, verb: keyof typeof ALLOWED): void {
  if (ALLOWED[verb].includes(intent.status as Status)) return;
  const why =
    verb === 'confirm' && intent.status === 'succeeded'
      ? 'it has already succeeded after being previously confirmed'
      : `it has a status of ${intent.status}`;
  throw unexpectedState(intent, `You cannot ${verb} this PaymentIntent because ${why}.`);
}

export function unexpectedState(intent: Stripe.PaymentIntent, message: string) {
  return invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: intent });
}

export function cancelIntent(
  account: Account,
  intent: Stripe.PaymentIntent,
  reason: Stripe.PaymentIntent.CancellationReason | null,
): Stripe.PaymentIntent {
  refuseState(intent, 'cancel');
  const canceled: Stripe.PaymentIntent = {
    ...intent,
    status: 'canceled',
    canceled_at: account.clock.now(),
    cancellation_reason: reason,
    next_action: null,
  };
  account.store.put('payment_intent', canceled);
  announce(account, 'payment_intent.canceled', canceled);
  return canceled;
}
