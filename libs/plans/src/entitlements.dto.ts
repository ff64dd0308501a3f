import { text } from '@drawdown/billing-core';
import { FeatureView, featureView, featureTypes, type Feature, type FeatureType, type Meter } from '@drawdown/features';
import {
  IsText,
  IsTexts,
  IsWhole,
  NotYet,
  Optional,
  OwnedView,
  PaginationView,
  ownedView,
  Parts,
  SearchQuery,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { resetPeriods, type Entitlement } from './entitlement.entity.js';
import { PlanSummaryView, planSummaryView } from './plan-summary.dto.js';
import type { Plan } from './plan.entity.js';

const entityTypes = ['PLAN', 'SUBSCRIPTION', 'ADDON'] as const;

/** What is given, and how much of it. */
export class EntitlementTerms {
  /** Default: true. */
  @Optional()
  @IsBoolean()
  is_enabled?: boolean | null;

  /** Use beyond the limit is not refused; default: false. */
  @Optional()
  @IsBoolean()
  is_soft_limit?: boolean | null;

  /** Units of a metered feature per window; null = without limit. */
  @Optional()
  @IsWhole()
  usage_limit?: number | null;

  /** The window of the limit; null = the billing period. */
  @Optional()
  @IsIn(resetPeriods)
  usage_reset_period?: (typeof resetPeriods)[number] | null;

  /** The value of a static feature. */
  @Optional()
  @IsText()
  static_value?: string | null;
}

export class CreateEntitlementBody extends EntitlementTerms {
  @IsText()
  feature_id: string;

  /** The feature's type; default: whatever it is. */
  @Optional()
  @IsIn(featureTypes)
  feature_type?: FeatureType | null;

  /** The plan; or `entity_type` and `entity_id`. */
  @Optional()
  @IsText()
  plan_id?: string | null;

  @Optional()
  @IsIn(entityTypes)
  entity_type?: string | null;

  @Optional()
  @IsText()
  entity_id?: string | null;

  @NotYet()
  start_date?: string | null;

  @NotYet()
  end_date?: string | null;

  @NotYet()
  parent_entitlement_id?: string | null;
}

export class CreateEntitlementsBody {
  /** All are created, or none. */
  @Parts(() => CreateEntitlementBody, { min: 1, max: 100 })
  items: CreateEntitlementBody[];
}

/** What is left out stays as it is; null for `usage_limit` takes the limit away. */
export class UpdateEntitlementBody extends EntitlementTerms {}

/** `expand`: plans. An entitlement is always shown with its feature and that with its meter. */
export class EntitlementSearchQuery extends SearchQuery {
  @Optional()
  @IsTexts()
  plan_ids?: string[] | null;

  @Optional()
  @IsIn(entityTypes)
  entity_type?: string | null;

  @Optional()
  @IsTexts()
  entity_ids?: string[] | null;

  @Optional()
  @IsTexts()
  feature_ids?: string[] | null;

  @Optional()
  @IsIn(featureTypes)
  feature_type?: FeatureType | null;

  @Optional()
  @IsBoolean()
  is_enabled?: boolean | null;
}

export class EntitlementView extends OwnedView {
  entity_type: string;
  entity_id: string;
  plan_id: string;
  /** Where it was asked for by `expand`. */
  @ApiProperty({ type: PlanSummaryView, nullable: true })
  plan: PlanSummaryView | null;
  feature_id: string;
  feature_type: string;
  @ApiProperty({ type: FeatureView, nullable: true })
  feature: FeatureView | null;
  is_enabled: boolean;
  is_soft_limit: boolean;
  /** A whole number of units. */
  usage_limit: number | null;
  usage_reset_period: string | null;
  static_value: string | null;
  addon: object | null;
  display_order: number | null;
  start_date: string | null;
  end_date: string | null;
  parent_entitlement_id: string | null;
}

export class EntitlementListView {
  @ApiProperty({ type: [EntitlementView] })
  items: EntitlementView[];
  pagination: PaginationView;
}

export class EntitlementsView {
  @ApiProperty({ type: [EntitlementView] })
  items: EntitlementView[];
}

/** A feature as it is shown inside an entitlement. */
export interface EntitledFeature {
  readonly feature: Feature;
  readonly meter: Meter | null;
}

export const entitlementView = (
  entitlement: Entitlement,
  entitled: EntitledFeature | null,
  plan: Plan | null = null,
): EntitlementView => ({
  ...ownedView(entitlement),
  entity_type: 'PLAN',
  entity_id: entitlement.planId,
  plan_id: entitlement.planId,
  plan: plan && planSummaryView(plan),
  feature_id: entitlement.featureId,
  feature_type: entitlement.featureType,
  feature: entitled && featureView(entitled.feature, entitled.meter),
  is_enabled: entitlement.isEnabled,
  is_soft_limit: entitlement.isSoftLimit,
  usage_limit: entitlement.usageLimit ? Number(text(entitlement.usageLimit)) : null,
  usage_reset_period: entitlement.usageResetPeriod ?? null,
  static_value: entitlement.staticValue ?? null,
  addon: null,
  display_order: null,
  end_date: null,
  parent_entitlement_id: null,
  start_date: null,
});
