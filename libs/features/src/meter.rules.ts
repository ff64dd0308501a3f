import type { AggregationType } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import type { ResetUsage, StoredAggregation } from './meter.entity.js';
import type { AggregationBody, CreateMeterBody } from './meters.dto.js';

/** What usage can be counted by in this version; a meter of any other kind is refused at creation, and only there. */
export const supportedAggregations: readonly AggregationType[] = ['COUNT', 'SUM'];
export const supportedResets: readonly ResetUsage[] = ['BILLING_PERIOD'];

/** @throws Problem 400: not supported yet, or a field or multiplier that is missing or makes no sense. */
export function assertAggregation({ type, field, multiplier }: AggregationBody): void {
  if (!supportedAggregations.includes(type)) {
    throw Problem.unsupported(
      'meter.aggregation.type',
      `${type} is not supported yet; ${supportedAggregations.join(', ')} are`,
    );
  }
  if (type !== 'COUNT' && !field) {
    throw Problem.invalid('meter.aggregation.field', `is required: the property that ${type} aggregates`);
  }
  if (multiplier && type !== 'SUM_WITH_MULTIPLIER') {
    throw Problem.invalid('meter.aggregation.multiplier', 'belongs to SUM_WITH_MULTIPLIER only');
  }
}

/** @throws Problem 400 for a reset that is not supported yet. */
export function resetOf({ reset_usage: reset }: CreateMeterBody): ResetUsage {
  if (!reset) return 'BILLING_PERIOD';
  if (supportedResets.includes(reset)) return reset;
  throw Problem.unsupported('meter.reset_usage', `${reset} is not supported yet; ${supportedResets.join(', ')} is`);
}

export const storedAggregation = (body: AggregationBody): StoredAggregation => ({
  type: body.type,
  field: body.field ?? null,
  multiplier: body.multiplier ?? null,
  bucket_size: null,
  group_by: null,
});
