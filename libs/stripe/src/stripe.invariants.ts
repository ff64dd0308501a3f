import { invariant, type Invariant } from '@drawdown/platform';
import { sql } from 'kysely';

export const stripeInvariants: readonly Invariant[] = [
  invariant(
    'no event of the gateway is parked',
    sql`select id || ' ' || type || ': ' || coalesce(last_error, '') violation from stripe_event where status = 'parked'`,
  ),
];
