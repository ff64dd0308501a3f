import { type Decimal, ZERO } from './decimal.js';
import { type Cadence, type PaidTimeline, type Span, addDuration, intersection, periodContaining } from './period.js';
import { prorate } from './proration.js';

/** What a change gives back and what it charges, both 0 or more; money, 12 places. */
export interface Adjustment {
  credit: Decimal;
  charge: Decimal;
  /** charge - credit */
  net: Decimal;
}

/**
 * A fee paid in advance for `period` that changes at `at`: what was paid for the rest comes back, what the rest costs
 * now is charged. A change of plan, of quantity (fee = amount x quantity) or both. `whole` is the full period whose fee
 * `from` and `to` are; `period` is the paid part of it. The instant itself belongs to the new side only; outside the
 * period nothing changes. MEANING "Periods": "Proration is by the second, the change instant belongs to the new side
 * only, shares sum to the whole".
 */
export function changeFee(fee: { from: Decimal; to: Decimal }, at: Date, period: Span, whole: Span): Adjustment {
  return adjustment(prorateRest(fee.from, at, period, whole), prorateRest(fee.to, at, period, whole));
}

/**
 * A change to another interval: the unused rest of the old period comes back, the new fee is charged for its first
 * period, which begins at `at` (`startPaidTime`). MEANING "Periods": "another interval starts a new period at that instant".
 */
export function changeInterval(
  fee: { from: Decimal; to: Decimal },
  at: Date,
  old: { period: Span; whole: Span },
  next: Pick<PaidTimeline, 'firstPeriod' | 'whole'>,
): Adjustment {
  return adjustment(prorateRest(fee.from, at, old.period, old.whole), prorate(fee.to, next.firstPeriod, next.whole));
}

/** What a change means for the price of time: `lateral` when it costs the same by the second. */
export function directionOf(
  from: { fee: Decimal; period: Span },
  to: { fee: Decimal; period: Span },
): 'upgrade' | 'downgrade' | 'lateral' {
  const difference = to.fee.times(lengthOf(from.period)).minus(from.fee.times(lengthOf(to.period)));
  return difference.isZero() ? 'lateral' : difference.gt(ZERO) ? 'upgrade' : 'downgrade';
}

const lengthOf = ({ start, end }: Span): number => end.getTime() - start.getTime();

function adjustment(credit: Decimal, charge: Decimal): Adjustment {
  return { credit, charge, net: charge.minus(credit) };
}

function prorateRest(fee: Decimal, at: Date, period: Span, whole: Span): Decimal {
  const rest = intersection(period, { start: at, end: period.end });
  return rest ? prorate(fee, rest, whole) : ZERO;
}

/**
 * A trial of so many days: one period of its own, whatever boundaries lie inside it. Paid time begins at its end
 * (`startPaidTime`). MEANING "Periods": "A trial is one period `[start, trial_end)` of its own".
 */
export function trialPeriod(start: Date, days: number, zone: string): Span {
  return { start: new Date(start), end: addDuration(start, 'DAY', days, zone) };
}

/** What a fee paid for `period` gives back for the time it was paused. MEANING "Periods": "A pause moves no boundary". */
export function pausedCredit(fee: Decimal, pause: Span, period: Span, whole: Span): Decimal {
  const paused = intersection(pause, period);
  return paused ? prorate(fee, paused, whole) : ZERO;
}

/**
 * The period in which a paused subscription resumes: the part of the running period from `at` on. MEANING "Periods":
 * "resuming is a first partial period".
 */
export function resumePeriod(anchor: Date, cadence: Cadence, at: Date): Pick<PaidTimeline, 'firstPeriod' | 'whole'> {
  const { start, end } = periodContaining(anchor, cadence, at);
  return { firstPeriod: { start: new Date(at), end }, whole: { start, end } };
}
