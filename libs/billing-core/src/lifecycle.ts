/** A lifecycle: each status with those that may follow it. The tables stand with the modules that own the things. */
export type Moves<S extends string> = { readonly [status in S]: readonly S[] };

/** A reservation of credits. MEANING "Authorization and holds": capture of an ended hold is refused. */
export const HOLD_MOVES = {
  open: ['captured', 'released', 'expired'],
  captured: [],
  released: [],
  expired: [],
} as const;

export type HoldStatus = keyof typeof HOLD_MOVES;

/** True when `to` may follow `from`. Staying is no move. */
export function canMove<S extends string>(moves: Moves<S>, from: S, to: S): boolean {
  return moves[from].includes(to);
}

/** All statuses of a lifecycle, in the table's order. */
export function statusesOf<S extends string>(moves: Moves<S>): S[] {
  return Object.keys(moves) as S[];
}
