import { defineEntity, p } from '@mikro-orm/core';

const UsagePeriodSchema = defineEntity({
  name: 'UsagePeriod',
  tableName: 'usage_period',
  properties: {
    /** The id of the subscription's period. */
    id: p.string().primary(),
    tenantId: p.string(),
    environmentId: p.string(),
    customerId: p.string(),
    subscriptionId: p.string(),
    currency: p.string(),
    kind: p.enum(['trial', 'paid'] as const),
    startAt: p.datetime(),
    endAt: p.datetime(),
    /** From here on later credits don't pay its shortfall. */
    closedAt: p.datetime().nullable(),
    /** From here on its usage is billed and further events are late. */
    settledAt: p.datetime().nullable(),
  },
});

/** A subscription's period as usage sees it: open, closed (late events still count), settled. */
export class UsagePeriod extends UsagePeriodSchema.class {}
UsagePeriodSchema.setClass(UsagePeriod);
