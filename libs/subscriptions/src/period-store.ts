import type { PlannedPeriod } from '@drawdown/billing-core';
import { newId, type Tx } from '@drawdown/platform';
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
  const id = newId('period');
  const inserted = await sql`
    insert into subscription_period
      (id, tenant_id, environment_id, subscription_id, customer_id, number, kind, start_at, end_at,
       whole_start, whole_end, rest_credited, status, created_at, updated_at)
    values (${id}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${subscription.id}, ${subscription.customerId},
            ${number}, ${kind}, ${span.start}, ${span.end}, ${whole.start}, ${whole.end}, false, 'open', ${tx.now}, ${tx.now})
    on conflict on constraint subscription_period_number do nothing
    returning id`.execute(tx.db);
  if (inserted.rows.length === 0) return null;
  return tx.em.findOneOrFail(Period, { environmentId: tx.scope.environmentId, id });
}
