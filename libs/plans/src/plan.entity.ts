import { archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

const PlanSchema = defineEntity({
  name: 'Plan',
  tableName: 'plan',
  properties: {
    ...archivable,
    name: p.string(),
    lookupKey: p.string().nullable(),
    description: p.string().nullable(),
    displayOrder: p.integer().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** What is sold: prices, entitlements and credit grants under one name. */
export class Plan extends PlanSchema.class {}
PlanSchema.setClass(Plan);
