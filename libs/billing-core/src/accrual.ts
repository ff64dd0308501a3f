import type { Meter } from './aggregate.js';
import {
  type Allowance,
  type AllowanceWindow,
  type WindowedUsage,
  freeByWindow,
  freeUnits,
  useInWindow,
  windowOf,
} from './allowance.js';
import { type Buckets, type SettledBuckets, addToBucket, priceBuckets } from './bucket.js';
import { Decimal, ZERO, round12, text } from './decimal.js';
import type { Span } from './period.js';
import { type UnitPrice, priceOf } from './price.js';
import {
  type Measure,
  type RunningTotal,
  type UsageEvent,
  carriedOver,
  merge,
  quantityIn,
  totalOf,
} from './running-total.js';

/** What turns the events of one line item's period into money. */
export interface AccrualRule {
  price: UnitPrice;
  meter: Meter;
  allowance: Allowance;
  /** the window of the allowance; null or missing = the billing period */
  window?: AllowanceWindow | null;
  /** free units of the window in which `span` starts that earlier items or periods have used */
  freeUsedBefore?: Decimal | null;
  /** the item's part of its period; windows and WEIGHTED_SUM need it */
  span?: Span | null;
  /** the full period of which `span` is a part, for WEIGHTED_SUM; missing = `span` itself */
  whole?: Span | null;
  /** the customer's zone, for buckets of a day or longer; missing = UTC */
  zone?: string;
}

/** What has accrued so far, as plain JSON for a jsonb column. `accrued` is stored, never recomputed. */
export interface AccrualState {
  total: RunningTotal;
  /** what the period before handed over (`resetUsage: NEVER`) */
  carried?: RunningTotal;
  /** units per allowance window, when that is not the billing period */
  windows?: WindowedUsage;
  buckets?: Buckets;
  settled?: SettledBuckets;
  /** money, 12 places */
  accrued: string;
}

/** What an accrual says: units used, units that are free, units that cost, and the money they cost (12 places). */
export interface AccrualReading {
  quantity: Decimal;
  free: Decimal;
  billable: Decimal;
  accrued: Decimal;
}

/** A change of an accrual: `total` units after it, and the `delta` of money it burns (negative: gives back). */
export interface AccrualChange {
  state: AccrualState;
  total: Decimal;
  free: Decimal;
  billable: Decimal;
  delta: Decimal;
  accrued: Decimal;
}
export interface Accrued extends AccrualChange {
  /** what this event brought */
  quantity: Decimal;
}

/** The accrual of a period nothing has been used in. */
export function emptyAccrual(): AccrualState {
  return { total: {}, accrued: '0' };
}

/**
 * Folds one event (that `matches` the rule's meter, in the item's span) into an accrual: the one rule of usage. An
 * event burns `accrued(after) - accrued(before)`, so tiers, packages, free units and corrections come out exact, and
 * the order of events does not matter in the end. MEANING "Usage and accrual": "One rule".
 * A property that is missing or no number is a `problem` and changes nothing. Throws RangeError when the rule lacks
 * the span that its window or WEIGHTED_SUM needs.
 */
export function accrue(rule: AccrualRule, state: AccrualState, event: UsageEvent): Accrued | { problem: string } {
  const { meter, window } = rule;
  const brought = totalOf(meter, event);
  if ('problem' in brought) return brought;
  const { quantity } = brought;
  if (meter.aggregation.bucketSize)
    return { ...changed(rule, state, inBucket(rule, state, event, quantity)), quantity };
  const next: AccrualState = { ...state, total: merge(meter.aggregation, state.total, brought.total) };
  if (window) next.windows = useInWindow(state.windows ?? {}, windowOf(window, event.at), quantity);
  const change = changed(rule, state, next);
  if (meter.aggregation.type !== 'COUNT_UNIQUE') return { ...change, quantity };
  return { ...change, quantity: change.total.minus(priced(rule, state).quantity) };
}

function inBucket(rule: AccrualRule, state: AccrualState, event: UsageEvent, quantity: Decimal): AccrualState {
  const { aggregation } = rule.meter;
  const { buckets, start } = addToBucket(aggregation, state.buckets ?? {}, event, quantity, rule.zone ?? 'UTC');
  const { settled, ...rest } = state;
  return settled && settled.from <= start ? { ...rest, settled, buckets } : { ...rest, buckets };
}

/**
 * Lets time pass: WEIGHTED_SUM accrues until `at` (at most to the end of the item's span, never back); nothing changes
 * for other aggregations. MEANING "Usage and accrual": "accrued by each event, hourly, at authorize and at close".
 */
export function accrueUntil(rule: AccrualRule, state: AccrualState, at: Date): AccrualChange {
  if (rule.meter.aggregation.type !== 'WEIGHTED_SUM') return changed(rule, state, state);
  const end = rule.span ? Math.min(at.getTime(), rule.span.end.getTime()) : at.getTime();
  return changed(rule, state, { ...state, total: { ...state.total, until: Math.max(end, state.total.until ?? end) } });
}

/**
 * Opens (or, after a late event in the period before, opens anew) a period with what the period before handed over:
 * what it says now, less what it had accrued, burns at once. MEANING "Usage and accrual": "`reset_usage: NEVER` carries
 * the level into the next period, whose accrual burns as it opens".
 */
export function openWith(rule: AccrualRule, state: AccrualState, carried: RunningTotal | null): AccrualChange {
  const { carried: _, ...own } = state;
  return changed(rule, state, carried ? { ...own, carried } : own);
}

/**
 * What this period hands to the next, which starts at `start`: null when the meter is reset each period, or counts in
 * buckets (which belong to their own time).
 */
export function carryOver(rule: AccrualRule, state: AccrualState, start: Date): RunningTotal | null {
  const { aggregation, resetUsage } = rule.meter;
  if (resetUsage === 'BILLING_PERIOD' || aggregation.bucketSize) return null;
  return carriedOver(aggregation, withCarried(rule, state), start);
}

/** Prices an accrual anew, after its rule's `freeUsedBefore` has changed. */
export function reprice(rule: AccrualRule, state: AccrualState): AccrualChange {
  const { settled: _, ...rest } = state;
  return changed(rule, state, rest);
}

/** `openWith` and `reprice` at once: after either of what it inherits has changed. */
export function reopen(rule: AccrualRule, state: AccrualState, carried: RunningTotal | null): AccrualChange {
  const { settled: _settled, carried: _carried, ...own } = state;
  return changed(rule, state, carried ? { ...own, carried } : own);
}

/** What an accrual says now; `accrued` is the stored money, the rest follows from the rule. */
export function readAccrual(rule: AccrualRule, state: AccrualState): AccrualReading {
  const { quantity, free, billable } = priced(rule, state);
  return { quantity, free, billable, accrued: new Decimal(state.accrued) };
}

/**
 * The free units used, up to now, of the allowance window that holds `at`, those used before this item included: what
 * the next item or period in that window gets as `freeUsedBefore`. MEANING "Periods": "free units already used in the
 * window come off the new allowance".
 */
export function freeUsedIn(rule: AccrualRule, state: AccrualState, at: Date): Decimal {
  const before = rule.freeUsedBefore ?? ZERO;
  if (!rule.window) return before.plus(priced(rule, state).free);
  const window = windowOf(rule.window, at);
  const usedBefore = window === firstWindow(rule) ? before : ZERO;
  const units = new Decimal(windowedUsage(rule, state)[window] ?? 0);
  return usedBefore.plus(freeUnits(units, rule.allowance, usedBefore));
}

function changed(rule: AccrualRule, before: AccrualState, next: AccrualState): AccrualChange {
  const { quantity, free, billable, accrued, settled } = priced(rule, next);
  const state: AccrualState = { ...next, accrued: text(accrued) };
  if (settled) state.settled = settled;
  return { state, total: quantity, free, billable, delta: accrued.minus(before.accrued), accrued };
}

/** MEANING "Usage and accrual": `quantity`, `billable = quantity beyond the allowance`, `accrued = price(billable)`. */
function priced(rule: AccrualRule, state: AccrualState): AccrualReading & { settled?: SettledBuckets } {
  if (rule.meter.aggregation.bucketSize) return pricedByBucket(rule, state);
  const quantity = quantityIn(rule.meter.aggregation, withCarried(rule, state), measureOf(rule));
  const before = rule.freeUsedBefore ?? ZERO;
  const free = rule.window
    ? freeByWindow(windowedUsage(rule, state), rule.allowance, firstWindow(rule), before)
    : freeUnits(quantity, rule.allowance, before);
  return shown(quantity, free, round12(priceOf(rule.price, quantity.minus(free))));
}

/** Units are priced exactly and told at 12 places. */
function shown(exactQuantity: Decimal, exactFree: Decimal, accrued: Decimal): AccrualReading {
  const quantity = round12(exactQuantity);
  const free = round12(exactFree);
  return { quantity, free, billable: Decimal.max(quantity.minus(free), ZERO), accrued };
}

function pricedByBucket(rule: AccrualRule, state: AccrualState): AccrualReading & { settled: SettledBuckets } {
  const { allowance, freeUsedBefore, price } = rule;
  const limited = allowance === 'unlimited' ? new Decimal(Infinity) : allowance;
  const left = limited && Decimal.max(limited.minus(freeUsedBefore ?? ZERO), ZERO);
  const { quantity, free, billable, gross, settled } = priceBuckets(price, left, state.buckets ?? {}, state.settled);
  return { quantity, free, billable, accrued: round12(gross), settled };
}

function withCarried(rule: AccrualRule, { total, carried }: AccrualState): RunningTotal {
  return carried ? merge(rule.meter.aggregation, carried, total) : total;
}

/** Units carried over count in the window in which the period starts. */
function windowedUsage(rule: AccrualRule, { windows = {}, carried }: AccrualState): WindowedUsage {
  if (!carried) return windows;
  return useInWindow(windows, firstWindow(rule), quantityIn(rule.meter.aggregation, carried, null));
}

function firstWindow(rule: AccrualRule): string {
  if (!rule.window || !rule.span) throw new RangeError('an allowance window needs the span of its line item');
  return windowOf(rule.window, rule.span.start);
}

function measureOf({ span, whole }: AccrualRule): Measure | null {
  if (!span) return null;
  const period = whole ?? span;
  return { from: span.start.getTime(), whole: period.end.getTime() - period.start.getTime() };
}
