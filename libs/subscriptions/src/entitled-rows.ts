import { Decimal } from '@drawdown/billing-core';
import { featureOf, featureRow, meterOf, type FeatureRow } from '@drawdown/features';
import { planName, unmeteredOfPlan } from '@drawdown/plans';
import { sql, type RawBuilder } from 'kysely';
import { aggregated, type AggregatedFeature, type EntitlementSource } from './aggregated-feature.js';
import { RUNNING_STATUSES } from './subscription-status.js';
import type { Subscription } from './subscription.entity.js';

/** What limits and answers need to know of a subscription. */
export type SubscriptionTerms = Pick<
  Subscription,
  | 'id'
  | 'customerId'
  | 'planId'
  | 'currency'
  | 'status'
  | 'startDate'
  | 'trialEnd'
  | 'paidFrom'
  | 'currentPeriodStart'
  | 'currentPeriodEnd'
  | 'billingPeriod'
  | 'billingPeriodCount'
  | 'customerTimezone'
>;

/** Subscriptions, those that started first first, and what they give together. */
export interface Entitled {
  readonly subscriptions: readonly SubscriptionTerms[];
  readonly features: readonly AggregatedFeature[];
}

/** One thing that one subscription gives; nulls instead where it gives nothing. Instants and amounts are text. */
export interface EntitledRow extends FeatureRow {
  subscription_id: string;
  customer_id: string;
  plan_id: string;
  plan_name: string;
  currency: string;
  status: Subscription['status'];
  start_date: string;
  trial_end: string | null;
  paid_from: string | null;
  current_period_start: string | null;
  current_period_end: string | null;
  billing_period: Subscription['billingPeriod'];
  billing_period_count: number;
  customer_timezone: string;
  entitlement_id: string | null;
  is_enabled: boolean;
  is_soft_limit: boolean;
  usage_limit: string | null;
  usage_reset_period: string | null;
  static_value: string | null;
}

/**
 * What subscriptions give, in the order in which it is shown: entitlements as each has copied them, all metered ones
 * and those agreed otherwise, then the others as its plan has them now. Every step is a look-up by ids that one index fits, whatever a planner without
 * statistics believes (`offset 0`).
 * @param subscriptions a statement for rows of `subscription`.
 */
const entitledRows = (environmentId: RawBuilder<unknown>, subscriptions: RawBuilder<unknown>) => sql<EntitledRow>`
  select s.id subscription_id, s.customer_id, s.plan_id, ${planName(environmentId, sql`s.plan_id`)} plan_name,
         s.currency, s.status, s.start_date, s.trial_end, s.paid_from, s.current_period_start, s.current_period_end,
         s.billing_period, s.billing_period_count, s.customer_timezone, given.entitlement_id, given.is_enabled,
         given.is_soft_limit, given.usage_limit::text usage_limit, given.usage_reset_period, given.static_value,
         feature.*
  from (${subscriptions} offset 0) s
  left join lateral (
    select entitlement_id, feature_id, is_enabled, is_soft_limit, usage_limit, usage_reset_period,
           static_value, null::timestamptz made_at
    from subscription_entitlement where environment_id = ${environmentId} and subscription_id = s.id
    union all (
      select * from (${unmeteredOfPlan(environmentId, sql`s.plan_id`)} offset 0) of_plan
      where not exists (
        select from subscription_entitlement own
        where own.environment_id = ${environmentId} and own.subscription_id = s.id
          and own.entitlement_id = of_plan.entitlement_id))) given on true
  left join lateral (${featureRow(environmentId, sql`given.feature_id`)}) feature on true
  order by s.start_date, s.id, given.made_at nulls first, given.entitlement_id`;

/** Of a customer's running subscriptions. */
export const entitledRowsOfCustomer = (environmentId: RawBuilder<unknown>, customerId: RawBuilder<unknown>) =>
  entitledRows(
    environmentId,
    sql`
      select * from subscription
      where environment_id = ${environmentId} and customer_id = ${customerId}
        and status = any(${[...RUNNING_STATUSES]}::text[])`,
  );

/** Of one subscription, in whatever state it is. */
export const entitledRowsOfSubscription = (environmentId: RawBuilder<unknown>, id: RawBuilder<unknown>) =>
  entitledRows(environmentId, sql`select * from subscription where environment_id = ${environmentId} and id = ${id}`);

/** @param featureIds narrows the features. */
export function entitledBy(rows: readonly EntitledRow[], featureIds?: readonly string[]): Entitled {
  const subscriptions = new Map<string, SubscriptionTerms>();
  const given = new Map<string, { row: EntitledRow; sources: EntitlementSource[] }>();
  for (const row of rows) {
    if (!subscriptions.has(row.subscription_id)) subscriptions.set(row.subscription_id, termsOf(row));
    if (row.entitlement_id === null || (featureIds && !featureIds.includes(row.feature_id))) continue;
    const source = sourceOf(row, row.entitlement_id);
    const known = given.get(row.feature_id);
    if (known) known.sources.push(source);
    else given.set(row.feature_id, { row, sources: [source] });
  }
  const features = [...given.values()].map(({ row, sources }) => ({
    feature: featureOf(row),
    meter: meterOf(row),
    entitlement: aggregated(sources),
    sources,
  }));
  return { subscriptions: [...subscriptions.values()], features };
}

const sourceOf = (row: EntitledRow, entitlementId: string): EntitlementSource => ({
  featureId: row.feature_id,
  entitlementId,
  subscriptionId: row.subscription_id,
  planId: row.plan_id,
  planName: row.plan_name,
  isEnabled: row.is_enabled,
  isSoftLimit: row.is_soft_limit,
  usageLimit: row.usage_limit === null ? null : new Decimal(row.usage_limit),
  usageResetPeriod: row.usage_reset_period,
  staticValue: row.static_value,
});

const termsOf = (row: EntitledRow): SubscriptionTerms => ({
  id: row.subscription_id,
  customerId: row.customer_id,
  planId: row.plan_id,
  currency: row.currency,
  status: row.status,
  startDate: new Date(row.start_date),
  trialEnd: at(row.trial_end),
  paidFrom: at(row.paid_from),
  currentPeriodStart: at(row.current_period_start),
  currentPeriodEnd: at(row.current_period_end),
  billingPeriod: row.billing_period,
  billingPeriodCount: row.billing_period_count,
  customerTimezone: row.customer_timezone,
});

const at = (instant: string | null): Date | null => (instant === null ? null : new Date(instant));
