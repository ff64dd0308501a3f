import type { Aggregation } from './aggregate.js';
import { Decimal, ONE, ZERO, round12, text } from './decimal.js';

/** What one event brings to its meter's aggregate. */
export interface Sample {
  at: Date;
  /** greater = arrived later; decides only between events of one timestamp */
  arrival: number;
  value: Decimal;
}

/**
 * What is known of the events of a line item's period, as plain JSON (decimals as text), for a jsonb column. Each
 * aggregation uses its own fields. Adding is commutative, so late and out-of-order events come out as if sorted.
 */
export interface RunningTotal {
  count?: string;
  sum?: string;
  max?: string;
  latest?: { at: number; arrival: number; value: string };
}

/** The total after one more event. */
export function add(aggregation: Aggregation, total: RunningTotal, sample: Sample): RunningTotal {
  switch (aggregation.type) {
    case 'COUNT':
      return { count: text(read(total.count).plus(ONE)) };
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
      return { sum: text(read(total.sum).plus(sample.value)) };
    case 'AVG':
      return { sum: text(read(total.sum).plus(sample.value)), count: text(read(total.count).plus(ONE)) };
    case 'MAX':
      return { max: text(total.max === undefined ? sample.value : Decimal.max(total.max, sample.value)) };
    case 'LATEST':
      return { latest: later(total.latest, sample) };
    case 'COUNT_UNIQUE':
    case 'WEIGHTED_SUM':
      throw new RangeError(`${aggregation.type} is not aggregated yet`);
  }
}

/** The quantity a total stands for, at 12 places; zero before the first event. */
export function quantityIn(aggregation: Aggregation, total: RunningTotal): Decimal {
  switch (aggregation.type) {
    case 'COUNT':
      return read(total.count);
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
      return round12(read(total.sum));
    case 'AVG':
      return total.count === undefined ? ZERO : round12(read(total.sum).div(total.count));
    case 'MAX':
      return read(total.max);
    case 'LATEST':
      return read(total.latest?.value);
    case 'COUNT_UNIQUE':
    case 'WEIGHTED_SUM':
      throw new RangeError(`${aggregation.type} is not aggregated yet`);
  }
}

/** MEANING "Usage and accrual": "LATEST is the greatest timestamp, then the later arrival". */
function later(latest: RunningTotal['latest'], { at, arrival, value }: Sample): RunningTotal['latest'] {
  const instant = at.getTime();
  if (latest && (latest.at > instant || (latest.at === instant && latest.arrival > arrival))) return latest;
  return { at: instant, arrival, value: text(value) };
}

function read(value: string | undefined): Decimal {
  return value === undefined ? ZERO : new Decimal(value);
}
