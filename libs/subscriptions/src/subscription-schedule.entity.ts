import { BILLING_CYCLES, BILLING_PERIODS } from '@drawdown/billing-core';
import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { SCHEDULE_STATUSES } from './lifecycles.js';
import type { PRORATION_BEHAVIORS } from './subscription.entity.js';

/** What a plan change is asked to do. */
export interface PlanChangeTerms {
  readonly planId: string;
  readonly billingPeriod: (typeof BILLING_PERIODS)[number];
  readonly billingPeriodCount: number;
  readonly billingCycle: (typeof BILLING_CYCLES)[number];
  readonly prorationBehavior: (typeof PRORATION_BEHAVIORS)[number];
}

const SubscriptionScheduleSchema = defineEntity({
  name: 'SubscriptionSchedule',
  tableName: 'subscription_schedule',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    type: p.enum(['plan_change'] as const),
    status: p.enum(SCHEDULE_STATUSES),
    configuration: p.json<PlanChangeTerms>(),
    scheduledAt: p.datetime(),
    executedAt: p.datetime().nullable(),
    cancelledAt: p.datetime().nullable(),
    /** Why it failed. */
    errorMessage: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A plan change that waits for its instant; a subscription has one at most. */
export class SubscriptionSchedule extends SubscriptionScheduleSchema.class {}
SubscriptionScheduleSchema.setClass(SubscriptionSchedule);
