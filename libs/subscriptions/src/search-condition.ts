import type { SubscriptionSearchBody } from './subscriptions.dto.js';

/** A search's own filters as an ORM condition; page, time of creation and external customer id are the caller's. */
export function matching(query: SubscriptionSearchBody) {
  const { active_at: activeAt, subscription_ids: ids, subscription_status: statuses, billing_period: periods } = query;
  const nothing =
    (query.status ?? 'published') !== 'published' || query.billing_cadence?.includes('RECURRING') === false;
  return {
    ...(nothing ? { id: [] } : ids?.length ? { id: ids } : {}),
    ...(query.customer_id ? { customerId: query.customer_id } : {}),
    ...(query.plan_id ? { planId: query.plan_id } : {}),
    ...(statuses?.length ? { status: statuses } : {}),
    ...(periods?.length ? { billingPeriod: periods } : {}),
    ...(activeAt ? runningAt(new Date(activeAt)) : {}),
  };
}

const runningAt = (at: Date) => ({
  startDate: { $lte: at },
  $or: [{ cancelledAt: null }, { cancelledAt: { $gt: at } }],
});
