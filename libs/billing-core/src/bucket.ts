import { type Aggregation, type BucketSize, propertyOf, scalarText } from './aggregate.js';
import { Decimal, ZERO, sum, text } from './decimal.js';
import { type BillingPeriod, naturalStart } from './period.js';
import { type UnitPrice, priceOf } from './price.js';
import type { UsageEvent } from './running-total.js';

/** The buckets of a period, as plain JSON: start (ms) to group to value. Without `groupBy` the one group is ''. */
export type Buckets = Record<string, Record<string, string>>;

/**
 * What the buckets before the last one come to, so that an event in the last bucket (the usual case) prices that one
 * only. An event in an earlier bucket drops it, and all are priced again.
 */
export interface SettledBuckets {
  /** start (ms) of the first bucket not settled */
  from: number;
  quantity: string;
  free: string;
  billable: string;
  gross: string;
}

/** What all buckets come to; `gross` is money, exact. */
export interface BucketReading {
  quantity: Decimal;
  free: Decimal;
  billable: Decimal;
  gross: Decimal;
  settled: SettledBuckets;
}

const MINUTES: Partial<Record<BucketSize, number>> = {
  MINUTE: 1,
  '15MIN': 15,
  '30MIN': 30,
  HOUR: 60,
  '3HOUR': 180,
  '6HOUR': 360,
  '12HOUR': 720,
};
const PERIODS: Partial<Record<BucketSize, BillingPeriod>> = { DAY: 'DAILY', WEEK: 'WEEKLY', MONTH: 'MONTHLY' };
const NOTHING = { quantity: '0', free: '0', billable: '0', gross: '0' };

/** The start of the bucket that holds `at`. Sizes below a day count from midnight UTC, others are on the wall clock. */
export function bucketStart(at: Date, size: BucketSize, zone: string): Date {
  const billingPeriod = PERIODS[size];
  if (billingPeriod) return naturalStart(at, { billingPeriod, count: 1, zone });
  const length = MINUTES[size]! * 60_000;
  return new Date(Math.floor(at.getTime() / length) * length);
}

/** The buckets with one more value: the greatest (MAX) or the sum (SUM) per group. Returns the changed bucket's start. */
export function addToBucket(
  aggregation: Aggregation,
  buckets: Buckets,
  event: UsageEvent,
  quantity: Decimal,
  zone: string,
): { buckets: Buckets; start: number } {
  const start = bucketStart(event.at, aggregation.bucketSize!, zone).getTime();
  const { groupBy } = aggregation;
  const group = (groupBy && scalarText(propertyOf(event.properties, groupBy))) || '';
  const groups = buckets[start] ?? {};
  const before = Object.hasOwn(groups, group) ? groups[group]! : null;
  const after = before === null ? quantity : combine(aggregation, new Decimal(before), quantity);
  return { buckets: { ...buckets, [start]: { ...groups, [group]: text(after) } }, start };
}

function combine({ type }: Aggregation, a: Decimal, b: Decimal): Decimal {
  return type === 'MAX' ? Decimal.max(a, b) : a.plus(b);
}

/**
 * Prices buckets one by one in time order, free units going to the earliest, and adds them up. MEANING "Usage and
 * accrual": "Buckets are priced one by one, allowance in time order, and added".
 */
export function priceBuckets(
  price: UnitPrice,
  allowance: Decimal | null,
  buckets: Buckets,
  settled: SettledBuckets | undefined,
): BucketReading {
  const from = settled?.from ?? -Infinity;
  const open = Object.entries(buckets)
    .map(([start, groups]) => ({ start: Number(start), groups }))
    .filter(({ start }) => start >= from)
    .toSorted((a, b) => a.start - b.start);
  let sums = settled ?? { ...NOTHING, from };
  for (const [place, bucket] of open.entries()) {
    const after = withBucket(price, allowance, sums, bucket.groups);
    if (place === open.length - 1) return { ...after, settled: { ...sums, from: bucket.start } };
    sums = { ...stored(after), from: bucket.start };
  }
  return { ...loaded(sums), settled: sums };
}

type Sums = Omit<BucketReading, 'settled'>;

function withBucket(
  price: UnitPrice,
  allowance: Decimal | null,
  before: SettledBuckets,
  groups: Record<string, string>,
): Sums {
  const sums = loaded(before);
  const quantity = sum(Object.values(groups).map((value) => new Decimal(value)));
  const left = allowance === null ? ZERO : Decimal.max(allowance.minus(sums.free), ZERO);
  const free = Decimal.max(Decimal.min(quantity, left), ZERO);
  const billable = Decimal.max(quantity.minus(free), ZERO);
  return {
    quantity: sums.quantity.plus(quantity),
    free: sums.free.plus(free),
    billable: sums.billable.plus(billable),
    gross: sums.gross.plus(priceOf(price, billable)),
  };
}

function loaded({ quantity, free, billable, gross }: SettledBuckets): Sums {
  return {
    quantity: new Decimal(quantity),
    free: new Decimal(free),
    billable: new Decimal(billable),
    gross: new Decimal(gross),
  };
}

function stored({ quantity, free, billable, gross }: Sums): Omit<SettledBuckets, 'from'> {
  return { quantity: text(quantity), free: text(free), billable: text(billable), gross: text(gross) };
}
