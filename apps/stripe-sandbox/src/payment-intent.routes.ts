import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { invalidParameter } from './api-error.js';
import { confirmIntent } from './confirmation.js';
import { matches, page, within } from './listing.js';
import { checkAmount, checkCurrency } from './money.js';
import {
  expand, flag, instants, integer, metadata, metadataPatch, object, oneOf, pagination, patchMetadata, required, text,
  unsupported, url, type Shape,
} from './params.js'; // prettier-ignore
import { cancelIntent, createIntent, openSessionOf, refuseState, unexpectedState } from './payment-intent.js';
import { readyMethod } from './payment-method.js';
import { route } from './route.js';
import { searchIntents } from './search.js';
import { countUpdate } from './update-limit.js';

const common = {
  ...expand,
  payment_method: text(),
  receipt_email: text(),
  setup_future_usage: oneOf('off_session', 'on_session', ''),
};

const confirming = {
  error_on_requires_action: flag(),
  off_session: flag(),
  return_url: url(),
};

const createShape = {
  ...common,
  ...confirming,
  ...unsupported(
    'allowed_payment_method_types amount_details application_fee_amount capture_method confirmation_method confirmation_token',
    'customer_account excluded_payment_method_types hooks mandate mandate_data on_behalf_of payment_details',
    'payment_method_configuration payment_method_data payment_method_options radar_options shipping transfer_data transfer_group use_stripe_sdk',
  ),
  amount: required(integer({ min: 1 })),
  automatic_payment_methods: object<Stripe.PaymentIntentCreateParams.AutomaticPaymentMethods>({
    allow_redirects: oneOf('always', 'never'),
    enabled: required(flag()),
  }),
  confirm: flag(),
  currency: required(text()),
  customer: text(),
  description: text({ max: 1000 }),
  metadata: metadata(),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
} satisfies Shape<Stripe.PaymentIntentCreateParams>;

const updateShape = {
  ...common,
  ...unsupported(
    'allowed_payment_method_types amount_details application_fee_amount capture_method customer_account',
    'excluded_payment_method_types hooks payment_details payment_method_configuration payment_method_data',
    'payment_method_options shipping transfer_data transfer_group',
  ),
  amount: integer({ min: 1 }),
  currency: text(),
  customer: text(),
  description: text({ max: 1000 }),
  metadata: metadataPatch(),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
} satisfies Shape<Stripe.PaymentIntentUpdateParams>;

const confirmShape = {
  ...common,
  ...confirming,
  ...unsupported(
    'allowed_payment_method_types amount_details amount_to_confirm capture_method confirmation_token',
    'excluded_payment_method_types hooks mandate mandate_data payment_details payment_method_data',
    'payment_method_options radar_options shipping use_stripe_sdk',
  ),
} satisfies Shape<Stripe.PaymentIntentConfirmParams>;

const cancelShape = {
  ...expand,
  cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'),
} satisfies Shape<Stripe.PaymentIntentCancelParams>;

const listShape = {
  ...pagination,
  ...unsupported('customer_account'),
  created: instants(),
  customer: text(),
} satisfies Shape<Stripe.PaymentIntentListParams>;

const searchShape = {
  ...expand,
  limit: integer({ min: 1, max: 100 }),
  page: text(),
  query: required(text()),
} satisfies Shape<Stripe.PaymentIntentSearchParams>;

function create(account: Account, params: Stripe.PaymentIntentCreateParams): Stripe.PaymentIntent {
  for (const only of ['off_session', 'error_on_requires_action', 'return_url'] as const) {
    if (params[only] !== undefined && !params.confirm) {
      throw invalidParameter(`You can only provide ${only} when confirm is true.`, only);
    }
  }
  if (params.customer) findCustomer(account, params.customer, 'customer');
  const method = params.payment_method ? readyMethod(account, params.payment_method, 'payment_method') : undefined;
  const intent = createIntent(account, params, method?.id);
  return params.confirm ? confirm(account, { ...params, payment_method: method?.id }, intent.id) : intent;
}

type ConfirmParams = Pick<
  Stripe.PaymentIntentConfirmParams,
  'payment_method' | 'off_session' | 'error_on_requires_action' | 'return_url' | 'receipt_email' | 'setup_future_usage'
>;

function confirm(account: Account, params: ConfirmParams, id: string): Stripe.PaymentIntent {
  const intent = find(account, 'payment_intent', id);
  countUpdate(account, intent);
  refuseSessions(account, intent, 'confirm');
  return confirmIntent(account, intent, {
    payment_method: params.payment_method,
    off_session: Boolean(params.off_session),
    error_on_requires_action: params.error_on_requires_action ?? false,
    return_url: params.return_url,
    receipt_email: params.receipt_email ?? undefined,
    setup_future_usage: params.setup_future_usage ?? undefined,
  });
}

function refuseSessions(account: Account, intent: Stripe.PaymentIntent, verb: string): void {
  const session = openSessionOf(account, intent.id);
  if (!session) return;
  throw unexpectedState(
    intent,
    `You cannot ${verb} the PaymentIntent of an open Checkout Session (${session.id}). Expire the session instead.`,
  );
}

const SETTLED_FIELDS = new Set(['metadata', 'description', 'expand']);

function update(account: Account, params: Stripe.PaymentIntentUpdateParams, id: string): Stripe.PaymentIntent {
  const intent = find(account, 'payment_intent', id);
  countUpdate(account, intent);
  if (Object.keys(params).some((key) => !SETTLED_FIELDS.has(key))) refuseState(intent, 'update');
  if (params.customer) findCustomer(account, params.customer, 'customer');
  const currency = params.currency ? checkCurrency(params.currency) : intent.currency;
  const amount = params.amount ?? intent.amount;
  checkAmount(amount, currency);
  const updated: Stripe.PaymentIntent = {
    ...intent,
    ...changesOf(params),
    amount,
    currency,
    metadata: patchMetadata(intent.metadata, params.metadata),
  };
  if (params.payment_method) {
    updated.payment_method = readyMethod(account, params.payment_method, 'payment_method').id;
    updated.status = 'requires_confirmation';
  }
  account.store.put('payment_intent', updated);
  return updated;
}

function changesOf(params: Stripe.PaymentIntentUpdateParams): Partial<Stripe.PaymentIntent> {
  const changes: Partial<Stripe.PaymentIntent> = {};
  const keys = [
    'customer',
    'description',
    'receipt_email',
    'setup_future_usage',
    'statement_descriptor',
    'statement_descriptor_suffix',
  ] as const;
  for (const key of keys) if (params[key] !== undefined) changes[key] = params[key] || null;
  return changes;
}

export const paymentIntentRoutes = [
  route<Stripe.PaymentIntentCreateParams>('POST', '/v1/payment_intents', createShape, create),
  route<Stripe.PaymentIntentListParams>('GET', '/v1/payment_intents', listShape, (account, wanted) => {
    const rows = account.store
      .all('payment_intent')
      .filter((intent) => within(intent.created, wanted.created) && matches(intent.customer, wanted.customer));
    return page('/v1/payment_intents', rows, wanted);
  }),
  route<Stripe.PaymentIntentSearchParams>('GET', '/v1/payment_intents/search', searchShape, searchIntents),
  route<Stripe.PaymentIntentRetrieveParams>(
    'GET',
    '/v1/payment_intents/:id',
    { ...expand, client_secret: text() },
    (account, _params, id) => find(account, 'payment_intent', id),
  ),
  route<Stripe.PaymentIntentUpdateParams>('POST', '/v1/payment_intents/:id', updateShape, update),
  route<Stripe.PaymentIntentConfirmParams>('POST', '/v1/payment_intents/:id/confirm', confirmShape, confirm),
  route<Stripe.PaymentIntentCancelParams>(
    'POST',
    '/v1/payment_intents/:id/cancel',
    cancelShape,
    (account, params, id) => {
      const intent = find(account, 'payment_intent', id);
      refuseSessions(account, intent, 'cancel');
      return cancelIntent(account, intent, params.cancellation_reason ?? null);
    },
  ),
];
