import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import { invalidParameter, invalidRequest } from './api-error.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import { format } from './money.js';
import {
  expand, instants, integer, metadata, metadataPatch, newMetadata, oneOf, pagination, patchMetadata, text, unsupported,
  type Shape,
} from './params.js'; // prettier-ignore
import { route } from './route.js';

/** What no refund of the sandbox has. */
const UNUSED = {
  balance_transaction: null,
  customer_account: null,
  receipt_number: null,
  source_transfer_reversal: null,
  transfer_reversal: null,
} satisfies Partial<Stripe.Refund>;

function create(account: Account, params: Stripe.RefundCreateParams): Stripe.Refund {
  const charge = chargeOf(account, params);
  const amount = refundable(charge, params.amount);
  const refund: Stripe.Refund = {
    id: newId('re'),
    object: 'refund',
    ...UNUSED,
    amount,
    charge: charge.id,
    created: account.clock.now(),
    currency: charge.currency,
    customer: charge.customer,
    destination_details: {
      type: 'card',
      card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
    },
    metadata: newMetadata(params.metadata),
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: params.reason ?? null,
    status: 'succeeded',
  };
  account.store.put('refund', refund);
  announce(account, 'refund.created', refund);
  const refunded = takeBack(account, charge, amount);
  announce(account, 'charge.refunded', refunded, {
    amount_refunded: charge.amount_refunded,
    refunded: charge.refunded,
  });
  return refund;
}

function refundable(charge: Stripe.Charge, wanted: number | undefined): number {
  if (charge.disputed) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    });
  }
  const left = charge.amount - charge.amount_refunded;
  if (left === 0)
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  const amount = wanted ?? left;
  if (amount > left) {
    const [asked, rest] = [format(amount, charge.currency), format(left, charge.currency)];
    throw invalidRequest(`Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`, {
      param: 'amount',
    });
  }
  return amount;
}

function chargeOf(account: Account, params: Stripe.RefundCreateParams): Stripe.Charge {
  if (params.charge && params.payment_intent) {
    throw invalidRequest('You may only specify one of these parameters: charge, payment_intent.', {
      code: 'parameters_exclusive',
    });
  }
  if (!params.charge && !params.payment_intent) {
    throw invalidParameter(
      'One of the following params should be provided for this request: payment_intent or charge.',
      'charge',
      'parameter_missing',
    );
  }
  const intent = params.payment_intent
    ? find(account, 'payment_intent', params.payment_intent, 'payment_intent')
    : undefined;
  const id = params.charge ?? (intent?.latest_charge as string | null | undefined);
  const charge = id ? find(account, 'charge', id, 'charge') : undefined;
  if (!charge || charge.status !== 'succeeded') {
    throw invalidRequest(
      `This ${intent ? `PaymentIntent (${intent.id})` : `charge (${id})`} does not have a successful charge to refund.`,
    );
  }
  return charge;
}

function takeBack(account: Account, charge: Stripe.Charge, amount: number): Stripe.Charge {
  const total = charge.amount_refunded + amount;
  const after: Stripe.Charge = { ...charge, amount_refunded: total, refunded: total === charge.amount };
  account.store.put('charge', after);
  return after;
}

/** The bank sends it back, perhaps days later: the money is the merchant's again. */
export function failRefund(account: Account, refund: Stripe.Refund, reason: string): Stripe.Refund {
  if (refund.status === 'failed') throw invalidRequest(`Refund ${refund.id} has already failed.`);
  const failed: Stripe.Refund = { ...refund, status: 'failed', failure_reason: reason };
  account.store.put('refund', failed);
  takeBack(account, find(account, 'charge', refund.charge as string), -refund.amount);
  announce(account, 'refund.updated', failed, { status: refund.status });
  announce(account, 'refund.failed', failed);
  return failed;
}

const createShape = {
  ...expand,
  ...unsupported('currency customer instructions_email origin refund_application_fee reverse_transfer'),
  amount: integer({ min: 1 }),
  charge: text(),
  metadata: metadata(),
  payment_intent: text(),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
} satisfies Shape<Stripe.RefundCreateParams>;

const listShape = {
  ...pagination,
  charge: text(),
  created: instants(),
  payment_intent: text(),
} satisfies Shape<Stripe.RefundListParams>;

export const refundRoutes = [
  route<Stripe.RefundCreateParams>('POST', '/v1/refunds', createShape, create),
  route<Stripe.RefundListParams>('GET', '/v1/refunds', listShape, (account, wanted) => {
    const rows = account.store
      .all('refund')
      .filter((refund) => within(refund.created, wanted.created) && matches(refund.charge, wanted.charge))
      .filter((refund) => matches(refund.payment_intent, wanted.payment_intent));
    return page('/v1/refunds', rows, wanted);
  }),
  route<Stripe.RefundRetrieveParams>('GET', '/v1/refunds/:id', expand, (account, _params, id) =>
    find(account, 'refund', id),
  ),
  route<Stripe.RefundUpdateParams>(
    'POST',
    '/v1/refunds/:id',
    { ...expand, metadata: metadataPatch() },
    (account, params, id) => {
      const refund = find(account, 'refund', id);
      const updated = { ...refund, metadata: patchMetadata(refund.metadata, params.metadata) };
      account.store.put('refund', updated);
      announce(account, 'refund.updated', updated, { metadata: refund.metadata });
      return updated;
    },
  ),
];
