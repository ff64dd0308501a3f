import { realTime } from '@drawdown/platform';
import Stripe from 'stripe';
import { decodeTime } from 'ulid';

/** Stripe remembers a key for 24 hours at least; an hour of them is kept in hand. */
const KEY_LIFE_MS = 23 * 3_600_000;

/** When an id was made, by the time inside it; null for an id of another kind. */
export function madeAtMs(id: string): number | null {
  try {
    return decodeTime(id.slice(id.lastIndexOf('_') + 1));
  } catch {
    return null;
  }
}

/** Whether Stripe may have forgotten the key that was made with this id: what it was used for is looked for first. */
export function isKeyOld(id: string): boolean {
  const madeAt = madeAtMs(id);
  return madeAt === null || realTime().getTime() - madeAt > KEY_LIFE_MS;
}

/** A key that Stripe answers from memory: the run it was first used for is over. */
export const isReplayed = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.headers?.['idempotent-replayed'] === 'true';
