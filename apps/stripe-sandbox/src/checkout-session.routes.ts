import type Stripe from 'stripe';
import { find } from './account.js';
import { createSession, expireSession, lineItemsOf } from './checkout-session.js';
import { matches, page, within } from './listing.js';
import {
  expand, instants, integer, list, metadata, object, oneOf, pagination, required, text, unsupported, url, type Shape,
} from './params.js'; // prettier-ignore
import { route } from './route.js';

type Params = Stripe.Checkout.SessionCreateParams;

const priceShape = {
  ...unsupported('product recurring unit_amount_decimal'),
  currency: required(text()),
  product_data: required(
    object<Stripe.Checkout.SessionCreateParams.LineItem.PriceData.ProductData>({
      ...unsupported('tax_code tax_details'),
      description: text(),
      images: list(url()),
      metadata: metadata(),
      name: required(text({ max: 1500 })),
      unit_label: text(),
    }),
  ),
  tax_behavior: oneOf('exclusive', 'inclusive', 'unspecified'),
  unit_amount: required(integer({ min: 0 })),
} satisfies Shape<Stripe.Checkout.SessionCreateParams.LineItem.PriceData>;

const itemShape = {
  ...unsupported('adjustable_quantity price tax_rates'),
  metadata: metadata(),
  price_data: required(object<Stripe.Checkout.SessionCreateParams.LineItem.PriceData>(priceShape)),
  quantity: required(integer({ min: 1 })),
} satisfies Shape<Stripe.Checkout.SessionCreateParams.LineItem>;

const paymentShape = {
  ...unsupported('application_fee_amount capture_method on_behalf_of shipping transfer_data transfer_group'),
  description: text({ max: 1000 }),
  metadata: metadata(),
  receipt_email: text(),
  setup_future_usage: oneOf('off_session', 'on_session'),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
} satisfies Shape<Stripe.Checkout.SessionCreateParams.PaymentIntentData>;

const setupShape = {
  ...unsupported('on_behalf_of'),
  description: text({ max: 1000 }),
  metadata: metadata(),
} satisfies Shape<Stripe.Checkout.SessionCreateParams.SetupIntentData>;

const createShape = {
  ...expand,
  ...unsupported(
    'adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types automatic_tax branding_settings',
    'consent_collection custom_fields custom_text customer_account customer_update discounts excluded_payment_method_types',
    'integration_identifier invoice_creation managed_payments name_collection optional_items origin_context',
    'payment_method_collection payment_method_configuration payment_method_data payment_method_options permissions',
    'phone_number_collection redirect_on_completion return_url saved_payment_method_options shipping_address_collection',
    'shipping_options subscription_data tax_id_collection wallet_options',
  ),
  billing_address_collection: oneOf('auto', 'required'),
  cancel_url: url(),
  client_reference_id: text({ max: 200 }),
  currency: text(),
  customer: text(),
  customer_creation: oneOf('always', 'if_required'),
  customer_email: text({ max: 800 }),
  expires_at: integer({ min: 0 }),
  line_items: list(object<Stripe.Checkout.SessionCreateParams.LineItem>(itemShape)),
  locale: text(),
  metadata: metadata(),
  mode: required(oneOf('payment', 'setup')),
  payment_intent_data: object<Stripe.Checkout.SessionCreateParams.PaymentIntentData>(paymentShape),
  setup_intent_data: object<Stripe.Checkout.SessionCreateParams.SetupIntentData>(setupShape),
  submit_type: oneOf('auto', 'book', 'donate', 'pay'),
  success_url: required(url()),
  ui_mode: oneOf('hosted_page'),
} satisfies Shape<Params>;

const listShape = {
  ...pagination,
  ...unsupported('customer_account customer_details payment_link subscription'),
  created: instants(),
  customer: text(),
  payment_intent: text(),
  status: oneOf('complete', 'expired', 'open'),
} satisfies Shape<Stripe.Checkout.SessionListParams>;

export const checkoutSessionRoutes = [
  route<Params>('POST', '/v1/checkout/sessions', createShape, createSession),
  route<Stripe.Checkout.SessionListParams>('GET', '/v1/checkout/sessions', listShape, (account, wanted) => {
    const rows = account.store
      .all('checkout.session')
      .filter((one) => within(one.created, wanted.created) && matches(one.customer, wanted.customer))
      .filter(
        (one) =>
          matches(one.payment_intent, wanted.payment_intent) && matches<string | null>(one.status, wanted.status),
      );
    return page('/v1/checkout/sessions', rows, wanted);
  }),
  route<Stripe.Checkout.SessionRetrieveParams>('GET', '/v1/checkout/sessions/:id', expand, (account, _params, id) =>
    find(account, 'checkout.session', id),
  ),
  route<Stripe.Checkout.SessionExpireParams>(
    'POST',
    '/v1/checkout/sessions/:id/expire',
    expand,
    (account, _params, id) => expireSession(account, find(account, 'checkout.session', id)),
  ),
  route<Stripe.Checkout.SessionListLineItemsParams>(
    'GET',
    '/v1/checkout/sessions/:id/line_items',
    pagination,
    (account, wanted, id) => lineItemsOf(account, find(account, 'checkout.session', id), wanted),
  ),
];
