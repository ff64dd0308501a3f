import type Stripe from 'stripe';
import { find, findCustomer, type Account } from './account.js';
import { addressShape, fullAddress } from './address.js';
import { announce, differences } from './event.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import {
  expand, instants, metadata, metadataPatch, newMetadata, object, oneOf, list, pagination, patchMetadata, text, unsupported, type Shape,
} from './params.js'; // prettier-ignore
import { attach, detach, methodsOf, notOfCustomer, readyMethod } from './payment-method.js';
import { route } from './route.js';

const common = {
  ...expand,
  ...unsupported(
    'balance business_name cash_balance individual_name invoice_prefix next_invoice_sequence source tax validate shipping',
  ),
  address: object<Stripe.AddressParam>(addressShape),
  description: text(),
  email: text({ max: 512 }),
  name: text({ max: 256 }),
  phone: text({ max: 20 }),
  preferred_locales: list(text()),
  tax_exempt: oneOf('exempt', 'none', 'reverse'),
  invoice_settings: object<Stripe.CustomerUpdateParams.InvoiceSettings>({
    ...unsupported('custom_fields footer rendering_options'),
    default_payment_method: text(),
  }),
};

const createShape = {
  ...common,
  ...unsupported('tax_id_data test_clock'),
  metadata: metadata(),
  payment_method: text(),
} satisfies Shape<Stripe.CustomerCreateParams>;

const updateShape = {
  ...common,
  ...unsupported('default_source'),
  metadata: metadataPatch(),
} satisfies Shape<Stripe.CustomerUpdateParams>;

const listShape = {
  ...pagination,
  ...unsupported('test_clock'),
  created: instants(),
  email: text(),
} satisfies Shape<Stripe.CustomerListParams>;

const methodListShape = {
  ...pagination,
  allow_redisplay: oneOf('always', 'limited', 'unspecified'),
  type: text(),
} satisfies Shape<Stripe.CustomerListPaymentMethodsParams>;

export function createCustomer(account: Account, params: Stripe.CustomerCreateParams): Stripe.Customer {
  const customer: Stripe.Customer = {
    id: newId('cus', 14),
    object: 'customer',
    address: null,
    balance: 0,
    created: account.clock.now(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: newId('', 8).slice(1).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: newMetadata(params.metadata),
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  };
  const { payment_method: method, ...details } = params;
  const { invoice_settings: settings, ...plain } = details;
  const created = { ...customer, ...changesOf(plain) };
  account.store.put('customer', created);
  announce(account, 'customer.created', created);
  if (method) attach(account, readyMethod(account, method, 'payment_method'), created.id);
  return settings?.default_payment_method
    ? updateCustomer(account, { invoice_settings: settings }, created.id)
    : created;
}

type Details = Omit<Stripe.CustomerUpdateParams, 'metadata' | 'invoice_settings'>;

function changesOf(given: Details): Partial<Stripe.Customer> {
  const { address, tax_exempt: exempt, preferred_locales: locales } = given;
  const changes: Partial<Stripe.Customer> = {};
  for (const key of ['description', 'email', 'name', 'phone'] as const) {
    if (given[key] !== undefined) changes[key] = given[key] || null;
  }
  if (address) changes.address = fullAddress(address);
  if (exempt) changes.tax_exempt = exempt;
  if (locales) changes.preferred_locales = locales;
  return changes;
}

function updateCustomer(account: Account, params: Stripe.CustomerUpdateParams, id: string): Stripe.Customer {
  const before = findCustomer(account, id);
  const { metadata: patch, invoice_settings: settings, ...details } = params;
  const after: Stripe.Customer = {
    ...before,
    ...changesOf(details),
    metadata: patchMetadata(before.metadata, patch),
  };
  if (settings?.default_payment_method !== undefined) {
    const method = settings.default_payment_method || null;
    if (method) findOwnMethod(account, method, id);
    after.invoice_settings = { ...before.invoice_settings, default_payment_method: method };
  }
  account.store.put('customer', after);
  const changed = differences(before, after);
  if (Object.keys(changed).length > 0) announce(account, 'customer.updated', after, changed);
  return after;
}

function findOwnMethod(account: Account, method: string, customer: string): void {
  const param = 'invoice_settings[default_payment_method]';
  if (find(account, 'payment_method', method, param).customer !== customer) throw notOfCustomer(method, param);
}

/** Its payment methods go with it; the id stays readable as a gravestone. */
function deleteCustomer(account: Account, _params: object, id: string): Stripe.DeletedCustomer {
  const customer = findCustomer(account, id);
  for (const method of methodsOf(account, id)) detach(account, method);
  const deleted: Stripe.DeletedCustomer = { id, object: 'customer', deleted: true };
  account.store.put('customer', deleted);
  announce(account, 'customer.deleted', customer);
  return deleted;
}

function listCustomers(account: Account, wanted: Stripe.CustomerListParams): object {
  const rows = account.store
    .all('customer')
    .filter((row): row is Stripe.Customer => !row.deleted)
    .filter((row) => within(row.created, wanted.created) && matches(row.email, wanted.email));
  return page('/v1/customers', rows, wanted);
}

export const customerRoutes = [
  route<Stripe.CustomerCreateParams>('POST', '/v1/customers', createShape, createCustomer),
  route<Stripe.CustomerListParams>('GET', '/v1/customers', listShape, listCustomers),
  route<Stripe.CustomerRetrieveParams>('GET', '/v1/customers/:id', expand, (account, _params, id) =>
    find(account, 'customer', id),
  ),
  route<Stripe.CustomerUpdateParams>('POST', '/v1/customers/:id', updateShape, updateCustomer),
  route<Stripe.CustomerDeleteParams>('DELETE', '/v1/customers/:id', {}, deleteCustomer),
  route<Stripe.CustomerListPaymentMethodsParams>(
    'GET',
    '/v1/customers/:id/payment_methods',
    methodListShape,
    (account, wanted, id) => {
      findCustomer(account, id);
      const rows = methodsOf(account, id).filter((method) => matches<string>(method.type, wanted.type));
      return page(`/v1/customers/${id}/payment_methods`, rows, wanted);
    },
  ),
];
