import { type Moves, statusesOf } from '@drawdown/billing-core';
import { move, PAUSE_MOVES, PAUSE_STATUSES, SCHEDULE_MOVES, SCHEDULE_STATUSES } from './lifecycles.js';

function reachable<S extends string>(moves: Moves<S>): [S, S[]][] {
  const statuses = statusesOf(moves);
  const from = (one: S) =>
    statuses.filter((to) => {
      try {
        return move(moves, 'thing', one, to) === to;
      } catch (problem) {
        expect(problem).toMatchObject({ status: 409, details: { state: one } });
        return false;
      }
    });
  return statuses.map((one) => [one, from(one)]);
}

it('a pause moves along its life and no other way', () => {
  expect(reachable(PAUSE_MOVES)).toEqual([
    ['scheduled', ['active', 'cancelled']],
    ['active', ['completed', 'cancelled']],
    ['completed', []],
    ['cancelled', []],
  ]);
  expect(statusesOf(PAUSE_MOVES)).toEqual([...PAUSE_STATUSES]);
});

it('a planned change happens, fails or is withdrawn, once', () => {
  expect(reachable(SCHEDULE_MOVES)).toEqual([
    ['pending', ['executed', 'cancelled', 'failed']],
    ['executed', []],
    ['cancelled', []],
    ['failed', []],
  ]);
  expect(statusesOf(SCHEDULE_MOVES)).toEqual([...SCHEDULE_STATUSES]);
});
