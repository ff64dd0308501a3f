import { text, type Decimal } from '@drawdown/billing-core';
import { featureView, FeatureView } from '@drawdown/features';
import { IsTexts, Optional } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import type { AggregatedFeature, EntitlementSource } from './aggregated-feature.js';

export class EntitlementsQuery {
  /** Only these features; several are separated by commas. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @Optional()
  @IsTexts()
  feature_ids?: string[] | null;
}

export class AggregatedEntitlementView {
  is_enabled: boolean;
  is_soft_limit: boolean;
  /** Units per window over all sources; null without limit. */
  @ApiProperty({ type: Number, nullable: true })
  usage_limit: number | null;
  usage_reset_period: string | null;
  static_values: string[];
}

export class EntitlementSourceView {
  entitlement_id: string;
  entity_type: string;
  entity_id: string;
  entity_name: string;
  subscription_id: string;
  quantity: number;
  is_enabled: boolean;
  @ApiProperty({ type: Number, nullable: true })
  usage_limit: number | null;
  usage_reset_period: string | null;
  static_value: string | null;
}

export class AggregatedFeatureView {
  @ApiProperty({ type: FeatureView })
  feature: FeatureView;
  @ApiProperty({ type: AggregatedEntitlementView })
  entitlement: AggregatedEntitlementView;
  @ApiProperty({ type: [EntitlementSourceView] })
  sources: EntitlementSourceView[];
}

export class CustomerEntitlementsView {
  customer_id: string;
  @ApiProperty({ type: [AggregatedFeatureView] })
  features: AggregatedFeatureView[];
}

export class SubscriptionEntitlementsView {
  subscription_id: string;
  plan_id: string;
  @ApiProperty({ type: [AggregatedFeatureView] })
  features: AggregatedFeatureView[];
}

export const aggregatedFeatureView = (one: AggregatedFeature): AggregatedFeatureView => ({
  feature: featureView(one.feature, one.meter),
  entitlement: {
    is_enabled: one.entitlement.isEnabled,
    is_soft_limit: one.entitlement.isSoftLimit,
    usage_limit: units(one.entitlement.usageLimit),
    usage_reset_period: one.entitlement.usageResetPeriod,
    static_values: [...one.entitlement.staticValues],
  },
  sources: one.sources.map(sourceView),
});

const sourceView = (source: EntitlementSource): EntitlementSourceView => ({
  entitlement_id: source.entitlementId,
  entity_type: 'plan',
  entity_id: source.planId,
  entity_name: source.planName,
  subscription_id: source.subscriptionId,
  quantity: 1,
  is_enabled: source.isEnabled,
  usage_limit: units(source.usageLimit),
  usage_reset_period: source.usageResetPeriod,
  static_value: source.staticValue,
});

/** Limits are numbers on the wire. */
const units = (limit: Decimal | null): number | null => limit && Number(text(limit));
