import { LATE_USAGE_WINDOW_MS, type PayloadOf, type periodOpened } from '@drawdown/contracts';
import { together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { UsagePeriod } from './usage-period.entity.js';

type Opened = PayloadOf<typeof periodOpened>;

/** The subscriptions' periods as usage sees them. */
@Injectable()
export class UsagePeriods {
  async open(tx: Tx, { period, ...subscription }: Opened): Promise<void> {
    await together(tx, openAll, {
      id: period.period_id,
      customer_id: subscription.customer_id,
      subscription_id: subscription.subscription_id,
      currency: subscription.currency,
      kind: period.kind,
      start_at: period.start,
      end_at: period.end,
    });
  }

  get(tx: Tx, id: string): Promise<UsagePeriod> {
    return tx.em.findOneOrFail(UsagePeriod, { environmentId: tx.scope.environmentId, id });
  }

  /**
   * Until when the closed periods that began before `instant` wait for late usage: one window after the last of them
   * was closed, whatever time it ended at, as their drafts do. Null when all are settled.
   */
  async awaitsUsageUntil(tx: Tx, customerId: string, instant: Date): Promise<Date | null> {
    const closedAt = await together(tx, lastClosings, { customerId, instant });
    return closedAt && new Date(closedAt.getTime() + LATE_USAGE_WINDOW_MS);
  }

  /** Nothing more is billed for it: a cancellation left its final invoice out. */
  async abandon(tx: Tx, periodId: string): Promise<void> {
    await sql`
      update usage_period set settled_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${periodId} and settled_at is null`.execute(tx.db);
  }

  /** Its end may have come earlier than was told when it opened. Again is nothing. */
  async close(tx: Tx, period: Opened['period']): Promise<void> {
    await together(tx, closeAll, { id: period.period_id, end: new Date(period.end) });
  }
}

async function openAll(tx: SetTx, periods: readonly object[]): Promise<undefined[]> {
  await sql`
    insert into usage_period (
      id, tenant_id, environment_id, customer_id, subscription_id, currency, kind, start_at, end_at, closed_at, settled_at)
    select id, ${tx.scope.tenantId}, ${tx.scope.environmentId}, customer_id, subscription_id, currency, kind, start_at,
           end_at, null, null
    from jsonb_to_recordset(${JSON.stringify(periods)}::jsonb) p(
      id text, customer_id text, subscription_id text, currency text, kind text, start_at timestamptz,
      end_at timestamptz)`.execute(tx.db);
  return periods.map(() => undefined);
}

async function closeAll(
  tx: SetTx,
  asked: readonly { readonly id: string; readonly end: Date }[],
): Promise<undefined[]> {
  await sql`
    update usage_period p set closed_at = ${tx.now}, end_at = c.end_at
    from unnest(${asked.map(({ id }) => id)}::text[], ${asked.map(({ end }) => end)}::timestamptz[]) c(id, end_at)
    where p.id = any(${asked.map(({ id }) => id)}::text[]) and p.environment_id = ${tx.scope.environmentId}
      and p.id = c.id and p.closed_at is null`.execute(tx.db);
  return asked.map(() => undefined);
}

/** When the last of a customer's periods that began before an instant and aren't settled was closed. */
async function lastClosings(
  tx: SetTx,
  asked: readonly { readonly customerId: string; readonly instant: Date }[],
): Promise<(Date | null)[]> {
  const found = await sql<{ closed_at: string | null }>`
    select (select max(closed_at) from usage_period
            where environment_id = ${tx.scope.environmentId} and customer_id = a.customer_id
              and start_at < a.instant and settled_at is null) closed_at
    from unnest(${asked.map(({ customerId }) => customerId)}::text[], ${asked.map(({ instant }) => instant)}::timestamptz[])
      with ordinality a(customer_id, instant, place) order by place`.execute(tx.db);
  return found.rows.map(({ closed_at: at }) => (at === null ? null : new Date(at)));
}
