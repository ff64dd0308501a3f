import type Stripe from 'stripe';
import { find, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { announce } from './event.js';
import { newId } from './identifier.js';
import { matches, page, within } from './listing.js';
import { expand, instants, pagination, text, type Shape } from './params.js';
import { route } from './route.js';

const DAYS_TO_ANSWER = 7;

export interface NewDispute {
  amount?: number;
  reason?: string;
}

/** The holder takes the money back at his bank: the charge is frozen and the funds leave at once. */
export function openDispute(account: Account, charge: Stripe.Charge, wanted: NewDispute): Stripe.Dispute {
  if (charge.status !== 'succeeded') throw invalidRequest('Only a successful charge can be disputed.');
  if (charge.disputed)
    throw invalidRequest(`Charge ${charge.id} has already been disputed.`, { code: 'charge_disputed' });
  const now = account.clock.now();
  const dispute: Stripe.Dispute = {
    id: newId('dp'),
    object: 'dispute',
    amount: wanted.amount ?? charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence(),
    evidence_details: {
      due_by: now + DAYS_TO_ANSWER * 24 * 3600,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: wanted.reason ?? 'fraudulent',
    status: 'needs_response',
  };
  account.store.put('charge', { ...charge, disputed: true });
  account.store.put('dispute', dispute);
  announce(account, 'charge.dispute.created', dispute);
  announce(account, 'charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

function noEvidence(): Stripe.Dispute.Evidence {
  return {
    access_activity_log: null,
    billing_address: null,
    cancellation_policy: null,
    cancellation_policy_disclosure: null,
    cancellation_rebuttal: null,
    customer_communication: null,
    customer_email_address: null,
    customer_name: null,
    customer_purchase_ip: null,
    customer_signature: null,
    duplicate_charge_documentation: null,
    duplicate_charge_explanation: null,
    duplicate_charge_id: null,
    enhanced_evidence: {},
    product_description: null,
    receipt: null,
    refund_policy: null,
    refund_policy_disclosure: null,
    refund_refusal_explanation: null,
    service_date: null,
    service_documentation: null,
    shipping_address: null,
    shipping_carrier: null,
    shipping_date: null,
    shipping_documentation: null,
    shipping_tracking_number: null,
    uncategorized_file: null,
    uncategorized_text: null,
  };
}

/** The bank decides (or the merchant gives up): won brings the funds back. */
export function closeDispute(account: Account, dispute: Stripe.Dispute, outcome: 'won' | 'lost'): Stripe.Dispute {
  if (dispute.status === 'won' || dispute.status === 'lost') throw invalidRequest('This dispute is already closed');
  const closed: Stripe.Dispute = { ...dispute, status: outcome };
  account.store.put('dispute', closed);
  announce(account, 'charge.dispute.updated', closed, { status: dispute.status });
  if (outcome === 'won') announce(account, 'charge.dispute.funds_reinstated', closed);
  announce(account, 'charge.dispute.closed', closed);
  return closed;
}

/** The bank hears the merchant's appeal against its loss, and the funds come back after all. */
export function winAppeal(account: Account, dispute: Stripe.Dispute): Stripe.Dispute {
  if (dispute.status !== 'lost') throw invalidRequest('Only a dispute that was lost can be appealed.');
  const won: Stripe.Dispute = { ...dispute, status: 'won' };
  account.store.put('dispute', won);
  announce(account, 'charge.dispute.updated', won, { status: dispute.status });
  announce(account, 'charge.dispute.funds_reinstated', won);
  return won;
}

const listShape = {
  ...pagination,
  charge: text(),
  created: instants(),
  payment_intent: text(),
} satisfies Shape<Stripe.DisputeListParams>;

export const disputeRoutes = [
  route<Stripe.DisputeListParams>('GET', '/v1/disputes', listShape, (account, wanted) => {
    const rows = account.store
      .all('dispute')
      .filter((dispute) => within(dispute.created, wanted.created) && matches(dispute.charge, wanted.charge))
      .filter((dispute) => matches(dispute.payment_intent, wanted.payment_intent));
    return page('/v1/disputes', rows, wanted);
  }),
  route<Stripe.DisputeRetrieveParams>('GET', '/v1/disputes/:id', expand, (account, _params, id) =>
    find(account, 'dispute', id),
  ),
  route<Stripe.DisputeCloseParams>('POST', '/v1/disputes/:id/close', expand, (account, _params, id) =>
    closeDispute(account, find(account, 'dispute', id), 'lost'),
  ),
];
