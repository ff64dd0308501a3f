import { type Decimal, ONE, parseDecimal } from './decimal.js';

export const AGGREGATION_TYPES = [
  'COUNT',
  'SUM',
  'AVG',
  'MAX',
  'LATEST',
  'COUNT_UNIQUE',
  'SUM_WITH_MULTIPLIER',
  'WEIGHTED_SUM',
] as const;
export type AggregationType = (typeof AGGREGATION_TYPES)[number];

/** Buckets below a day are of fixed length and counted in UTC; days, weeks (Monday) and months are on the wall clock. */
export const BUCKET_SIZES = [
  'MINUTE',
  '15MIN',
  '30MIN',
  'HOUR',
  '3HOUR',
  '6HOUR',
  '12HOUR',
  'DAY',
  'WEEK',
  'MONTH',
] as const;
export type BucketSize = (typeof BUCKET_SIZES)[number];

export const RESET_USAGES = ['BILLING_PERIOD', 'NEVER'] as const;
export type ResetUsage = (typeof RESET_USAGES)[number];

export interface MeterFilter {
  key: string;
  values: readonly string[];
}

export interface Aggregation {
  type: AggregationType;
  /** the property that is aggregated; all types but COUNT need one */
  field?: string | null;
  /** SUM_WITH_MULTIPLIER: each value counts so many times */
  multiplier?: Decimal | string | null;
  /** MAX and SUM: the time within which values are aggregated; buckets are priced one by one */
  bucketSize?: BucketSize | null;
  /** with a bucket size: aggregated per value of this property, and the groups added */
  groupBy?: string | null;
}

/** How events become a quantity: which ones, and what of them. */
export interface Meter {
  eventName: string;
  filters: readonly MeterFilter[];
  aggregation: Aggregation;
  resetUsage: ResetUsage;
}

export type Properties = Readonly<Record<string, unknown>>;

/**
 * True when the event has the meter's name and, for each filter, its property is one of the filter's values. Values
 * are compared as text: `true` is `'true'`, 3 is `'3'`; a nested value, null or a missing property is never one of
 * them. A filter without values restricts nothing. MEANING "Usage and accrual": "every item whose meter matches".
 */
export function matches(meter: Meter, event: { eventName: string; properties: Properties }): boolean {
  if (meter.eventName !== event.eventName) return false;
  return meter.filters.every(({ key, values }) => {
    if (values.length === 0) return true;
    const value = scalarText(propertyOf(event.properties, key));
    return value !== null && values.includes(value);
  });
}

/**
 * What one event brings to the meter: 1 for COUNT and COUNT_UNIQUE, else the property's value (times the multiplier).
 * A property that is missing or no decimal within numeric(38,12) is a problem, told in a sentence that names it.
 */
export function quantityOf(
  meter: Meter,
  event: { properties: Properties },
): { quantity: Decimal } | { problem: string } {
  const { type, field } = meter.aggregation;
  if (type === 'COUNT') return { quantity: ONE };
  if (!field) return { problem: `a meter that aggregates by ${type} needs a field` };
  const value = propertyOf(event.properties, field);
  if (value === undefined || value === null || value === '') return { problem: `property "${field}" is missing` };
  if (type === 'COUNT_UNIQUE') {
    return scalarText(value) === null ? { problem: `property "${field}" is not a plain value` } : { quantity: ONE };
  }
  const quantity = parseDecimal(value);
  if (quantity === null) return { problem: `property "${field}" ${whyNoDecimal(value)}` };
  if (typeof value === 'number' && !isExact(value, quantity)) {
    return { problem: `property "${field}" has more digits than a JSON number holds exactly: send it as text` };
  }
  return { quantity: type === 'SUM_WITH_MULTIPLIER' ? quantity.times(multiplierOf(meter)) : quantity };
}

/** The multiplier of SUM_WITH_MULTIPLIER; 1 when it is missing or no decimal. */
export function multiplierOf(meter: Meter): Decimal {
  return parseDecimal(meter.aggregation.multiplier) ?? ONE;
}

/** A property of the event itself; undefined when it has none of that name. */
export function propertyOf(properties: Properties, key: string): unknown {
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** A text, number or boolean as text; null for anything nested or absent. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** A number of JSON is a double by the time we see it: only up to 15 digits it surely says what was sent. */
const isExact = (value: number, quantity: Decimal): boolean =>
  Number.isInteger(value) ? Number.isSafeInteger(value) : quantity.precision() <= 15;

function whyNoDecimal(value: unknown): string {
  const plain = typeof value === 'number' ? Number.isFinite(value) : /^-?\d+(\.\d+)?$/.test(String(value));
  return plain ? 'has more than 26 integer digits or 12 decimal places' : 'is not a number';
}
