import { type AggregationType, type Meter } from './aggregate.js';
import { parseDecimal } from './decimal.js';
import type { BillingPeriod } from './period.js';
import type { Problem } from './price-rules.js';

/** The aggregations whose units belong to one instant, so that they can be free by a window of their own. */
const WINDOWED: readonly AggregationType[] = ['COUNT', 'SUM', 'SUM_WITH_MULTIPLIER'];
const BUCKETED: readonly AggregationType[] = ['MAX', 'SUM'];

/**
 * What is wrong with a meter, by the wire's field names; empty when nothing is. All types but COUNT aggregate a field;
 * a multiplier belongs to SUM_WITH_MULTIPLIER and is above 0; buckets belong to MAX and SUM, groups to buckets; usage
 * counted in buckets is reset with the period. MEANING "Usage and accrual".
 */
export function validateMeter({ eventName, filters, aggregation, resetUsage }: Meter): Problem[] {
  const { type, field, multiplier, bucketSize, groupBy } = aggregation;
  const wrong: [boolean, string, string][] = [
    [eventName.trim() === '', 'event_name', 'must not be empty'],
    [type !== 'COUNT' && !field, 'aggregation.field', `${type} needs the name of a property`],
    [type === 'SUM_WITH_MULTIPLIER' && !parseDecimal(multiplier)?.gt(0), 'aggregation.multiplier', 'must be above 0'],
    [type !== 'SUM_WITH_MULTIPLIER' && present(multiplier), 'aggregation.multiplier', `${type} has no multiplier`],
    [present(bucketSize) && !BUCKETED.includes(type), 'aggregation.bucket_size', 'only MAX and SUM count in buckets'],
    [present(groupBy) && !present(bucketSize), 'aggregation.group_by', 'groups need a bucket_size'],
    [
      present(bucketSize) && resetUsage === 'NEVER',
      'reset_usage',
      'buckets belong to their time: they cannot be carried',
    ],
  ];
  const names = filters.flatMap(({ key }, place): [boolean, string, string][] => [
    [key.trim() === '', `filters[${place}].key`, 'must not be empty'],
  ]);
  return [...wrong, ...names].filter(([is]) => is).map(([, at, message]) => ({ field: at, message }));
}

/**
 * What is wrong with an allowance's window (`usage_reset_period`) for a meter that is billed every `count` x `billingPeriod`.
 * MEANING "Allowances": "only COUNT, SUM and SUM_WITH_MULTIPLIER may have a window that is not the billing period".
 */
export function validateAllowanceWindow(
  { aggregation }: Pick<Meter, 'aggregation'>,
  window: BillingPeriod | 'NEVER' | null,
  billingPeriod: BillingPeriod,
  count = 1,
): Problem[] {
  if (window === null || (window === billingPeriod && count === 1)) return [];
  if (WINDOWED.includes(aggregation.type) && !aggregation.bucketSize) return [];
  const counted = aggregation.bucketSize ? 'usage counted in buckets' : aggregation.type;
  return [
    { field: 'usage_reset_period', message: `${counted} can only be free per billing period (${billingPeriod})` },
  ];
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
