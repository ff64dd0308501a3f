import { Decimal, sum, text, ZERO } from '@drawdown/billing-core';
import type { PlanChange, Subscription, SubscriptionRelations, SubscriptionView } from '@drawdown/subscriptions';
import { ApiProperty } from '@nestjs/swagger';
import { InvoiceView } from './invoices.dto.js';

/** A plan in few words. */
export class ChangedPlanView {
  id: string;
  name: string;
  lookup_key: string | null;
  description: string | null;
}

/** A subscription in few words. */
export class ChangedSubscriptionView {
  id: string;
  plan_id: string;
  status: string;
  billing_anchor: string;
  current_period_start: string | null;
  current_period_end: string | null;
  created_at: string;
  archived_at: string | null;
}

/** What was given back of the old fees and charged of the new ones; money as text. */
export class ProrationView {
  credit_amount: string;
  credit_description: string;
  charge_amount: string;
  charge_description: string;
  net_amount: string;
  currency: string;
  proration_date: string;
  current_period_start: string;
  current_period_end: string;
  /** Whole days. */
  days_used: number;
  days_remaining: number;
}

export class BillingCycleView {
  billing_anchor: string;
  billing_cadence: string;
  billing_period: string;
  billing_period_count: number;
  period_start: string | null;
  period_end: string | null;
}

export class PreviewedLineView {
  description: string;
  amount: string;
  quantity: string;
  unit_price: string | null;
  is_proration: boolean;
  period_start: string | null;
  period_end: string | null;
}

export class PreviewedInvoiceView {
  currency: string;
  due_date: string | null;
  @ApiProperty({ type: [PreviewedLineView] })
  line_items: PreviewedLineView[];
  subtotal: string;
  tax_amount: string;
  total: string;
}

export class SubscriptionChangePreviewView {
  subscription_id: string;
  change_type: string;
  effective_date: string;
  @ApiProperty({ type: ChangedPlanView })
  current_plan: ChangedPlanView;
  @ApiProperty({ type: ChangedPlanView })
  target_plan: ChangedPlanView;
  @ApiProperty({ type: BillingCycleView })
  new_billing_cycle: BillingCycleView;
  @ApiProperty({ type: PreviewedInvoiceView, nullable: true })
  next_invoice_preview: PreviewedInvoiceView | null;
  @ApiProperty({ type: ProrationView, nullable: true })
  proration_details: ProrationView | null;
  warnings: string[];
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export class SubscriptionChangeView {
  change_type: string;
  effective_date: string;
  is_scheduled: boolean;
  schedule_id: string | null;
  scheduled_at: string | null;
  @ApiProperty({ type: ChangedSubscriptionView })
  old_subscription: ChangedSubscriptionView;
  @ApiProperty({ type: ChangedSubscriptionView })
  new_subscription: ChangedSubscriptionView;
  /** The invoice of the change; null when it bills nothing now. */
  @ApiProperty({ type: InvoiceView, nullable: true })
  invoice: InvoiceView | null;
  @ApiProperty({ type: ProrationView, nullable: true })
  proration_applied: ProrationView | null;
  /** The grants that the subscription has now. */
  @ApiProperty({ type: [Object] })
  credit_grants: SubscriptionView['credit_grants'];
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export const changedPlanView = ({
  id,
  name,
  lookupKey,
  description,
}: SubscriptionRelations['plan']): ChangedPlanView => ({
  id,
  name,
  lookup_key: lookupKey ?? null,
  description: description ?? null,
});

export const changedSubscriptionView = (subscription: Subscription): ChangedSubscriptionView => ({
  id: subscription.id,
  plan_id: subscription.planId,
  status: subscription.status,
  billing_anchor: subscription.billingAnchor.toISOString(),
  current_period_start: subscription.currentPeriodStart?.toISOString() ?? null,
  current_period_end: subscription.currentPeriodEnd?.toISOString() ?? null,
  created_at: subscription.createdAt.toISOString(),
  archived_at: null,
});

export const billingCycleView = (subscription: Subscription): BillingCycleView => ({
  billing_anchor: subscription.billingAnchor.toISOString(),
  billing_cadence: 'RECURRING',
  billing_period: subscription.billingPeriod,
  billing_period_count: subscription.billingPeriodCount,
  period_start: subscription.currentPeriodStart?.toISOString() ?? null,
  period_end: subscription.currentPeriodEnd?.toISOString() ?? null,
});

const DAY_MS = 86_400_000;
const days = (from: string, to: Date | string): number =>
  Math.max(0, Math.floor((new Date(to).getTime() - new Date(from).getTime()) / DAY_MS));

/** The period is the one in which the change falls, as it was before. */
export function prorationView(
  { effectiveAt, subscription }: PlanChange,
  old: ChangedSubscriptionView,
  invoice: InvoiceView | null,
): ProrationView | null {
  const lines = (invoice?.line_items ?? []).filter((line) => line.price_type === 'FIXED');
  const amounts = lines.map((line) => new Decimal(line.amount_due));
  const credit = sum(amounts.filter((due) => due.lt(ZERO))).neg();
  const charge = sum(amounts.filter((due) => due.gt(ZERO)));
  if (credit.isZero() && charge.isZero()) return null;
  const at = effectiveAt.toISOString();
  const start = old.current_period_start!;
  const end = old.current_period_end!;
  return {
    credit_amount: text(credit),
    credit_description: 'unused time of the old fees',
    charge_amount: text(charge),
    charge_description: 'the new fees from the change on',
    net_amount: text(charge.minus(credit)),
    currency: subscription.currency,
    proration_date: at,
    current_period_start: start,
    current_period_end: end,
    days_used: days(start, at),
    days_remaining: days(at, end),
  };
}

export const previewedInvoiceView = (invoice: InvoiceView): PreviewedInvoiceView => ({
  currency: invoice.currency,
  due_date: invoice.due_date,
  line_items: (invoice.line_items ?? []).map((line) => ({
    description: line.display_name,
    amount: line.amount_due,
    quantity: line.quantity,
    unit_price: null,
    is_proration: line.amount.startsWith('-') || invoice.billing_reason === 'SUBSCRIPTION_UPDATE',
    period_start: line.period_start,
    period_end: line.period_end,
  })),
  subtotal: invoice.subtotal ?? '0',
  tax_amount: '0',
  total: invoice.total ?? '0',
});
