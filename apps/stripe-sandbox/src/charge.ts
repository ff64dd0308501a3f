import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import type { Decline } from './cards.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import { expand, instants, pagination, text, unsupported, type Shape } from './params.js';
import { route } from './route.js';

/** What no charge of the sandbox has, or has yet. */
const UNUSED = {
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: null,
  failure_balance_transaction: null,
  on_behalf_of: null,
  receipt_number: null,
  receipt_url: null,
  review: null,
  shipping: null,
  source: null,
  source_transfer: null,
  transfer_data: null,
  transfer_group: null,
  fraud_details: {},
  livemode: false,
  disputed: false,
  refunded: false,
  amount_refunded: 0,
  calculated_statement_descriptor: 'DRAWDOWN SANDBOX',
} satisfies Partial<Stripe.Charge>;

/** One throw at the card: succeeded, failed or (delayed methods) pending. */
export function createCharge(
  account: Account,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  result: { status: 'succeeded' | 'pending' } | { status: 'failed'; decline: Decline },
): Stripe.Charge {
  const paid = result.status !== 'failed';
  const decline = result.status === 'failed' ? result.decline : undefined;
  const charge: Stripe.Charge = {
    id: newId('ch'),
    object: 'charge',
    ...UNUSED,
    amount: intent.amount,
    amount_captured: result.status === 'succeeded' ? intent.amount : 0,
    billing_details: method.billing_details,
    captured: result.status === 'succeeded',
    created: account.clock.now(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    metadata: { ...intent.metadata },
    outcome: outcomeOf(decline),
    paid,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(intent, method),
    receipt_email: intent.receipt_email,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: result.status,
  };
  account.store.put('charge', charge);
  if (result.status === 'succeeded') announce(account, 'charge.succeeded', charge);
  else if (result.status === 'failed') announce(account, 'charge.failed', charge);
  else announce(account, 'charge.pending', charge);
  return charge;
}

function outcomeOf(decline: Decline | undefined): Stripe.Charge.Outcome {
  return {
    advice_code: decline?.advice_code ?? null,
    network_advice_code: null,
    network_decline_code: decline ? '05' : null,
    network_status: decline ? 'declined_by_network' : 'approved_by_network',
    reason: decline ? (decline.decline_code ?? decline.code) : null,
    risk_level: 'normal',
    risk_score: 1,
    seller_message: decline ? 'The bank declined the payment.' : 'Payment complete.',
    type: decline ? 'issuer_declined' : 'authorized',
  };
}

function detailsOf(intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod): Stripe.Charge.PaymentMethodDetails {
  const card = method.card;
  if (!card) return { type: method.type };
  return {
    type: 'card',
    card: {
      amount_authorized: intent.amount,
      authorization_code: null,
      brand: card.brand,
      checks: card.checks,
      country: card.country,
      electronic_commerce_indicator: null,
      exp_month: card.exp_month,
      exp_year: card.exp_year,
      fingerprint: card.fingerprint ?? null,
      funding: card.funding,
      installments: null,
      last4: card.last4,
      mandate: null,
      network: card.brand,
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

const listShape = {
  ...pagination,
  ...unsupported('transfer_group'),
  created: instants(),
  customer: text(),
  payment_intent: text(),
} satisfies Shape<Stripe.ChargeListParams>;

export const chargeRoutes = [
  route<Stripe.ChargeListParams>('GET', '/v1/charges', listShape, (account, wanted) => {
    const rows = account.store
      .all('charge')
      .filter((charge) => within(charge.created, wanted.created) && matches(charge.customer, wanted.customer))
      .filter((charge) => matches(charge.payment_intent, wanted.payment_intent));
    return page('/v1/charges', rows, wanted);
  }),
  route<Stripe.ChargeRetrieveParams>('GET', '/v1/charges/:id', expand, (account, _params, id) =>
    find(account, 'charge', id),
  ),
];
