import type { DueWork, DueWorkKind } from '@drawdown/contracts';
import { sql } from 'kysely';
import type { SetTx } from '../database/together.js';
import type { Tx } from '../database/transactions.js';

/** A customer whose row is locked, with the earliest instant at which something is due for it. */
export interface Claim {
  readonly customerId: string;
  readonly dueAt: Date;
}

interface DueRow {
  kind: DueWorkKind;
  customer_id: string;
  subject_id: string;
  due_at: string;
}

/** Locks so many customers with due work and tells the earliest instant of each. */
export async function claimCustomers(tx: Tx, until: Date, atMost: number): Promise<Claim[]> {
  const candidates = await sql<{ customer_id: string }>`
    select w.customer_id from due_work w
    join customer c on c.environment_id = w.environment_id and c.id = w.customer_id
    where w.environment_id = ${tx.scope.environmentId} and w.due_at <= ${until}
      and not ${waitingCustomer()}
    order by w.due_at, w.rank, w.customer_id limit ${atMost}
    for update of c skip locked`.execute(tx.db);
  const customerIds = [...new Set(candidates.rows.map((row) => row.customer_id))];
  if (customerIds.length === 0) return [];
  const earliest = await sql<{ customer_id: string; due_at: string }>`
    select customer_id, min(due_at) due_at from due_work
    where environment_id = ${tx.scope.environmentId} and customer_id = any(${customerIds}::text[])
    group by customer_id`.execute(tx.db);
  const dueAt = new Map(earliest.rows.map((row) => [row.customer_id, new Date(row.due_at)]));
  return customerIds.flatMap((customerId) => {
    const at = dueAt.get(customerId);
    return at ? [{ customerId, dueAt: at }] : [];
  });
}

export async function earliestWork(tx: Tx, customerId: string, until: Date): Promise<DueWork | null> {
  const found = await sql<DueRow>`
    select kind, customer_id, subject_id, due_at from due_work
    where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and due_at <= ${until}
    order by due_at, rank, subject_id limit 1`.execute(tx.db);
  return workOf(found.rows[0]);
}

/** The earliest of each customer up to an instant, which is not on the agenda any more; null where none is due. */
export async function takeWorks(tx: SetTx, asked: readonly Customer[]): Promise<(DueWork | null)[]> {
  const { environmentId } = tx.scope;
  const taken = await sql<DueRow>`
    delete from due_work w using (
      select first.kind, first.subject_id
      from unnest(${asked.map(({ customerId }) => customerId)}::text[], ${asked.map(({ until }) => until)}::timestamptz[])
        asked(customer_id, until)
      cross join lateral (
        select kind, subject_id from due_work
        where environment_id = ${environmentId} and customer_id = asked.customer_id and due_at <= asked.until
        order by due_at, rank, subject_id limit 1) first) first
    where w.environment_id = ${environmentId} and w.kind = first.kind and w.subject_id = first.subject_id
    returning w.kind, w.customer_id, w.subject_id, w.due_at`.execute(tx.db);
  const works = new Map(taken.rows.map((row) => [row.customer_id, row]));
  return asked.map(({ customerId }) => workOf(works.get(customerId)));
}

interface Customer {
  readonly customerId: string;
  readonly until: Date;
}

const workOf = (row: DueRow | undefined): DueWork | null =>
  row ? { kind: row.kind, customerId: row.customer_id, subjectId: row.subject_id, dueAt: new Date(row.due_at) } : null;

/**
 * A customer one of whose works is parked, or to be tried again later than in so many seconds, waits as a whole: later
 * steps must not overtake an earlier one. The index of those that do is nearly always empty: the first condition is its.
 */
export const waitingCustomer = (beyondSeconds = 0) => sql`exists (
  select from due_work p
  where p.environment_id = w.environment_id and p.customer_id = w.customer_id
    and (p.parked_at is not null or p.retry_at is not null)
    and (p.parked_at is not null or p.retry_at > now() + make_interval(secs => ${beyondSeconds}::float)))`;
