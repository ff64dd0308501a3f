import { sql, type RawBuilder } from 'kysely';

/**
 * For statements of other modules: what a plan gives as it is now of features without a meter, by the order in which
 * the entitlements were made.
 */
export const unmeteredOfPlan = (
  environmentId: RawBuilder<unknown>,
  planId: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  select id entitlement_id, feature_id, is_enabled, is_soft_limit, usage_limit, usage_reset_period, static_value,
         created_at made_at
  from entitlement
  where environment_id = ${environmentId} and plan_id = ${planId} and status = 'published' and feature_type <> 'metered'`;

/** The name of a plan, in any state. */
export const planName = (environmentId: RawBuilder<unknown>, planId: RawBuilder<unknown>): RawBuilder<string> => sql`(
  select name from plan where id = ${planId} and environment_id = ${environmentId})`;
