import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { setupOutcome, type Decline } from './cards.js';
import { cardError, declineBody } from './decline.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import {
  expand, flag, instants, metadata, newMetadata, object, oneOf, pagination, text, unsupported, url, type Shape,
} from './params.js'; // prettier-ignore
import { attach, cardOf, notOfCustomer, readyMethod, refuseSpent } from './payment-method.js';
import { route } from './route.js';

export interface NewSetup {
  customer?: string;
  description?: string;
  metadata?: Stripe.MetadataParam;
  payment_method?: string;
  usage?: string;
}

const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action'];

/** What no intent of the sandbox has, or has yet. */
const UNUSED = {
  allowed_payment_method_types: null,
  application: null,
  cancellation_reason: null,
  excluded_payment_method_types: null,
  flow_directions: null,
  last_setup_error: null,
  latest_attempt: null,
  livemode: false,
  mandate: null,
  next_action: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_options: null,
  single_use_mandate: null,
} satisfies Partial<Stripe.SetupIntent>;

export function createSetup(account: Account, wanted: NewSetup): Stripe.SetupIntent {
  if (wanted.customer) findCustomer(account, wanted.customer, 'customer');
  const method = wanted.payment_method ? readyMethod(account, wanted.payment_method, 'payment_method') : undefined;
  const id = newId('seti');
  const setup: Stripe.SetupIntent = {
    id,
    object: 'setup_intent',
    ...UNUSED,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    client_secret: newId(`${id}_secret`),
    created: account.clock.now(),
    customer: wanted.customer || null,
    description: wanted.description || null,
    metadata: newMetadata(wanted.metadata),
    payment_method: method?.id ?? null,
    payment_method_types: ['card'],
    status: method ? 'requires_confirmation' : 'requires_payment_method',
    usage: wanted.usage ?? 'off_session',
  };
  account.store.put('setup_intent', setup);
  announce(account, 'setup_intent.created', setup);
  return setup;
}

interface SetupConfirmation {
  payment_method?: string;
  return_url?: string;
  authenticated?: boolean;
}

export function confirmSetup(account: Account, given: Stripe.SetupIntent, how: SetupConfirmation): Stripe.SetupIntent {
  if (!CONFIRMABLE.includes(given.status)) throw unexpected(given, 'confirm');
  const id = how.payment_method ?? (given.payment_method as string | null);
  if (!id) throw unexpected(given, "confirm (it's missing a payment method)");
  const method = readyMethod(account, id, 'payment_method');
  if (method.customer && method.customer !== given.customer) throw notOfCustomer(method.id);
  refuseSpent(account, method);
  const setup: Stripe.SetupIntent = { ...given, payment_method: method.id, next_action: null };
  const outcome = setupOutcome(cardOf(account, method.id), { authenticated: how.authenticated ?? false });
  if (outcome.result === 'declined') return failSetup(account, setup, method, outcome.decline);
  if (outcome.result === 'requires_action') return askForAuthentication(account, setup, how.return_url);
  return succeed(account, setup, method, how.authenticated ?? false);
}

function succeed(
  account: Account,
  setup: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  authenticated: boolean,
): Stripe.SetupIntent {
  const card = cardOf(account, method.id);
  if (setup.customer) attach(account, method, setup.customer as string);
  account.store.put('card', { ...card, set_up: card.set_up || authenticated });
  const done: Stripe.SetupIntent = { ...setup, status: 'succeeded', last_setup_error: null };
  account.store.put('setup_intent', done);
  announce(account, 'setup_intent.succeeded', done);
  return done;
}

function askForAuthentication(
  account: Account,
  setup: Stripe.SetupIntent,
  returnUrl: string | undefined,
): Stripe.SetupIntent {
  const waiting: Stripe.SetupIntent = {
    ...setup,
    status: 'requires_action',
    next_action: returnUrl
      ? {
          type: 'redirect_to_url',
          redirect_to_url: { return_url: returnUrl, url: `${account.publicUrl}/3ds/setup_intent/${setup.id}` },
        }
      : { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } },
  };
  account.store.put('setup_intent', waiting);
  announce(account, 'setup_intent.requires_action', waiting);
  return waiting;
}

function failSetup(account: Account, setup: Stripe.SetupIntent, method: Stripe.PaymentMethod, why: Decline): never {
  const body = declineBody(why, method);
  const failed: Stripe.SetupIntent = {
    ...setup,
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: body,
  };
  account.store.put('setup_intent', failed);
  announce(account, 'setup_intent.setup_failed', failed);
  throw cardError(body, { setup_intent: failed });
}

export function finishSetupAuthentication(
  account: Account,
  setup: Stripe.SetupIntent,
  passed: boolean,
): Stripe.SetupIntent {
  if (passed) return confirmSetup(account, setup, { authenticated: true });
  return failSetup(account, setup, find(account, 'payment_method', setup.payment_method as string), {
    code: 'setup_intent_authentication_failure',
    message:
      'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
  });
}

export function cancelSetup(account: Account, setup: Stripe.SetupIntent, reason: string | null): Stripe.SetupIntent {
  if (!CONFIRMABLE.includes(setup.status)) throw unexpected(setup, 'cancel');
  const canceled: Stripe.SetupIntent = { ...setup, status: 'canceled', cancellation_reason: reason, next_action: null };
  account.store.put('setup_intent', canceled);
  announce(account, 'setup_intent.canceled', canceled);
  return canceled;
}

function unexpected(setup: Stripe.SetupIntent, verb: string) {
  return invalidRequest(`You cannot ${verb} this SetupIntent because it has a status of ${setup.status}.`, {
    code: 'setup_intent_unexpected_state',
    setup_intent: setup,
  });
}

function refuseSessions(account: Account, setup: Stripe.SetupIntent): void {
  const session = account.store
    .all('checkout.session')
    .find((one) => one.setup_intent === setup.id && one.status === 'open');
  if (!session) return;
  throw invalidRequest(
    `This SetupIntent belongs to an open Checkout Session (${session.id}). Expire the session instead.`,
    {
      code: 'setup_intent_unexpected_state',
      setup_intent: setup,
    },
  );
}

const createShape = {
  ...expand,
  ...unsupported(
    'allowed_payment_method_types attach_to_self confirmation_token customer_account excluded_payment_method_types',
    'flow_directions mandate_data on_behalf_of payment_method_configuration payment_method_data payment_method_options',
    'single_use use_stripe_sdk',
  ),
  automatic_payment_methods: object<Stripe.SetupIntentCreateParams.AutomaticPaymentMethods>({
    allow_redirects: oneOf('always', 'never'),
    enabled: { ...flag(), required: true },
  }),
  confirm: flag(),
  customer: text(),
  description: text({ max: 1000 }),
  metadata: metadata(),
  payment_method: text(),
  return_url: url(),
  usage: oneOf('off_session', 'on_session'),
} satisfies Shape<Stripe.SetupIntentCreateParams>;

const confirmShape = {
  ...expand,
  ...unsupported(
    'allowed_payment_method_types confirmation_token mandate_data payment_method_data payment_method_options use_stripe_sdk',
  ),
  payment_method: text(),
  return_url: url(),
} satisfies Shape<Stripe.SetupIntentConfirmParams>;

const cancelShape = {
  ...expand,
  cancellation_reason: oneOf('abandoned', 'duplicate', 'requested_by_customer'),
} satisfies Shape<Stripe.SetupIntentCancelParams>;

const listShape = {
  ...pagination,
  ...unsupported('attach_to_self customer_account'),
  created: instants(),
  customer: text(),
  payment_method: text(),
} satisfies Shape<Stripe.SetupIntentListParams>;

export const setupIntentRoutes = [
  route<Stripe.SetupIntentCreateParams>('POST', '/v1/setup_intents', createShape, (account, params) => {
    const setup = createSetup(account, params);
    return params.confirm ? confirmSetup(account, setup, { return_url: params.return_url }) : setup;
  }),
  route<Stripe.SetupIntentListParams>('GET', '/v1/setup_intents', listShape, (account, wanted) => {
    const rows = account.store
      .all('setup_intent')
      .filter((setup) => within(setup.created, wanted.created) && matches(setup.customer, wanted.customer))
      .filter((setup) => matches(setup.payment_method, wanted.payment_method));
    return page('/v1/setup_intents', rows, wanted);
  }),
  route<Stripe.SetupIntentRetrieveParams>(
    'GET',
    '/v1/setup_intents/:id',
    { ...expand, client_secret: text() },
    (account, _params, id) => find(account, 'setup_intent', id),
  ),
  route<Stripe.SetupIntentConfirmParams>(
    'POST',
    '/v1/setup_intents/:id/confirm',
    confirmShape,
    (account, params, id) => {
      const setup = find(account, 'setup_intent', id);
      refuseSessions(account, setup);
      return confirmSetup(account, setup, params);
    },
  ),
  route<Stripe.SetupIntentCancelParams>('POST', '/v1/setup_intents/:id/cancel', cancelShape, (account, params, id) => {
    const setup = find(account, 'setup_intent', id);
    refuseSessions(account, setup);
    return cancelSetup(account, setup, params.cancellation_reason ?? null);
  }),
];
