import { canMove, type Moves } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';

export const PAUSE_STATUSES = ['scheduled', 'active', 'completed', 'cancelled'] as const;
export type PauseStatus = (typeof PAUSE_STATUSES)[number];

/** A pause: planned, begun, over by resuming; withdrawn before it began, or ended with its subscription. */
export const PAUSE_MOVES: Moves<PauseStatus> = {
  scheduled: ['active', 'cancelled'],
  active: ['completed', 'cancelled'],
  completed: [],
  cancelled: [],
};

export const SCHEDULE_STATUSES = ['pending', 'executed', 'cancelled', 'failed'] as const;
export type ScheduleStatus = (typeof SCHEDULE_STATUSES)[number];

/** A planned change. */
export const SCHEDULE_MOVES: Moves<ScheduleStatus> = {
  pending: ['executed', 'cancelled', 'failed'],
  executed: [],
  cancelled: [],
  failed: [],
};

/** The new status. @throws Problem 409 with the state when there is no such move. */
export function move<S extends string>(moves: Moves<S>, what: string, from: S, to: S): S {
  if (!canMove(moves, from, to)) throw Problem.state(`a ${what} that is ${from} can't become ${to}`, from);
  return to;
}
