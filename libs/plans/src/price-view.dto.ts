import { Decimal, displayAmount, text } from '@drawdown/billing-core';
import { meterView, MeterView, type Meter } from '@drawdown/features';
import { OwnedView, PaginationView, ownedView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { PlanSummaryView, planSummaryView } from './plan-summary.dto.js';
import type { Plan } from './plan.entity.js';
import type { Price, PriceTerms, StoredTier } from './price.entity.js';

export class TierView {
  /** Null of the last tier, which has no end. */
  up_to: number | null;
  unit_amount: string;
  flat_amount: string | null;
}

export class TransformQuantityView {
  divide_by: number;
  round: string;
}

export class PriceView extends OwnedView {
  entity_type: string;
  entity_id: string;
  type: string;
  billing_model: string;
  billing_cadence: string;
  billing_period: string;
  billing_period_count: number;
  invoice_cadence: string;
  currency: string;
  amount: string;
  /** For people, such as `$149.00`. */
  display_amount: string;
  meter_id: string | null;
  @ApiProperty({ type: MeterView, nullable: true })
  meter: MeterView | null;
  /** Where it was asked for by `expand`. */
  @ApiProperty({ type: PlanSummaryView, nullable: true })
  plan: PlanSummaryView | null;
  /** Days. */
  trial_period: number;
  start_date: string | null;
  end_date: string | null;
  lookup_key: string | null;
  display_name: string | null;
  description: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  price_unit_type: string;
  addon: object | null;
  conversion_rate: string | null;
  display_price_unit_amount: string | null;
  group: object | null;
  group_id: string | null;
  min_quantity: string | null;
  parent_price_id: string | null;
  price_unit: string | null;
  price_unit_amount: string | null;
  price_unit_id: string | null;
  price_unit_tiers: object[] | null;
  pricing_unit: object | null;
  tier_mode: string | null;
  @ApiProperty({ type: [TierView], nullable: true })
  tiers: TierView[] | null;
  @ApiProperty({ type: TransformQuantityView, nullable: true })
  transform_quantity: TransformQuantityView | null;
}

export class PriceListView {
  @ApiProperty({ type: [PriceView] })
  items: PriceView[];
  pagination: PaginationView;
}

export class PricesView {
  @ApiProperty({ type: [PriceView] })
  items: PriceView[];
}

/** What the wire knows of a price and this version doesn't. */
const unused = {
  addon: null,
  conversion_rate: null,
  display_price_unit_amount: null,
  group: null,
  group_id: null,
  price_unit: null,
  price_unit_amount: null,
  price_unit_id: null,
  price_unit_tiers: null,
  pricing_unit: null,
};

export const priceView = (price: Price, meter: Meter | null, plan: Plan | null = null): PriceView => ({
  ...ownedView(price),
  ...unused,
  entity_type: price.planId ? 'PLAN' : 'SUBSCRIPTION',
  entity_id: (price.planId ?? price.subscriptionId)!,
  type: price.type,
  billing_cadence: price.billingCadence,
  billing_period: price.billingPeriod,
  billing_period_count: price.billingPeriodCount,
  invoice_cadence: price.invoiceCadence,
  currency: price.currency,
  ...priceTermsView(price, price.currency),
  parent_price_id: price.parentPriceId ?? null,
  meter_id: price.meterId ?? null,
  meter: meter && meterView(meter),
  plan: plan && planSummaryView(plan),
  trial_period: price.trialPeriodDays,
  start_date: price.startDate?.toISOString() ?? null,
  end_date: price.endDate?.toISOString() ?? null,
  lookup_key: price.lookupKey ?? null,
  display_name: price.displayName ?? null,
  description: price.description ?? null,
  metadata: price.metadata,
  price_unit_type: 'FIAT',
});

/** What a quantity costs, as the wire shows it of a price. */
export const priceTermsView = (terms: PriceTerms, currency: string) => ({
  billing_model: terms.billingModel,
  amount: text(terms.amount),
  display_amount: displayAmount(shownAmount(terms), currency),
  min_quantity: terms.minQuantity ? text(terms.minQuantity) : null,
  tier_mode: terms.tierMode ?? null,
  tiers: terms.tiers?.map(tierView) ?? null,
  transform_quantity:
    terms.divideBy && terms.packageRound
      ? { divide_by: Number(text(terms.divideBy)), round: terms.packageRound }
      : null,
});

/** Of a tiered price, what a unit of its first tier costs. */
const shownAmount = ({ amount, tiers }: PriceTerms) => (tiers?.[0] ? new Decimal(tiers[0].unit_amount) : amount);

/** Limits are numbers on the wire. */
const tierView = ({ up_to: upTo, unit_amount, flat_amount }: StoredTier): TierView => ({
  up_to: upTo === null ? null : Number(upTo),
  unit_amount,
  flat_amount,
});
