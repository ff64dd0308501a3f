import { BILLING_PERIODS } from '@drawdown/billing-core';
import { featureTypes } from '@drawdown/features';
import { amount, archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const resetPeriods = [...BILLING_PERIODS, 'NEVER'] as const;

const EntitlementSchema = defineEntity({
  name: 'Entitlement',
  tableName: 'entitlement',
  properties: {
    ...archivable,
    planId: p.string(),
    featureId: p.string(),
    featureType: p.enum(featureTypes),
    isEnabled: p.boolean(),
    isSoftLimit: p.boolean(),
    /** Whole units per window; null = without limit. */
    usageLimit: amount().nullable(),
    /** The window of the limit; null = the billing period. */
    usageResetPeriod: p.enum(resetPeriods).nullable(),
    staticValue: p.string().nullable(),
  },
});

/** What a plan gives of a feature: on or off, a value, or so many units. */
export class Entitlement extends EntitlementSchema.class {}
EntitlementSchema.setClass(Entitlement);
