import { Decimal, round12 } from './decimal.js';
import type { Span } from './period.js';

/**
 * The share of `whole` that `part` is: elapsed seconds over elapsed seconds, exact to the millisecond, in [0, 1].
 * MEANING "Periods": "shares count elapsed seconds". Throws RangeError when `whole` is empty or `part` leaves it.
 */
export function share(part: Span, whole: Span): Decimal {
  assertInside(part, whole);
  return ms(part.start, part.end).div(ms(whole.start, whole.end));
}

/**
 * The part of `amount` (money or credits for `whole`, any sign) that belongs to `part`, at 12 places. It is the
 * difference of what had elapsed at the part's two ends, so parts that tile a period sum to its amount exactly, however
 * often it is cut. MEANING "Periods": "Proration is by the second, … shares sum to the whole". Throws as `share`.
 */
export function prorate(amount: Decimal, part: Span, whole: Span): Decimal {
  assertInside(part, whole);
  const length = ms(whole.start, whole.end);
  const until = (at: Date) => round12(amount.times(ms(whole.start, at)).div(length));
  return until(part.end).minus(until(part.start));
}

function ms(from: Date, to: Date): Decimal {
  return new Decimal(to.getTime() - from.getTime());
}

function assertInside(part: Span, whole: Span): void {
  if (!(whole.start < whole.end)) throw new RangeError('a period without length has no shares');
  if (!(whole.start <= part.start && part.start <= part.end && part.end <= whole.end)) {
    throw new RangeError('a part must lie inside the period it is a share of');
  }
}
