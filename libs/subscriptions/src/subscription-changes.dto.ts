import { BILLING_CYCLES, BILLING_PERIODS } from '@drawdown/billing-core';
import { IsInstant, IsMetadata, IsText, IsWhole, NotYet, Optional } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { ScheduleStatus } from './lifecycles.js';
import {
  type CancellationTerms,
  type PlanChangeTerms,
  SCHEDULE_TYPES,
  type ScheduleType,
  SubscriptionSchedule,
} from './subscription-schedule.entity.js';
import { PRORATION_BEHAVIORS } from './subscription.entity.js';

export class SubscriptionChangeBody {
  @IsText()
  target_plan_id: string;

  /** Default `immediate`. */
  @Optional()
  @IsIn(['immediate', 'end_of_period'])
  change_at?: 'immediate' | 'end_of_period' | null;

  /** Default the subscription's, as what follows. Another interval starts a new period at the instant of the change. */
  @Optional()
  @IsIn(BILLING_PERIODS)
  billing_period?: (typeof BILLING_PERIODS)[number] | null;

  @Optional()
  @IsWhole({ min: 1, max: 60 })
  billing_period_count?: number | null;

  @Optional()
  @IsIn(BILLING_CYCLES)
  billing_cycle?: (typeof BILLING_CYCLES)[number] | null;

  @Optional()
  @IsIn(PRORATION_BEHAVIORS)
  proration_behavior?: (typeof PRORATION_BEHAVIORS)[number] | null;

  @NotYet(['RECURRING'])
  billing_cadence?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class ActivateSubscriptionBody {
  /** Default now. */
  @Optional()
  @IsInstant()
  start_date?: string | null;
}

export class CancelScheduleBody {
  @Optional()
  @IsText()
  schedule_id?: string | null;

  @Optional()
  @IsIn(SCHEDULE_TYPES)
  schedule_type?: ScheduleType | null;

  @Optional()
  @IsText()
  subscription_id?: string | null;
}

export class ScheduleView {
  id: string;
  subscription_id: string;
  schedule_type: ScheduleType;
  status: ScheduleStatus;
  scheduled_at: string;
  executed_at: string | null;
  cancelled_at: string | null;
  error_message: string | null;
  can_be_cancelled: boolean;
  /** Whole days; 0 when it is over. */
  days_until_execution: number;
  /** What it is to do. */
  configuration: object;
  execution_result: object | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  created_at: string;
  updated_at: string;
}

export class ScheduleListView {
  count: number;
  @ApiProperty({ type: [ScheduleView] })
  schedules: ScheduleView[];
}

export class CancelScheduleView {
  status: string;
  message: string;
}

const DAY_MS = 86_400_000;

export const scheduleView = (schedule: SubscriptionSchedule, now: Date): ScheduleView => {
  const pending = schedule.status === 'pending';
  return {
    id: schedule.id,
    subscription_id: schedule.subscriptionId,
    schedule_type: schedule.type,
    status: schedule.status,
    scheduled_at: schedule.scheduledAt.toISOString(),
    executed_at: schedule.executedAt?.toISOString() ?? null,
    cancelled_at: schedule.cancelledAt?.toISOString() ?? null,
    error_message: schedule.errorMessage ?? null,
    can_be_cancelled: pending,
    days_until_execution: pending ? Math.floor((schedule.scheduledAt.getTime() - now.getTime()) / DAY_MS) : 0,
    configuration: configurationView(schedule),
    execution_result: null,
    metadata: schedule.metadata,
    created_at: schedule.createdAt.toISOString(),
    updated_at: schedule.updatedAt.toISOString(),
  };
};

function configurationView({ type, configuration }: SubscriptionSchedule): object {
  if (type === 'cancellation') {
    const { cancellationType, reason } = configuration as CancellationTerms;
    return { cancellation_type: cancellationType, reason };
  }
  const terms = configuration as PlanChangeTerms;
  return {
    target_plan_id: terms.planId,
    billing_period: terms.billingPeriod,
    billing_period_count: terms.billingPeriodCount,
    billing_cycle: terms.billingCycle,
    proration_behavior: terms.prorationBehavior,
  };
}
