import type Stripe from 'stripe';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';

const PER_HOUR = 1000;
const HOUR = 3600;

const windows = new WeakMap<Account, Map<string, { since: number; count: number }>>();

/** At most 1,000 updates per PaymentIntent and hour. Counted in memory only: a restart forgives. */
export function countUpdate(account: Account, intent: Stripe.PaymentIntent): void {
  const counts = windows.get(account) ?? new Map<string, { since: number; count: number }>();
  windows.set(account, counts);
  const now = account.clock.now();
  const window = counts.get(intent.id);
  const current = window && now - window.since < HOUR ? window : { since: now, count: 0 };
  current.count += 1;
  counts.set(intent.id, current);
  if (current.count <= PER_HOUR) return;
  throw new ApiError(
    429,
    {
      type: 'invalid_request_error',
      code: 'payment_intent_rate_limit_exceeded',
      message: 'The PaymentIntent has been updated more than 1,000 times within an hour.',
    },
    { beforeExecution: true },
  );
}
