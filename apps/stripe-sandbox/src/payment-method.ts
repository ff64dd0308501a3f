import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { testCard } from './cards.js';
import { addressShape, fullAddress } from './address.js';
import { announce, differences } from './event.js';
import { newId } from './identifier.js';
import { matches, page } from './listing.js';
import {
  expand, integer, metadataPatch, object, oneOf, pagination, patchMetadata, required, text, unsupported, type Shape,
} from './params.js'; // prettier-ignore
import { route } from './route.js';
import type { CardOnFile } from './tables.js';

export interface CardDetails {
  number: string;
  exp_month?: number;
  exp_year?: number;
  name?: string | null;
  email?: string | null;
}

const SPENT =
  'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected ' +
  'account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod ' +
  'multiple times, you must attach it to a Customer first.';

export function createMethod(account: Account, details: CardDetails): Stripe.PaymentMethod {
  const brand = details.number.startsWith('5') ? 'mastercard' : 'visa';
  const method: Stripe.PaymentMethod = {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: {
      address: fullAddress({}),
      email: details.email ?? null,
      name: details.name ?? null,
      phone: null,
      tax_id: null,
    },
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: brand,
      exp_month: details.exp_month ?? 12,
      exp_year: details.exp_year ?? account.clock.year() + 3,
      fingerprint: `sandbox${details.number.slice(-9)}`,
      funding: 'credit',
      generated_from: null,
      last4: details.number.slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: account.clock.now(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  };
  account.store.put('payment_method', method);
  account.store.put('card', { id: method.id, number: details.number, set_up: false, spent: false });
  return method;
}

/** A test id (`pm_card_visa`) stands for a fresh copy; any other id must exist. */
export function readyMethod(account: Account, id: string, param?: string): Stripe.PaymentMethod {
  const card = testCard(id);
  return card?.id === id ? createMethod(account, { number: card.number }) : find(account, 'payment_method', id, param);
}

export function cardOf(account: Account, method: string): CardOnFile {
  const card = account.store.get('card', method);
  if (!card) throw new Error(`payment method ${method} has no card`);
  return card;
}

export function refuseSpent(account: Account, method: Stripe.PaymentMethod): void {
  if (cardOf(account, method.id).spent) throw invalidRequest(SPENT, { code: 'payment_method_unexpected_state' });
}

export function notOfCustomer(method: string, param = 'payment_method') {
  const message = `The customer does not have a payment method with the ID ${method}. The payment method must be attached to the customer.`;
  return invalidRequest(message, { code: 'resource_missing', param });
}

export function methodsOf(account: Account, customer: string): Stripe.PaymentMethod[] {
  return account.store.all('payment_method').filter((method) => method.customer === customer);
}

export function attach(account: Account, method: Stripe.PaymentMethod, customer: string): Stripe.PaymentMethod {
  if (method.customer === customer) return method;
  if (method.customer) throw invalidRequest('The payment method you provided has already been attached to a customer.');
  refuseSpent(account, method);
  const attached = { ...method, customer };
  account.store.put('payment_method', attached);
  announce(account, 'payment_method.attached', attached);
  return attached;
}

export function detach(account: Account, method: Stripe.PaymentMethod): Stripe.PaymentMethod {
  if (!method.customer) {
    throw invalidRequest('The payment method you provided is not attached to a customer so detachment is impossible.');
  }
  const customer = account.store.get('customer', method.customer as string);
  const detached = { ...method, customer: null };
  account.store.put('payment_method', detached);
  account.store.put('card', { ...cardOf(account, method.id), spent: true });
  if (customer && !customer.deleted && customer.invoice_settings.default_payment_method === method.id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null };
    const without = { ...customer, invoice_settings: settings };
    account.store.put('customer', without);
    announce(account, 'customer.updated', without, { invoice_settings: customer.invoice_settings });
  }
  announce(account, 'payment_method.detached', detached, { customer: method.customer });
  return detached;
}

const attachShape = {
  ...expand,
  ...unsupported('customer_account'),
  customer: required(text()),
} satisfies Shape<Stripe.PaymentMethodAttachParams>;

const listShape = {
  ...pagination,
  ...unsupported('allow_redisplay customer_account'),
  customer: text(),
  type: text(),
} satisfies Shape<Stripe.PaymentMethodListParams>;

const updateShape = {
  ...expand,
  ...unsupported('us_bank_account'),
  allow_redisplay: oneOf('always', 'limited', 'unspecified'),
  billing_details: object<Stripe.PaymentMethodUpdateParams.BillingDetails>({
    ...unsupported('tax_id'),
    address: object<Stripe.AddressParam>(addressShape),
    email: text(),
    name: text(),
    phone: text(),
  }),
  card: object<Stripe.PaymentMethodUpdateParams.Card>({
    ...unsupported('networks'),
    exp_month: integer({ min: 1, max: 12 }),
    exp_year: integer({ min: 2000, max: 2100 }),
  }),
  metadata: metadataPatch(),
} satisfies Shape<Stripe.PaymentMethodUpdateParams>;

function updateMethod(account: Account, params: Stripe.PaymentMethodUpdateParams, id: string): Stripe.PaymentMethod {
  const before = find(account, 'payment_method', id);
  if (!before.customer)
    throw invalidRequest('You must save this PaymentMethod to a customer before you can update it.');
  const { exp_month: month, exp_year: year } = params.card ?? {};
  const after: Stripe.PaymentMethod = {
    ...before,
    allow_redisplay: params.allow_redisplay ?? before.allow_redisplay,
    billing_details: billingDetails(before.billing_details, params.billing_details ?? {}),
    metadata: patchMetadata(before.metadata, params.metadata),
  };
  if (before.card) {
    after.card = { ...before.card, exp_month: month ?? before.card.exp_month, exp_year: year ?? before.card.exp_year };
  }
  account.store.put('payment_method', after);
  announce(account, 'payment_method.updated', after, differences(before, after));
  return after;
}

function billingDetails(
  before: Stripe.PaymentMethod.BillingDetails,
  given: Stripe.PaymentMethodUpdateParams.BillingDetails,
): Stripe.PaymentMethod.BillingDetails {
  const after = { ...before };
  for (const key of ['email', 'name', 'phone'] as const) if (given[key] !== undefined) after[key] = given[key] || null;
  if (given.address) after.address = fullAddress(given.address);
  return after;
}

export const paymentMethodRoutes = [
  route<Stripe.PaymentMethodListParams>('GET', '/v1/payment_methods', listShape, (account, wanted) => {
    if (wanted.customer) findCustomer(account, wanted.customer, 'customer');
    const rows = account.store
      .all('payment_method')
      .filter((method) => matches(method.customer, wanted.customer) && matches<string>(method.type, wanted.type));
    return page('/v1/payment_methods', rows, wanted);
  }),
  route<Stripe.PaymentMethodRetrieveParams>('GET', '/v1/payment_methods/:id', expand, (account, _params, id) =>
    find(account, 'payment_method', id),
  ),
  route<Stripe.PaymentMethodUpdateParams>('POST', '/v1/payment_methods/:id', updateShape, updateMethod),
  route<Stripe.PaymentMethodAttachParams>(
    'POST',
    '/v1/payment_methods/:id/attach',
    attachShape,
    (account, params, id) => {
      const customer = findCustomer(account, params.customer ?? '', 'customer');
      return attach(account, readyMethod(account, id), customer.id);
    },
  ),
  route<Stripe.PaymentMethodDetachParams>('POST', '/v1/payment_methods/:id/detach', expand, (account, _params, id) =>
    detach(account, find(account, 'payment_method', id)),
  ),
];
