import { type LocalDate, daysBetween, daysInMonth, instantOf, localOf, weekday } from './wall-clock.js';

export const BILLING_PERIODS = ['DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL'] as const;
export type BillingPeriod = (typeof BILLING_PERIODS)[number];

export const BILLING_CYCLES = ['calendar', 'anniversary'] as const;
export type BillingCycle = (typeof BILLING_CYCLES)[number];

export const DURATION_UNITS = ['DAY', 'WEEK', 'MONTH', 'YEAR'] as const;
export type DurationUnit = (typeof DURATION_UNITS)[number];

/** An interval of `count` billing periods, counted on the wall clock of `zone` (an IANA name). */
export interface Cadence {
  billingPeriod: BillingPeriod;
  /** a whole number from 1 */
  count: number;
  zone: string;
}

/** `[start, end)`: the end belongs to what follows. */
export interface Span {
  start: Date;
  end: Date;
}

/** How paid time begins: all later boundaries follow from `anchor`. */
export interface PaidTimeline {
  anchor: Date;
  firstPeriod: Span;
  /** the full period of which `firstPeriod` is a part; equal to it when it is whole */
  whole: Span;
}

type Step = { months: number } | { days: number };

const STEPS: Record<BillingPeriod, Step> = {
  DAILY: { days: 1 },
  WEEKLY: { days: 7 },
  MONTHLY: { months: 1 },
  QUARTERLY: { months: 3 },
  HALF_YEARLY: { months: 6 },
  ANNUAL: { months: 12 },
};
const DURATIONS: Record<DurationUnit, Step> = {
  DAY: { days: 1 },
  WEEK: { days: 7 },
  MONTH: { months: 1 },
  YEAR: { months: 12 },
};

/**
 * Boundary number `n` (any whole number) of a series: anchor + n x interval on the wall clock, clamped to the end of a
 * shorter month and always counted from the anchor (31 Jan, 28 Feb, 31 Mar). Boundary 0 is the anchor itself.
 * MEANING "Periods". Throws RangeError for an unknown zone or a count that is no whole number from 1.
 */
export function boundary(anchor: Date, cadence: Cadence, n: number): Date {
  assertCount(cadence.count);
  return stepFrom(anchor, STEPS[cadence.billingPeriod], cadence.count * n, cadence.zone);
}

/**
 * `at` plus a number of days, weeks, months or years on the wall clock of the zone: trials and expiries.
 * MEANING "Periods": "All steps of a day or longer, trials and expiries too, are on the wall clock of the customer's
 * zone". `count` is a whole number. Throws RangeError for an unknown zone or a fractional count.
 */
export function addDuration(at: Date, unit: DurationUnit, count: number, zone: string): Date {
  if (!Number.isInteger(count)) throw new RangeError(`a duration needs a whole number, not ${count}`);
  return stepFrom(at, DURATIONS[unit], count, zone);
}

function stepFrom(at: Date, step: Step, times: number, zone: string): Date {
  if (times === 0) return new Date(at);
  const local = localOf(at, zone);
  return instantOf('days' in step ? plusDays(local, step.days * times) : plusMonths(local, step.months * times), zone);
}

function plusDays(local: LocalDate, days: number): LocalDate {
  return { ...local, day: local.day + days };
}

function plusMonths(local: LocalDate, months: number): LocalDate {
  const month = local.month + months;
  return { ...local, month, day: Math.min(local.day, daysInMonth(local.year, month)) };
}

/**
 * The first natural boundary strictly after `at`: midnight, Monday, the 1st, the first of a quarter, of a half year,
 * or 1 January, by the cadence's period and on its wall clock. MEANING "Periods": "Calendar: the next natural
 * boundary". The cadence's count does not matter here.
 */
export function calendarAnchor(at: Date, cadence: Cadence): Date {
  for (let ahead = 0; ; ahead++) {
    const candidate = naturalBoundary(at, cadence, ahead);
    if (candidate > at) return candidate;
  }
}

/** The natural boundary at or before `at`: the midnight, Monday, 1st … that the wall clock last passed. */
export function naturalStart(at: Date, cadence: Cadence): Date {
  return naturalBoundary(at, cadence, 0);
}

/** The natural boundary that the wall clock at `at` last passed, and those `ahead` of it. */
function naturalBoundary(at: Date, { billingPeriod, zone }: Cadence, ahead: number): Date {
  const step = STEPS[billingPeriod];
  const local = { ...localOf(at, zone), timeOfDay: 0 };
  if ('days' in step) {
    const back = billingPeriod === 'WEEKLY' ? weekday(local) : 0;
    return instantOf(plusDays(local, ahead * step.days - back), zone);
  }
  const month = local.month - (local.month % step.months) + ahead * step.months;
  return instantOf({ ...local, month, day: 1 }, zone);
}

/**
 * The period of a series that holds `at`, and the number of its first boundary (negative before the anchor). Every
 * instant is in exactly one period; periods tile the line. MEANING "Periods". Throws as `boundary`.
 */
export function periodContaining(anchor: Date, cadence: Cadence, at: Date): Span & { index: number } {
  let index = roughIndex(anchor, cadence, at);
  while (boundary(anchor, cadence, index) > at) index--;
  let end = boundary(anchor, cadence, index + 1);
  while (end <= at) {
    index++;
    end = boundary(anchor, cadence, index + 1);
  }
  return { start: boundary(anchor, cadence, index), end, index };
}

function roughIndex(anchor: Date, { billingPeriod, count, zone }: Cadence, at: Date): number {
  assertCount(count);
  const step = STEPS[billingPeriod];
  const from = localOf(anchor, zone);
  const to = localOf(at, zone);
  if ('days' in step) return Math.floor(daysBetween(from, to) / (step.days * count));
  return Math.floor(((to.year - from.year) * 12 + to.month - from.month) / (step.months * count));
}

/**
 * Paid time that begins at `start` (a trial's end, or the subscription's start without a trial).
 * Anniversary: `start` is the anchor and the first period is whole. Calendar: the anchor is the next natural boundary
 * and the first period the part up to it, unless `start` is a natural boundary itself.
 * MEANING "Periods": "share = its seconds / seconds of the whole period ending there".
 */
export function startPaidTime(start: Date, cycle: BillingCycle, cadence: Cadence): PaidTimeline {
  if (cycle === 'anniversary' || naturalStart(start, cadence).getTime() === start.getTime()) {
    const period = { start: new Date(start), end: boundary(start, cadence, 1) };
    return { anchor: new Date(start), firstPeriod: period, whole: period };
  }
  const anchor = calendarAnchor(start, cadence);
  return {
    anchor,
    firstPeriod: { start: new Date(start), end: anchor },
    whole: { start: boundary(anchor, cadence, -1), end: anchor },
  };
}

/** The period after `previous`, from its end to the next boundary: right after a trial or a partial period too. */
export function nextPeriod(anchor: Date, cadence: Cadence, previous: Span): Span {
  return { start: new Date(previous.end), end: periodContaining(anchor, cadence, previous.end).end };
}

/** True when `at` lies in `[start, end)`. */
export function holds(span: Span, at: Date): boolean {
  return span.start <= at && at < span.end;
}

/** The time two spans share, or null when they share none. */
export function intersection(a: Span, b: Span): Span | null {
  const start = a.start > b.start ? a.start : b.start;
  const end = a.end < b.end ? a.end : b.end;
  return start < end ? { start, end } : null;
}

function assertCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`a period count is a whole number from 1, not ${count}`);
  }
}
