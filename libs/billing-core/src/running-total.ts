import { type Aggregation, type Meter, type Properties, propertyOf, quantityOf, scalarText } from './aggregate.js';
import { Decimal, ZERO, text } from './decimal.js';

/** A usage event as an aggregation sees it. */
export interface UsageEvent {
  at: Date;
  /** greater = arrived later, such as a sequence number; decides only between events of one timestamp */
  arrival: number;
  properties: Properties;
  /**
   * COUNT_UNIQUE only: whether the value was seen before in this period, by the caller's own record (a unique index).
   * Then the total keeps a count and no values. Say it for all events of a total or for none.
   */
  repeated?: boolean;
}

/**
 * What is known of the events of a line item's period, as plain JSON (decimals as text) for a jsonb column. Each
 * aggregation uses its own fields. Merging is commutative and associative, so late and out-of-order events come out as
 * if sorted, however they are batched.
 */
export interface RunningTotal {
  count?: string;
  sum?: string;
  max?: string;
  latest?: { at: number; arrival: number; value: string };
  /** COUNT_UNIQUE: the values seen, unless the caller keeps them */
  values?: Record<string, 1>;
  /** WEIGHTED_SUM: the sum of changes, the sum of change x time (ms), and the time (ms) until which it has accrued */
  level?: string;
  moment?: string;
  until?: number;
}

/** The time in which WEIGHTED_SUM is measured: quantity = level x time / whole, all in milliseconds. */
export interface Measure {
  from: number;
  whole: number;
}

/** What one event brings, as a total of its own; a `problem` (a sentence naming the property) when it brings nothing. */
export function totalOf(
  meter: Meter,
  event: UsageEvent,
): { total: RunningTotal; quantity: Decimal } | { problem: string } {
  const sample = quantityOf(meter, event);
  if ('problem' in sample) return sample;
  return { total: single(meter.aggregation, sample.quantity, event), quantity: sample.quantity };
}

function single({ type, field }: Aggregation, quantity: Decimal, event: UsageEvent): RunningTotal {
  const value = text(quantity);
  const at = event.at.getTime();
  switch (type) {
    case 'COUNT':
      return { count: '1' };
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
      return { sum: value };
    case 'AVG':
      return { sum: value, count: '1' };
    case 'MAX':
      return { max: value };
    case 'LATEST':
      return { latest: { at, arrival: event.arrival, value } };
    case 'COUNT_UNIQUE':
      if (event.repeated !== undefined) return { count: event.repeated ? '0' : '1' };
      return { count: '1', values: { [scalarText(propertyOf(event.properties, field ?? ''))!]: 1 } };
    case 'WEIGHTED_SUM':
      return { level: value, moment: text(quantity.times(at)), until: at };
  }
}

/** Two totals of one meter as one. Neither is changed. */
export function merge({ type }: Aggregation, a: RunningTotal, b: RunningTotal): RunningTotal {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  switch (type) {
    case 'COUNT':
      return { count: plus(a.count, b.count) };
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
      return { sum: plus(a.sum, b.sum) };
    case 'AVG':
      return { sum: plus(a.sum, b.sum), count: plus(a.count, b.count) };
    case 'MAX':
      return { max: text(Decimal.max(read(a.max), read(b.max))) };
    case 'LATEST':
      return { latest: later(a.latest!, b.latest!) };
    case 'COUNT_UNIQUE':
      return unite(a, b);
    case 'WEIGHTED_SUM':
      return {
        level: plus(a.level, b.level),
        moment: plus(a.moment, b.moment),
        until: Math.max(a.until!, b.until!),
      };
  }
}

function isEmpty(total: RunningTotal): boolean {
  return Object.keys(total).length === 0;
}

/** True for two totals that say the same, whatever the order in which their JSON names it. */
export function isSameTotal(a: RunningTotal | null, b: RunningTotal | null): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** MEANING "Usage and accrual": "LATEST is the greatest timestamp, then the later arrival". */
function later<L extends { at: number; arrival: number }>(a: L, b: L): L {
  return a.at > b.at || (a.at === b.at && a.arrival > b.arrival) ? a : b;
}

function unite(a: RunningTotal, b: RunningTotal): RunningTotal {
  if (!a.values || !b.values) return { count: plus(a.count, b.count) };
  const values = { ...a.values, ...b.values };
  return { values, count: String(Object.keys(values).length) };
}

/** The quantity a total stands for, exact; zero of an empty one. WEIGHTED_SUM needs the `measure` of its period. */
export function quantityIn({ type }: Aggregation, total: RunningTotal, measure: Measure | null): Decimal {
  switch (type) {
    case 'COUNT':
    case 'COUNT_UNIQUE':
      return read(total.count);
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
      return read(total.sum);
    case 'AVG':
      return total.count === undefined ? ZERO : read(total.sum).div(total.count);
    case 'MAX':
      return read(total.max);
    case 'LATEST':
      return read(total.latest?.value);
    case 'WEIGHTED_SUM':
      return weighted(total, measure);
  }
}

/**
 * The sum over all changes of change x (until - its time), divided by the whole period's length. MEANING "Usage and
 * accrual": "quantity = level x time / whole period length".
 */
function weighted(total: RunningTotal, measure: Measure | null): Decimal {
  if (!measure) throw new RangeError('WEIGHTED_SUM needs the span of its period');
  const until = Math.max(total.until ?? measure.from, measure.from);
  return read(total.level).times(until).minus(read(total.moment)).div(measure.whole);
}

/**
 * What a period hands to the next one when usage is never reset: all it knows, or for WEIGHTED_SUM the level at the
 * next period's `start`. MEANING "Usage and accrual": "`reset_usage: NEVER` carries the level into the next period".
 */
export function carriedOver({ type }: Aggregation, total: RunningTotal, start: Date): RunningTotal {
  if (type !== 'WEIGHTED_SUM') return total;
  const at = start.getTime();
  return { level: text(read(total.level)), moment: text(read(total.level).times(at)), until: at };
}

/** A stored decimal; zero when there is none. */
export function read(value: string | undefined): Decimal {
  return value === undefined ? ZERO : new Decimal(value);
}

function plus(a: string | undefined, b: string | undefined): string {
  return text(read(a).plus(read(b)));
}
