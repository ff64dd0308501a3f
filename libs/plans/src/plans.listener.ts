import { planChanged, subscriptionCancelled, subscriptionCreated, type PayloadOf } from '@drawdown/contracts';
import { explainRefusal, InTransaction, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { unknownReference } from './reference.js';

/** Plans can't ask who is subscribed to them; they remember it, in the subscription's own transaction. */
@Injectable()
export class PlansListener {
  /** The plan is in use. @throws Problem 404 when it was deleted meanwhile. */
  @InTransaction(subscriptionCreated)
  async onSubscriptionCreated(tx: Tx, event: PayloadOf<typeof subscriptionCreated>): Promise<void> {
    const use = sql`
      insert into plan_use (tenant_id, environment_id, plan_id, subscription_id)
      values (${tx.scope.tenantId}, ${tx.scope.environmentId}, ${event.plan_id}, ${event.subscription_id})
      on conflict (environment_id, subscription_id) do nothing`;
    await explainRefusal(use.execute(tx.db), { plan_use_live_plan: unknownReference('plan_id', event.plan_id) });
  }

  @InTransaction(planChanged)
  async onPlanChanged(tx: Tx, event: PayloadOf<typeof planChanged>): Promise<void> {
    const use = sql`
      update plan_use set plan_id = ${event.plan_id}
      where environment_id = ${tx.scope.environmentId} and subscription_id = ${event.subscription_id}`;
    await explainRefusal(use.execute(tx.db), { plan_use_live_plan: unknownReference('plan_id', event.plan_id) });
  }

  @InTransaction(subscriptionCancelled)
  async onSubscriptionCancelled(tx: Tx, event: PayloadOf<typeof subscriptionCancelled>): Promise<void> {
    await sql`
      delete from plan_use
      where environment_id = ${tx.scope.environmentId} and subscription_id = ${event.subscription_id}`.execute(tx.db);
  }
}
