import { allowanceWindow, periodContaining, type Span, type WindowPeriod } from '@drawdown/billing-core';
import type { Meter } from '@drawdown/features';
import type { SubscriptionTerms } from '@drawdown/subscriptions';

/** The time within which use counts against a limit. */
export interface LimitWindow extends Span {
  /** When it begins anew; null = never. */
  readonly resetsAt: Date | null;
}

/**
 * The window of a limit at `now`: the billing period, a step of the entitlement's own from the period's start (of paid
 * time for one that is longer), or the whole life of the subscription. Null before the first period and after the last.
 * MEANING "Allowances".
 */
export function limitWindow(
  subscription: SubscriptionTerms,
  { resetUsage }: Pick<Meter, 'resetUsage'>,
  reset: WindowPeriod | null,
  now: Date,
): LimitWindow | null {
  const { currentPeriodStart: start, currentPeriodEnd: end, startDate, trialEnd, paidFrom } = subscription;
  if (!start || !end) return null;
  if (reset === 'NEVER' || resetUsage === 'NEVER') return { start: startDate, end, resetsAt: null };
  const { billingPeriod, billingPeriodCount: count, customerTimezone: zone, status } = subscription;
  const window = allowanceWindow(
    reset,
    { billingPeriod, count },
    {
      period: { start, end, kind: status === 'trialing' ? 'trial' : 'paid' },
      paidStart: paidFrom ?? trialEnd ?? startDate,
      zone,
    },
  );
  if (!window || !reset) return { start, end, resetsAt: end };
  const step = periodContaining(window.anchor, { billingPeriod: reset, count: 1, zone }, now);
  const stepEnd = window.anchor.getTime() === start.getTime() && step.end > end ? end : step.end;
  return { start: step.start, end: stepEnd, resetsAt: stepEnd };
}
