import { canMove, HOLD_MOVES, statusesOf } from './lifecycle.js';

it('a hold is open until it is captured, released or expired, and then stays as it is', () => {
  const moves = statusesOf<keyof typeof HOLD_MOVES>(HOLD_MOVES).flatMap((from) =>
    statusesOf<keyof typeof HOLD_MOVES>(HOLD_MOVES)
      .filter((to) => canMove(HOLD_MOVES, from, to))
      .map((to) => `${from} -> ${to}`),
  );
  expect(moves).toEqual(['open -> captured', 'open -> released', 'open -> expired']);
});
