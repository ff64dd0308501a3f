import { text, type Decimal } from '@drawdown/billing-core';
import { FeatureView } from '@drawdown/features';
import { IsTexts, Optional, PaginationView } from '@drawdown/platform';
import { aggregatedFeatureView, EntitlementSourceView, type AggregatedFeature } from '@drawdown/subscriptions';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, MaxLength } from 'class-validator';

/** A list in a query: repeated, or separated by commas. */
const FromQuery = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value));

export class CustomerUsageQuery {
  @Optional()
  @IsString()
  @MaxLength(255)
  customer_id?: string;

  /** The customer's external id. */
  @Optional()
  @IsString()
  @MaxLength(255)
  customer_lookup_key?: string;

  @FromQuery()
  @Optional()
  @IsTexts()
  feature_ids?: string[] | null;

  @FromQuery()
  @Optional()
  @IsTexts()
  feature_lookup_keys?: string[] | null;

  /** Only what these subscriptions give. */
  @FromQuery()
  @Optional()
  @IsTexts()
  subscription_ids?: string[] | null;
}

/** A feature's use in the current period, against what the customer's subscriptions give together. */
export class FeatureUsageView {
  @ApiProperty({ type: FeatureView })
  feature: FeatureView;
  /** Units as an exact decimal; 0 for a feature that is not metered. */
  current_usage: string;
  @ApiProperty({ type: Number, nullable: true })
  total_limit: number | null;
  is_enabled: boolean;
  is_soft_limit: boolean;
  is_unlimited: boolean;
  /** Of the limit, rounded to 2 places; null without one. May pass 100. */
  usage_percent: string | null;
  next_usage_reset_at: string | null;
  @ApiProperty({ type: [EntitlementSourceView] })
  sources: EntitlementSourceView[];
}

export class UsagePeriodInfoView {
  start_time: string | null;
  end_time: string | null;
  period: string | null;
}

export class CustomerUsageView {
  customer_id: string;
  @ApiProperty({ type: [FeatureUsageView] })
  features: FeatureUsageView[];
  pagination: PaginationView;
  /** The current period of the customer's oldest running subscription. */
  period: UsagePeriodInfoView;
}

export interface FeatureUse {
  readonly given: AggregatedFeature;
  readonly used: Decimal;
  readonly resetsAt: Date | null;
}

export function featureUsageView({ given, used, resetsAt }: FeatureUse): FeatureUsageView {
  const { feature, entitlement, sources } = aggregatedFeatureView(given);
  const limit = given.entitlement.usageLimit;
  return {
    feature,
    current_usage: text(used),
    total_limit: entitlement.usage_limit,
    is_enabled: entitlement.is_enabled,
    is_soft_limit: entitlement.is_soft_limit,
    is_unlimited: given.meter !== null && entitlement.is_enabled && limit === null,
    usage_percent: limit?.gt(0) ? text(used.times(100).div(limit).toDecimalPlaces(2)) : null,
    next_usage_reset_at: resetsAt?.toISOString() ?? null,
    sources,
  };
}
