import { type BilledPeriod, type Span, periodAfter } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { type Period, type Subscription, timeOf } from '@drawdown/subscriptions';
import { billedPeriod, type BillingStep } from './bill-composer.js';

/** The period whose end is previewed; null = the current one. */
export interface AskedPeriod {
  readonly start: Date | null;
  readonly end: Date | null;
}

export interface PreviewedStep extends BillingStep {
  readonly ended: BilledPeriod;
  /** The number of the period that begins with it. */
  readonly sequence: number;
  /** Whether it is of the current period, on whose invoice late usage of earlier ones stands. */
  readonly current: boolean;
}

/** Whoever asks further ahead has mistyped. */
const FURTHEST = 500;

/**
 * The step at the end of a period of the subscription: the current one, one that is over, or one to come as things stand
 * now, which holds fees only. @param recorded oldest first.
 * @throws Problem 409 without a current period, 400 for times that are not those of one of its periods.
 */
export function previewedStep(
  subscription: Subscription,
  recorded: readonly Period[],
  { start, end }: AskedPeriod,
): PreviewedStep {
  const open = recorded.find(({ status }) => status === 'open');
  if (!open && !start && !end) {
    throw Problem.state('a subscription without a current period has no next invoice', subscription.status);
  }
  const any = !start && !end;
  for (const step of stepsOf(subscription, recorded)) {
    const same = (asked: Date | null, at: Date) => !asked || asked.getTime() === at.getTime();
    if (any ? step.current : same(start, step.ended.start) && same(end, step.ended.end)) return step;
  }
  throw notItsPeriod(subscription, recorded, { start, end });
}

function* stepsOf(subscription: Subscription, recorded: readonly Period[]): Generator<PreviewedStep> {
  for (const [place, period] of recorded.entries()) {
    const ended = billedPeriod(period);
    const current = period.status === 'open';
    const after = recorded[place + 1];
    const follows = after?.startAt.getTime() === period.endAt.getTime();
    const next = current ? upcoming(subscription, ended) : follows ? billedPeriod(after!) : null;
    yield { subscription, ended, next, sequence: period.number + 1, current };
    if (!current) continue;
    let ahead = next;
    for (let sequence = period.number + 2; ahead && sequence < period.number + FURTHEST; sequence++) {
      const following = upcoming(subscription, ahead);
      yield { subscription, ended: ahead, next: following, sequence, current: false };
      ahead = following;
    }
  }
}

/** The paid period after this one; null when the subscription ends with it. */
function upcoming(subscription: Subscription, current: BilledPeriod): BilledPeriod | null {
  if (subscription.cancelAt && subscription.cancelAt <= current.end) return null;
  const { kind, span, whole } = periodAfter(timeOf(subscription), current);
  return { id: 'upcoming', kind, ...span, whole };
}

function notItsPeriod(subscription: Subscription, recorded: readonly Period[], { start, end }: AskedPeriod): Problem {
  const at = start ?? end!;
  const holds = ({ start: from, end: to }: Span) => (start ? from <= at && at < to : from < at && at <= to);
  for (const { ended } of stepsOf(subscription, recorded)) {
    if (!holds(ended)) continue;
    const said = `from ${ended.start.toISOString()} to ${ended.end.toISOString()}`;
    const field =
      start && start.getTime() === ended.start.getTime() ? 'period_end' : start ? 'period_start' : 'period_end';
    return Problem.invalid(field, `must be that of a period of the subscription: the one there is ${said}`);
  }
  return Problem.invalid(start ? 'period_start' : 'period_end', 'lies in no period of the subscription');
}
