import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { invalidParameter, invalidRequest } from './api-error.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { page } from './listing.js';
import { checkAmount, checkCurrency } from './money.js';
import { newMetadata } from './params.js';
import { cancelIntent } from './payment-intent.js';
import { cancelSetup, createSetup } from './setup-intent.js';

type Params = Stripe.Checkout.SessionCreateParams;

const SHORTEST = 30 * 60;
const LONGEST = 24 * 3600;

/** What every new session has, asked or not. */
const BLANK = {
  object: 'checkout.session',
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer_account: null,
  discounts: [],
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  managed_payments: null,
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: 'if_required',
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card'],
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  subscription: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<Stripe.Checkout.Session>;

export function createSession(account: Account, params: Params): Stripe.Checkout.Session {
  const mode = params.mode === 'setup' ? 'setup' : 'payment';
  if (params.customer && params.customer_email) {
    throw invalidRequest('You may only specify one of these parameters: customer, customer_email.', {
      code: 'parameters_exclusive',
    });
  }
  const customer = params.customer ? findCustomer(account, params.customer, 'customer') : undefined;
  const items = mode === 'payment' ? lineItems(params) : [];
  const currency = currencyOf(params, items);
  const total = mode === 'payment' ? items.reduce((sum, item) => sum + item.amount_total, 0) : null;
  if (total !== null) checkAmount(total, currency, 'line_items');
  const setup = mode === 'setup' ? createSetup(account, { ...params.setup_intent_data, customer: customer?.id }) : null;
  const id = newId('cs_test', 58);
  const session: Stripe.Checkout.Session = {
    ...BLANK,
    id,
    created: account.clock.now(),
    url: `${account.publicUrl}/c/pay/${id}`,
    amount_subtotal: total,
    amount_total: total,
    ...asGiven(params),
    currency,
    customer: customer?.id ?? null,
    customer_creation: mode === 'payment' && !customer ? (params.customer_creation ?? 'if_required') : null,
    customer_details: detailsOf(customer, params.customer_email),
    expires_at: expiry(account, params.expires_at),
    mode,
    payment_status: mode === 'payment' ? 'unpaid' : 'no_payment_required',
    setup_intent: setup?.id ?? null,
  };
  account.store.put('checkout.session', session);
  account.store.put('checkout_plan', {
    id: session.id,
    items,
    payment: params.payment_intent_data ?? {},
    customer_creation: params.customer_creation === 'always' ? 'always' : 'if_required',
  });
  return session;
}

function asGiven(params: Params) {
  return {
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url || null,
    client_reference_id: params.client_reference_id || null,
    customer_email: params.customer_email || null,
    locale: params.locale ?? null,
    metadata: newMetadata(params.metadata),
    submit_type: params.submit_type ?? null,
    success_url: params.success_url ?? null,
  } satisfies Partial<Stripe.Checkout.Session>;
}

function currencyOf(params: Params, items: Stripe.LineItem[]): string {
  const currency = items[0]?.currency ?? params.currency;
  if (!currency)
    throw invalidParameter('Missing required param: currency (mode setup).', 'currency', 'parameter_missing');
  if (items.some((item) => item.currency !== currency)) {
    throw invalidRequest('All line items must have the same currency.', { param: 'line_items' });
  }
  return checkCurrency(currency);
}

function lineItems(params: Params): Stripe.LineItem[] {
  if (!params.line_items?.length) {
    throw invalidParameter('Missing required param: line_items.', 'line_items', 'parameter_missing');
  }
  return params.line_items.map((item, index) => {
    const price = item.price_data;
    if (!price)
      throw invalidParameter(
        `Missing required param: line_items[${index}][price_data].`,
        `line_items[${index}][price_data]`,
        'parameter_missing',
      );
    return lineItem(price, item, index);
  });
}

function lineItem(
  price: Stripe.Checkout.SessionCreateParams.LineItem.PriceData,
  item: Stripe.Checkout.SessionCreateParams.LineItem,
  index: number,
): Stripe.LineItem {
  const currency = checkCurrency(price.currency, `line_items[${index}][price_data][currency]`);
  const unit = price.unit_amount ?? 0;
  const quantity = item.quantity ?? 0;
  const product = newId('prod', 14);
  return {
    id: newId('li'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: unit * quantity,
    amount_tax: 0,
    amount_total: unit * quantity,
    currency,
    description: price.product_data?.name ?? null,
    metadata: newMetadata(item.metadata),
    price: inlinePrice({ currency, unit, product }),
    quantity,
  };
}

function inlinePrice({ currency, unit, product }: { currency: string; unit: number; product: string }): Stripe.Price {
  return {
    id: newId('price'),
    object: 'price',
    active: false,
    billing_scheme: 'per_unit',
    created: 0,
    currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product,
    recurring: null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'one_time',
    unit_amount: unit,
    // The client reads decimals from strings; this is the wire.
    unit_amount_decimal: String(unit) as unknown as Stripe.Decimal,
  };
}

function expiry(account: Account, wanted: number | undefined): number {
  const now = account.clock.now();
  if (wanted === undefined) return now + LONGEST;
  if (wanted < now + SHORTEST) {
    throw invalidParameter(
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
      'expires_at',
    );
  }
  if (wanted > now + LONGEST) {
    throw invalidParameter(
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
      'expires_at',
    );
  }
  return wanted;
}

export function detailsOf(
  customer: Stripe.Customer | undefined,
  email: string | null | undefined,
): Stripe.Checkout.Session.CustomerDetails | null {
  if (!customer && !email) return null;
  return {
    address: customer?.address ?? null,
    business_name: null,
    email: customer?.email ?? email ?? null,
    individual_name: null,
    name: customer?.name ?? null,
    phone: customer?.phone ?? null,
    tax_exempt: 'none',
    tax_ids: [],
  };
}

export function planOf(account: Account, session: string) {
  const plan = account.store.get('checkout_plan', session);
  if (!plan) throw new Error(`session ${session} has no plan`);
  return plan;
}

export function lineItemsOf(
  account: Account,
  session: Stripe.Checkout.Session,
  wanted: { limit?: number; starting_after?: string; ending_before?: string },
): Stripe.ApiList<Stripe.LineItem> {
  return page(`/v1/checkout/sessions/${session.id}/line_items`, planOf(account, session.id).items.toReversed(), wanted);
}

/** Closes an open session unpaid; what it had begun is canceled with it. */
export function expireSession(account: Account, session: Stripe.Checkout.Session): Stripe.Checkout.Session {
  if (session.status !== 'open') {
    throw invalidRequest(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
    );
  }
  const expired: Stripe.Checkout.Session = { ...session, status: 'expired', url: null };
  account.store.put('checkout.session', expired);
  if (session.payment_intent) {
    const intent = find(account, 'payment_intent', session.payment_intent as string);
    if (intent.status !== 'canceled' && intent.status !== 'succeeded') cancelIntent(account, intent, 'automatic');
  }
  if (session.setup_intent)
    cancelSetup(account, find(account, 'setup_intent', session.setup_intent as string), 'abandoned');
  announce(account, 'checkout.session.expired', expired);
  return expired;
}

/** Sessions whose time has come, closed as of now. */
export function expireDue(account: Account): void {
  const now = account.clock.now();
  const due = account.store.all('checkout.session').filter((one) => one.status === 'open' && one.expires_at <= now);
  if (due.length === 0) return;
  account.store.write({ by: 'time' }, () => due.forEach((session) => expireSession(account, session)));
}
