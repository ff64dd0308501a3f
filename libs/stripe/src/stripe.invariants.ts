import { invariant, type Invariant } from '@drawdown/platform';
import { sql } from 'kysely';

export const stripeInvariants: readonly Invariant[] = [
  invariant(
    'every event of Stripe is handled within a quarter of an hour, and none is parked',
    sql`select environment_id || ' ' || type || ' ' || id || ' is ' || status || ': ' || coalesce(last_error, '') violation
        from stripe_event
        where status = 'parked' or (status = 'received' and received_at < now() - interval '15 minutes')`,
  ),
  invariant(
    'what became of a hosted page is known an hour after its end',
    sql`select environment_id || ' ' || session_id || ' (' || id || ') ended at ' || expires_at violation
        from stripe_checkout where status = 'open' and expires_at < now() - interval '1 hour'`,
  ),
];
