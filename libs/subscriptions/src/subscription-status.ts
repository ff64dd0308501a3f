import type { Moves } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';

/** The life of a subscription. */
export const SUBSCRIPTION_STATUSES = [
  'draft',
  'incomplete',
  'trialing',
  'active',
  'past_due',
  'paused',
  'cancelled',
] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

/** The moves there are; a draft starts at its date, a trial ends in paid time, nothing follows a cancellation. */
export const SUBSCRIPTION_MOVES: Moves<SubscriptionStatus> = {
  draft: ['incomplete', 'trialing', 'active', 'cancelled'],
  /** Its first invoice is asked for: active when that is paid, cancelled when it is not in time. */
  incomplete: ['active', 'cancelled'],
  trialing: ['active', 'paused', 'cancelled'],
  active: ['past_due', 'paused', 'cancelled'],
  past_due: ['active', 'paused', 'cancelled'],
  /** To what it was; a trial that was over meanwhile to paid time. */
  paused: ['trialing', 'active', 'past_due', 'cancelled'],
  cancelled: [],
};

/** The new status. @throws Problem 409 when there is no such move. */
export function moved(from: SubscriptionStatus, to: SubscriptionStatus): SubscriptionStatus {
  if (!SUBSCRIPTION_MOVES[from].includes(to))
    throw Problem.state(`a subscription that is ${from} can't become ${to}`, from);
  return to;
}

/** The states in which one period follows another. */
export const RUNNING_STATUSES = ['trialing', 'active', 'past_due'] as const satisfies readonly SubscriptionStatus[];

export type RunningStatus = (typeof RUNNING_STATUSES)[number];

export const isRunning = (status: SubscriptionStatus): boolean =>
  (RUNNING_STATUSES as readonly SubscriptionStatus[]).includes(status);
