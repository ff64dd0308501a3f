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

/** What a planned cancellation was asked for; how it is billed stands with the subscription. */
export interface CancellationTerms {
  readonly cancellationType: 'end_of_period' | 'scheduled_date';
  readonly reason: string | null;
}

export const SCHEDULE_TYPES = ['plan_change', 'cancellation'] as const;
export type ScheduleType = (typeof SCHEDULE_TYPES)[number];

const SubscriptionScheduleSchema = defineEntity({
  name: 'SubscriptionSchedule',
  tableName: 'subscription_schedule',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    type: p.enum(SCHEDULE_TYPES),
    status: p.enum(SCHEDULE_STATUSES),
    configuration: p.json<PlanChangeTerms | CancellationTerms>(),
    scheduledAt: p.datetime(),
    executedAt: p.datetime().nullable(),
    cancelledAt: p.datetime().nullable(),
    /** Why it failed. */
    errorMessage: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A plan change or a cancellation that waits for its instant; a subscription has one of each at most. */
export class SubscriptionSchedule extends SubscriptionScheduleSchema.class {}
SubscriptionScheduleSchema.setClass(SubscriptionSchedule);
