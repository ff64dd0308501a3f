import { addDuration } from './period.js';

/** Days after the first failure on which payment is tried again. DESIGN "Money through Stripe". */
export const DEFAULT_DUNNING_DAYS: readonly number[] = [1, 3, 5, 7];

/**
 * The instants at which an unpaid invoice is charged again: so many days after `from` (the first failure, or the due
 * date) on the wall clock of the zone, in ascending order without repeats. After the last one dunning ends.
 * Throws RangeError for a day that is no whole number from 1.
 */
export function dunningSchedule(days: readonly number[], from: Date, zone = 'UTC'): Date[] {
  return [...new Set(days)]
    .toSorted((a, b) => a - b)
    .map((day) => {
      if (!Number.isInteger(day) || day < 1) throw new RangeError(`dunning retries after 1 day or more, not ${day}`);
      return addDuration(from, 'DAY', day, zone);
    });
}
