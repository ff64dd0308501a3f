import type { periodOpened, PayloadOf } from '@drawdown/contracts';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { UsagePeriod } from './usage-period.entity.js';

type Opened = PayloadOf<typeof periodOpened>;

/** The subscriptions' periods as usage sees them. */
@Injectable()
export class UsagePeriods {
  async open(tx: Tx, { period, ...subscription }: Opened): Promise<void> {
    tx.em.create(UsagePeriod, {
      ...tx.scope,
      id: period.period_id,
      customerId: subscription.customer_id,
      subscriptionId: subscription.subscription_id,
      currency: subscription.currency,
      kind: period.kind,
      startAt: new Date(period.start),
      endAt: new Date(period.end),
      closedAt: null,
      settledAt: null,
    });
    await tx.em.flush();
  }

  /** Its end may have come earlier than was told when it opened. Again is nothing. */
  async close(tx: Tx, period: Opened['period']): Promise<void> {
    await sql`
      update usage_period set closed_at = ${tx.now}, end_at = ${new Date(period.end)}
      where environment_id = ${tx.scope.environmentId} and id = ${period.period_id} and closed_at is null`.execute(
      tx.db,
    );
  }
}
