import { dueWorkOrder, type DueWork, type DueWorkKind } from '@drawdown/contracts';
import { sql } from 'kysely';
import type { SetTx } from '../database/together.js';

/** Sets (or moves) the instants of things to do. Of one thing that is named twice the last counts. */
export async function scheduleAll(tx: SetTx, asked: readonly (readonly DueWork[])[]): Promise<undefined[]> {
  const rows = new Map(
    asked.flat().map(({ kind, customerId, subjectId, dueAt }) => [
      `${kind} ${subjectId}`,
      {
        kind,
        rank: dueWorkOrder.indexOf(kind),
        customer_id: customerId,
        subject_id: subjectId,
        due_at: dueAt.toISOString(),
      },
    ]),
  );
  await sql`
    insert into due_work (tenant_id, environment_id, kind, rank, customer_id, subject_id, due_at)
    select ${tx.scope.tenantId}, ${tx.scope.environmentId}, kind, rank, customer_id, subject_id, due_at
    from jsonb_to_recordset(${JSON.stringify([...rows.values()])}::jsonb) w(
      kind text, rank smallint, customer_id text, subject_id text, due_at timestamptz)
    on conflict (environment_id, kind, subject_id) do update
    set due_at = excluded.due_at, attempts = 0, parked_at = null, last_error = null, retry_at = null`.execute(tx.db);
  return asked.map(() => undefined);
}

interface Cancelled {
  readonly kind: DueWorkKind;
  readonly subjectId: string;
}

export async function cancelAll(tx: SetTx, asked: readonly Cancelled[]): Promise<undefined[]> {
  await sql`
    delete from due_work w
    using unnest(${asked.map(({ kind }) => kind)}::text[], ${asked.map(({ subjectId }) => subjectId)}::text[]) c(kind, subject_id)
    where w.environment_id = ${tx.scope.environmentId} and w.kind = c.kind and w.subject_id = c.subject_id`.execute(
    tx.db,
  );
  return asked.map(() => undefined);
}
