import type { PlannedPeriod } from '@drawdown/billing-core';
import { hasInHand, newId, together, type SetTx, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { Period } from './period.entity.js';
import type { Subscription } from './subscription.entity.js';

/** The open period; a subscription has one at most. */
export const openPeriodOf = (tx: Tx, subscriptionId: string): Promise<Period | null> =>
  tx.em.findOne(Period, { environmentId: tx.scope.environmentId, subscriptionId, status: 'open' });

/** The last period, open or not; of a subscription that has begun. */
export const latestPeriodOf = async (tx: Tx, subscriptionId: string): Promise<Period> => {
  const where = { environmentId: tx.scope.environmentId, subscriptionId };
  const [latest] = await tx.em.find(Period, where, { orderBy: { number: 'desc' }, limit: 1 });
  return latest!;
};

/** What events say of a period. */
export const periodPayload = (period: Period) => ({
  period_id: period.id,
  number: period.number,
  kind: period.kind,
  start: period.startAt.toISOString(),
  end: period.endAt.toISOString(),
  whole_start: period.wholeStart.toISOString(),
  whole_end: period.wholeEnd.toISOString(),
});

/** The new period, or null when it was recorded before. */
export async function recordPeriod(
  tx: Tx,
  subscription: Subscription,
  { kind, span, whole }: PlannedPeriod,
  number: number,
): Promise<Period | null> {
  const recorded = await together(tx, recordPeriods, {
    id: newId('period'),
    subscription_id: subscription.id,
    customer_id: subscription.customerId,
    number,
    kind,
    start_at: span.start,
    end_at: span.end,
    whole_start: whole.start,
    whole_end: whole.end,
  });
  return recorded && tx.em.map(Period, recorded);
}

/** @returns of each the row, null where it was recorded before. */
async function recordPeriods(tx: SetTx, periods: readonly { readonly id: string }[]): Promise<(PeriodRow | null)[]> {
  const inserted = await sql<PeriodRow>`
    insert into subscription_period
      (id, tenant_id, environment_id, subscription_id, customer_id, number, kind, start_at, end_at,
       whole_start, whole_end, rest_credited, status, created_at, updated_at)
    select id, ${tx.scope.tenantId}, ${tx.scope.environmentId}, subscription_id, customer_id, number, kind, start_at, end_at,
           whole_start, whole_end, false, 'open', ${tx.now}, ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(periods)}::jsonb) p(
      id text, subscription_id text, customer_id text, number int, kind text, start_at timestamptz, end_at timestamptz,
      whole_start timestamptz, whole_end timestamptz)
    on conflict on constraint subscription_period_number do nothing
    returning *`.execute(tx.db);
  const recorded = new Map(inserted.rows.map((row) => [row.id, row]));
  return periods.map(({ id }) => recorded.get(id) ?? null);
}

/** As the database has it. */
interface PeriodRow {
  readonly id: string;
}

/** Which period of a subscription an instant lies in; null for none. */
export async function periodIdAt(tx: Tx, subscriptionId: string, at: Date): Promise<string | null> {
  if (hasInHand(tx, Period)) await tx.em.flush();
  return together(tx, periodIdsAt, { subscriptionId, at });
}

async function periodIdsAt(
  tx: SetTx,
  asked: readonly { readonly subscriptionId: string; readonly at: Date }[],
): Promise<(string | null)[]> {
  const found = await sql<{ id: string | null }>`
    select (select id from subscription_period
            where environment_id = ${tx.scope.environmentId} and subscription_id = a.subscription_id
              and start_at <= a.at and end_at > a.at limit 1) id
    from unnest(${asked.map(({ subscriptionId }) => subscriptionId)}::text[], ${asked.map(({ at }) => at)}::timestamptz[])
      with ordinality a(subscription_id, at, place) order by place`.execute(tx.db);
  return found.rows.map(({ id }) => id);
}
