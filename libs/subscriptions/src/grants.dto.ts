import { text } from '@drawdown/billing-core';
import { OwnedView, ownedView, PaginationView, UnusedKey } from '@drawdown/platform';
import type { CreditGrantView } from '@drawdown/plans';
import { ApiProperty } from '@nestjs/swagger';
import type { CreditGrantApplication, SubscriptionGrant } from './grant.entity.js';
import type { Subscription } from './subscription.entity.js';

/** The copy under the name of the plan's grant, by which the catalogue knows it. */
export const grantCopyView = (grant: SubscriptionGrant, subscription: Subscription): CreditGrantView => ({
  ...ownedView(grant),
  id: grant.planGrantId,
  name: grant.name,
  scope: grant.planId ? 'PLAN' : 'SUBSCRIPTION',
  plan_id: grant.planId ?? null,
  subscription_id: grant.subscriptionId,
  cadence: grant.cadence,
  credits: text(grant.credits),
  period: grant.period ?? null,
  period_count: grant.period ? grant.periodCount : null,
  expiration_type: grant.expirationType,
  expiration_duration: grant.expirationDuration ?? null,
  expiration_duration_unit: grant.expirationUnit ?? null,
  priority: grant.priority ?? null,
  conversion_rate: grant.conversionRate ? text(grant.conversionRate) : null,
  topup_conversion_rate: grant.topupConversionRate ? text(grant.topupConversionRate) : null,
  start_date: null,
  end_date: null,
  credit_grant_anchor: subscription.billingAnchor.toISOString(),
  metadata: grant.metadata,
});

export class CreditGrantApplicationView extends OwnedView {
  credit_grant_id: string;
  subscription_id: string;
  application_reason: string;
  application_status: string;
  credits: number;
  scheduled_for: string;
  /** The step of a recurring grant, or the period a one-time grant starts in. */
  period_start: string;
  period_end: string;
  applied_at: string | null;
  subscription_status_at_application: string | null;
  @UnusedKey()
  failure_reason: null;
  retry_count: number;
  idempotency_key: string;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export class CreditGrantApplicationListView {
  @ApiProperty({ type: [CreditGrantApplicationView] })
  items: CreditGrantApplicationView[];
  pagination: PaginationView;
}

export const applicationView = (
  application: CreditGrantApplication,
  grant: SubscriptionGrant,
): CreditGrantApplicationView => ({
  ...ownedView(application),
  status: 'published',
  credit_grant_id: grant.planGrantId,
  subscription_id: application.subscriptionId,
  application_reason: reasonOf(application),
  application_status: application.status,
  credits: Number(text(application.credits)),
  scheduled_for: application.scheduledFor.toISOString(),
  period_start: application.scheduledFor.toISOString(),
  period_end: application.stepEnd.toISOString(),
  applied_at: application.appliedAt?.toISOString() ?? null,
  subscription_status_at_application: application.subscriptionStatus ?? null,
  failure_reason: null,
  retry_count: 0,
  idempotency_key: application.id,
  metadata: grant.metadata,
});

function reasonOf({ recurring, step }: CreditGrantApplication): string {
  if (!recurring) return 'onetime_credit_grant';
  return step === 0 ? 'first_time_recurring_credit_grant' : 'recurring_credit_grant';
}
