import {
  type BillingCycle,
  type Cadence,
  type PaidTimeline,
  type Span,
  addDuration,
  nextPeriod,
  startPaidTime,
} from './period.js';

/** All that decides when the periods of a subscription lie. */
export interface SubscriptionTime {
  start: Date;
  /** the trial is `[start, trialEnd)`; null without one */
  trialEnd: Date | null;
  cycle: BillingCycle;
  cadence: Cadence;
}

/** A period of a subscription before it is recorded. */
export interface PlannedPeriod {
  kind: 'trial' | 'paid';
  span: Span;
  /** the full period of which `span` is a part; equal to it when it is whole */
  whole: Span;
}

/** How far back a subscription may start. MEANING "Periods": "starts over 13 months back are refused". */
const EARLIEST_START_MONTHS = 13;

/** The earliest instant at which a subscription made at `now` may start, on the wall clock of `zone`. */
export function earliestStart(now: Date, zone: string): Date {
  return addDuration(now, 'MONTH', -EARLIEST_START_MONTHS, zone);
}

/** Paid time, which begins where the trial ends. MEANING "Periods": "Paid time begins at `trial_end`". */
export function paidTimeOf(time: SubscriptionTime): PaidTimeline {
  return startPaidTime(time.trialEnd ?? time.start, time.cycle, time.cadence);
}

/** The period a subscription starts with: its trial, whatever boundaries lie inside it, else the first of paid time. */
export function firstPeriodOf(time: SubscriptionTime): PlannedPeriod {
  if (!time.trialEnd) return firstPaidPeriod(time);
  const trial = { start: time.start, end: time.trialEnd };
  return { kind: 'trial', span: trial, whole: trial };
}

/**
 * The period that follows `previous`: the first of paid time after a trial or a change of interval (where `time` starts
 * at that instant), else the one up to the next boundary.
 */
export function periodAfter(time: SubscriptionTime, previous: Span & { kind: 'trial' | 'paid' }): PlannedPeriod {
  const paidStart = time.trialEnd ?? time.start;
  if (previous.kind === 'trial' || previous.end.getTime() === paidStart.getTime()) return firstPaidPeriod(time);
  const span = nextPeriod(paidTimeOf(time).anchor, time.cadence, previous);
  return { kind: 'paid', span, whole: span };
}

function firstPaidPeriod(time: SubscriptionTime): PlannedPeriod {
  const { firstPeriod, whole } = paidTimeOf(time);
  return { kind: 'paid', span: firstPeriod, whole };
}
