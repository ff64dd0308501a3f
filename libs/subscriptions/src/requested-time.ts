import { addDuration, earliestStart } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { LONGEST_TRIAL_DAYS, type CreateSubscriptionBody } from './subscriptions.dto.js';

type TimeFields = Pick<
  CreateSubscriptionBody,
  'start_date' | 'end_date' | 'trial_start' | 'trial_end' | 'trial_period_days' | 'trial_period'
>;

/**
 * When a request wants its subscription to start; without a word, now.
 * @throws Problem 400 further back than boundaries can be caught up (MEANING.md, "Periods").
 */
export function requestedStart(body: TimeFields, now: Date, zone: string): Date {
  const start = body.start_date ? new Date(body.start_date) : now;
  const earliest = earliestStart(now, zone);
  if (start < earliest) throw Problem.invalid('start_date', `must not lie before ${earliest.toISOString()}`);
  return start;
}

/** The days of trial the request decides on, 0 when it names the end itself; null leaves them to the plan's prices. */
export const requestedTrialDays = (body: TimeFields): number | null =>
  body.trial_end ? 0 : (body.trial_period_days ?? body.trial_period ?? null);

/**
 * Where the trial of a subscription that starts at `start` ends: as the request says, else after `days`; null
 * without a trial. Days are counted on the wall clock of the zone.
 * @throws Problem 400 for an end that is not after the start, too far from it, or two that contradict each other.
 */
export function requestedTrialEnd(body: TimeFields, start: Date, zone: string, days: number): Date | null {
  if (body.trial_start && new Date(body.trial_start).getTime() !== start.getTime()) {
    throw Problem.invalid('trial_start', `must be the start of the subscription, ${start.toISOString()}`);
  }
  if (!body.trial_end) return days > 0 ? addDuration(start, 'DAY', days, zone) : null;
  const end = new Date(body.trial_end);
  if (end <= start) throw Problem.invalid('trial_end', `must lie after the start, ${start.toISOString()}`);
  const latest = addDuration(start, 'DAY', LONGEST_TRIAL_DAYS, zone);
  if (end > latest) throw Problem.invalid('trial_end', `must not lie after ${latest.toISOString()}, in three years`);
  if ((body.trial_period_days ?? body.trial_period ?? null) !== null) {
    throw Problem.invalid('trial_end', 'and trial_period_days exclude each other');
  }
  return end;
}

/** Where the subscription ends by agreement, if it does. @throws Problem 400 for an end that is not after the start. */
export function requestedEnd(body: TimeFields, start: Date): Date | null {
  const end = body.end_date ? new Date(body.end_date) : null;
  if (end && end <= start) throw Problem.invalid('end_date', `must lie after the start, ${start.toISOString()}`);
  return end;
}
