import { sql, type RawBuilder } from 'kysely';
import type { Sql } from './transactions.js';

/** Something that must hold at any moment between transactions, checked by reading only. */
export interface Invariant {
  /** A sentence that is true while nothing is broken. */
  readonly name: string;
  /** What breaks it, one line each; empty when it holds. */
  readonly check: (db: Sql) => Promise<string[]>;
}

const MAX_REPORTED = 100;

/** An invariant whose violations are the rows of a query with one text column `violation`. */
export const invariant = (name: string, violations: RawBuilder<{ violation: string }>): Invariant => ({
  name,
  check: async (db) => {
    const found = await sql<{ violation: string }>`
      select violation from (${violations}) broken limit ${MAX_REPORTED}`.execute(db);
    return found.rows.map((row) => row.violation);
  },
});

/** The platform's own: nothing that was committed is forgotten. */
export const platformInvariants: readonly Invariant[] = [
  invariant(
    'no delivery of the outbox is dead',
    sql`select handler || ' of event ' || e.id || ': ' || coalesce(d.last_error, '') violation
        from outbox_delivery d join outbox_event e on e.seq = d.event_seq where d.status = 'dead'`,
  ),
  invariant(
    'no due work is parked',
    sql`select kind || ' of ' || subject_id || ': ' || coalesce(last_error, '') violation
        from due_work where parked_at is not null`,
  ),
];
