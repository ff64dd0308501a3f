import { paidTimeOf } from '@drawdown/billing-core';
import { requestedCommitment } from './commitment.js';
import { requestedPaymentBehavior } from './payment-behavior.js';
import type { CreateSubscriptionBody } from './subscriptions.dto.js';

/** What was decided of a new subscription beside what its request says. */
interface Decided {
  readonly customerId: string;
  readonly zone: string;
  readonly startDate: Date;
  readonly trialDays: number | null;
  readonly trialEnd: Date | null;
  readonly endDate: Date | null;
}

/** The fields of a new subscription. It is a draft until its start is due, which may be at once. */
export function newSubscription(body: CreateSubscriptionBody, decided: Decided) {
  const { customerId, zone, startDate, trialDays, trialEnd, endDate } = decided;
  const billingCycle = body.billing_cycle ?? 'anniversary';
  const count = body.billing_period_count ?? 1;
  const { anchor } = paidTimeOf({
    start: startDate,
    trialEnd,
    cycle: billingCycle,
    cadence: { billingPeriod: body.billing_period, count, zone },
  });
  return {
    customerId,
    planId: body.plan_id,
    lookupKey: body.lookup_key ?? null,
    currency: body.currency,
    status: 'draft' as const,
    billingCycle,
    billingPeriod: body.billing_period,
    billingPeriodCount: count,
    billingAnchor: anchor,
    customerTimezone: zone,
    prorationBehavior: body.proration_behavior ?? 'none',
    collectionMethod: body.collection_method ?? 'charge_automatically',
    paymentTerms: body.payment_terms ?? null,
    paymentBehavior: requestedPaymentBehavior(body),
    ...requestedCommitment(body),
    startDate,
    awaitsActivation: body.subscription_status === 'draft',
    trialDays,
    trialEnd,
    paidFrom: null,
    endDate,
    cancelAtPeriodEnd: false,
    finalInvoice: true,
    cancelProrated: body.proration_behavior === 'create_prorations',
    metadata: body.metadata ?? {},
  };
}
