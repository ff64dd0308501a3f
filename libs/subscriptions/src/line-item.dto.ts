import { text } from '@drawdown/billing-core';
import { OwnedView, ownedView, UnusedKey } from '@drawdown/platform';
import { PriceView } from '@drawdown/plans';
import { ApiProperty } from '@nestjs/swagger';
import type { LineItem } from './line-item.entity.js';

export class LineItemView extends OwnedView {
  subscription_id: string;
  customer_id: string;
  /** `plan`, or `subscription` where the price was agreed with it alone. */
  entity_type: string;
  entity_id: string;
  plan_display_name: string | null;
  price_id: string;
  price_type: string;
  /** As it was when the subscription took it; edits of the catalogue don't reach it. */
  @ApiProperty({ type: PriceView })
  price: PriceView;
  meter_id: string | null;
  meter_display_name: string | null;
  display_name: string;
  quantity: string;
  currency: string;
  billing_period: string;
  billing_period_count: number;
  invoice_cadence: string;
  /** Days. */
  trial_period: number;
  start_date: string;
  end_date: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  /** Money promised of its usage in each billing period; null when nothing or a quantity is. */
  commitment_amount: string | null;
  commitment_quantity: string | null;
  commitment_type: string | null;
  /** The billing period. */
  commitment_duration: string | null;
  commitment_overage_factor: string | null;
  commitment_true_up_enabled: boolean | null;
  /** Never: a commitment is of the whole billing period. */
  commitment_windowed: boolean | null;
  @UnusedKey()
  price_unit: null;
  @UnusedKey()
  price_unit_id: null;
  @UnusedKey()
  subscription_phase_id: null;
}

/** What the wire knows of a line item and this version doesn't. */
const unused = {
  price_unit: null,
  price_unit_id: null,
  subscription_phase_id: null,
};

const commitmentView = ({ commitment, billingPeriod }: LineItem) => ({
  commitment_amount: commitment?.type === 'amount' ? commitment.amount : null,
  commitment_quantity: commitment?.quantity ?? null,
  commitment_type: commitment?.type ?? null,
  commitment_duration: commitment ? billingPeriod : null,
  commitment_overage_factor: commitment?.overage_factor ?? null,
  commitment_true_up_enabled: commitment?.true_up ?? null,
  commitment_windowed: commitment ? false : null,
});

export const lineItemView = (item: LineItem): LineItemView => ({
  ...ownedView(item),
  ...unused,
  subscription_id: item.subscriptionId,
  customer_id: item.customerId,
  entity_type: item.planId ? 'plan' : 'subscription',
  entity_id: item.planId ?? item.subscriptionId,
  plan_display_name: item.planDisplayName ?? null,
  price_id: item.priceId,
  price_type: item.priceType,
  price: item.price,
  meter_id: item.meterId ?? null,
  meter_display_name: item.meterDisplayName ?? null,
  display_name: item.displayName,
  quantity: text(item.quantity),
  currency: item.currency,
  billing_period: item.billingPeriod,
  billing_period_count: item.billingPeriodCount,
  invoice_cadence: item.invoiceCadence,
  ...commitmentView(item),
  trial_period: item.price.trial_period,
  start_date: item.startDate.toISOString(),
  end_date: item.endDate?.toISOString() ?? null,
  metadata: item.metadata,
});
