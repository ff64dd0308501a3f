import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

const SubscriptionEntitlementSchema = defineEntity({
  name: 'SubscriptionEntitlement',
  tableName: 'subscription_entitlement',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    entitlementId: p.string(),
    featureId: p.string(),
    /** Otherwise than in the plan: no sync takes it away. */
    agreed: p.boolean(),
    isEnabled: p.boolean(),
    isSoftLimit: p.boolean(),
    /** Units; null = without limit. */
    usageLimit: amount().nullable(),
    usageResetPeriod: p.string().nullable(),
    /** Of a static feature. */
    staticValue: p.string().nullable(),
  },
});

/**
 * A subscription's own copy of an entitlement: of every metered one, and of those agreed otherwise than in the plan.
 * Other boolean and static ones are read from the plan as it is.
 */
export class SubscriptionEntitlement extends SubscriptionEntitlementSchema.class {}
SubscriptionEntitlementSchema.setClass(SubscriptionEntitlement);
