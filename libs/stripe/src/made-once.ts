import Stripe from 'stripe';
import { isReplayed } from './key-life.js';

/** So many failures of Stripe's own for one thing within the life of a key are an outage. */
const MOST_KEYS = 5;

/**
 * Makes a thing at Stripe under a key of ours. A key under which Stripe remembers a failure of its own is used up: every
 * repeat gets the same 500 for a day. Then what that run has made all the same is looked for, and the next key is tried;
 * the keys are the same for everybody who makes this thing, so it is made once.
 */
export async function madeOnce<T>(
  key: string,
  make: (key: string) => Promise<T>,
  find: () => Promise<T | null>,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await make(number === 1 ? key : `${key}:${number}`);
    } catch (error) {
      if (!isFailureRemembered(error) || number === MOST_KEYS) throw error;
      const made = await find();
      if (made) return made;
    }
  }
}

const isFailureRemembered = (error: unknown): boolean =>
  isReplayed(error) && (error as Stripe.errors.StripeError).statusCode! >= 500;
