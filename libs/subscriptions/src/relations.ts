import type { Customer } from '@drawdown/customers';
import type { Tx } from '@drawdown/platform';
import type { Plan } from '@drawdown/plans';
import { SubscriptionGrant } from './grant.entity.js';
import { LineItem } from './line-item.entity.js';
import type { SubscriptionRelations } from './subscription.dto.js';
import type { Subscription } from './subscription.entity.js';

/** Fees first, then usage, each in the order the prices were made. */
export const ITEM_ORDER = { priceType: 'asc', priceId: 'asc', startDate: 'asc', id: 'asc' } as const;

interface Known {
  readonly customers: readonly Customer[];
  readonly plans: readonly Plan[];
  readonly withLineItems: boolean;
}

/** What the views show beside the subscriptions themselves, by subscription. */
export async function relationsOf(
  tx: Tx,
  subscriptions: readonly Subscription[],
  { customers, plans, withLineItems }: Known,
): Promise<Map<string, SubscriptionRelations>> {
  const ofThese = {
    environmentId: tx.scope.environmentId,
    subscriptionId: { $in: subscriptions.map(({ id }) => id) },
  };
  const items = withLineItems ? await tx.em.find(LineItem, ofThese, { orderBy: ITEM_ORDER }) : null;
  const grants = await tx.em.find(
    SubscriptionGrant,
    { ...ofThese, endedAt: null },
    { orderBy: { planGrantId: 'asc' } },
  );
  return new Map(
    subscriptions.map(({ id, customerId, planId }) => [
      id,
      {
        customer: customers.find((customer) => customer.id === customerId)!,
        plan: plans.find((plan) => plan.id === planId)!,
        lineItems: items && items.filter((item) => item.subscriptionId === id),
        grants: grants.filter((grant) => grant.subscriptionId === id),
      },
    ]),
  );
}
