import { validateMeter, type AggregationType } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { coreMeter, type Meter, type ResetUsage } from './meter.entity.js';

/** How usage can be counted in this version: a meter of any other kind is refused where it is made, and only there. */
export const supportedAggregations: readonly AggregationType[] = ['COUNT', 'SUM'];
export const supportedResets: readonly ResetUsage[] = ['BILLING_PERIOD'];

/** @throws Problem 400 naming the field: what this version doesn't count, or what makes no sense (`validateMeter`). */
export function assertMeter(meter: Meter): void {
  const { type } = meter.aggregation;
  if (!supportedAggregations.includes(type)) {
    const known = supportedAggregations.join(' and ');
    throw Problem.unsupported('meter.aggregation.type', `${type} is not supported yet, only ${known}`);
  }
  if (!supportedResets.includes(meter.resetUsage)) {
    const known = supportedResets.join(' and ');
    throw Problem.unsupported('meter.reset_usage', `${meter.resetUsage} is not supported yet, only ${known}`);
  }
  const [wrong] = validateMeter(coreMeter(meter));
  if (wrong) throw Problem.invalid(`meter.${wrong.field}`, `is wrong: ${wrong.message}`);
}
