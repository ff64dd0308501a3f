import { text } from '@drawdown/billing-core';
import { customerView, CustomerView, type Customer } from '@drawdown/customers';
import { OwnedView, ownedView, PaginationView, UnusedKey } from '@drawdown/platform';
import { CreditGrantView, planView, PlanView, type Plan } from '@drawdown/plans';
import { ApiProperty } from '@nestjs/swagger';
import type { SubscriptionGrant } from './grant.entity.js';
import { grantCopyView } from './grants.dto.js';
import { lineItemView, LineItemView } from './line-item.dto.js';
import type { LineItem } from './line-item.entity.js';
import type { Subscription } from './subscription.entity.js';

/** The rows that a subscription's answer shows beside the subscription itself. */
export interface SubscriptionRelations {
  readonly customer: Customer;
  readonly plan: Plan;
  /** Null where they were not asked for. */
  readonly lineItems: readonly LineItem[] | null;
  readonly grants: readonly SubscriptionGrant[];
}

/** The wire's `SubscriptionResponseV2`. */
export class SubscriptionV2View extends OwnedView {
  customer_id: string;
  @ApiProperty({ type: CustomerView })
  customer: CustomerView;
  plan_id: string;
  @ApiProperty({ type: PlanView })
  plan: PlanView;
  lookup_key: string | null;
  currency: string;
  subscription_status: string;
  billing_cadence: string;
  billing_cycle: string;
  billing_period: string;
  billing_period_count: number;
  billing_anchor: string;
  customer_timezone: string;
  proration_behavior: string;
  collection_method: string;
  payment_behavior: string;
  payment_terms: string | null;
  start_date: string;
  trial_start: string | null;
  trial_end: string | null;
  end_date: string | null;
  /** Null until the subscription has started. */
  current_period_start: string | null;
  current_period_end: string | null;
  cancel_at: string | null;
  cancel_at_period_end: boolean;
  cancelled_at: string | null;
  @ApiProperty({ type: [LineItemView], nullable: true })
  line_items: LineItemView[] | null;
  @ApiProperty({ type: [CreditGrantView] })
  credit_grants: CreditGrantView[];
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  version: number;
  @UnusedKey()
  active_pause_id: null;
  /** Money: usage that is promised of each billing period, and what usage beyond it costs times its price. */
  commitment_amount: string | null;
  commitment_duration: string | null;
  overage_factor: string | null;
  /** Whether what was promised and not used is charged; null without a commitment. */
  enable_true_up: boolean | null;
  @UnusedKey()
  coupon_associations: null;
  @UnusedKey()
  gateway_payment_method_id: null;
  @UnusedKey()
  invoicing_customer_id: null;
  @UnusedKey()
  parent_subscription_id: null;
  @UnusedKey()
  pause_status: null;
  @UnusedKey()
  pauses: null;
  @UnusedKey()
  phases: null;
}

export class SubscriptionView extends SubscriptionV2View {
  /** The invoice that the request made; null where the request makes none. */
  @ApiProperty({ type: Object, nullable: true })
  latest_invoice: object | null;
}

export class SubscriptionListView {
  @ApiProperty({ type: [SubscriptionView] })
  items: SubscriptionView[];
  pagination: PaginationView;
}

/** What the wire knows of a subscription and this version doesn't. */
const unused = {
  active_pause_id: null,
  coupon_associations: null,
  gateway_payment_method_id: null,
  invoicing_customer_id: null,
  parent_subscription_id: null,
  pause_status: null,
  pauses: null,
  phases: null,
};

export const subscriptionV2View = (
  subscription: Subscription,
  { customer, plan, lineItems, grants }: SubscriptionRelations,
): SubscriptionV2View => ({
  ...ownedView(subscription),
  ...unused,
  ...timesOf(subscription),
  ...promiseOf(subscription),
  status: 'published',
  customer_id: subscription.customerId,
  customer: customerView(customer),
  plan_id: subscription.planId,
  plan: planView(plan),
  lookup_key: subscription.lookupKey ?? null,
  currency: subscription.currency,
  subscription_status: subscription.status,
  billing_cadence: 'RECURRING',
  billing_cycle: subscription.billingCycle,
  billing_period: subscription.billingPeriod,
  billing_period_count: subscription.billingPeriodCount,
  customer_timezone: subscription.customerTimezone,
  proration_behavior: subscription.prorationBehavior,
  collection_method: subscription.collectionMethod,
  payment_behavior: subscription.paymentBehavior,
  payment_terms: subscription.paymentTerms ?? null,
  cancel_at_period_end: subscription.cancelAtPeriodEnd,
  line_items: lineItems && lineItems.map(lineItemView),
  credit_grants: grants.map((grant) => grantCopyView(grant, subscription)),
  metadata: subscription.metadata,
  version: subscription.version,
});

export const subscriptionView = (
  subscription: Subscription,
  relations: SubscriptionRelations,
  latestInvoice: object | null = null,
): SubscriptionView => Object.assign(subscriptionV2View(subscription, relations), { latest_invoice: latestInvoice });

const promiseOf = ({ commitmentAmount, overageFactor, trueUp, billingPeriod }: Subscription) => ({
  commitment_amount: commitmentAmount ? text(commitmentAmount) : null,
  commitment_duration: commitmentAmount ? billingPeriod : null,
  overage_factor: overageFactor ? text(overageFactor) : null,
  enable_true_up: commitmentAmount ? trueUp : null,
});

const timesOf = (subscription: Subscription) => ({
  billing_anchor: subscription.billingAnchor.toISOString(),
  start_date: subscription.startDate.toISOString(),
  trial_start: subscription.trialEnd ? subscription.startDate.toISOString() : null,
  trial_end: subscription.trialEnd?.toISOString() ?? null,
  end_date: subscription.endDate?.toISOString() ?? null,
  current_period_start: subscription.currentPeriodStart?.toISOString() ?? null,
  current_period_end: subscription.currentPeriodEnd?.toISOString() ?? null,
  cancel_at: subscription.cancelAt?.toISOString() ?? null,
  cancelled_at: subscription.cancelledAt?.toISOString() ?? null,
});
