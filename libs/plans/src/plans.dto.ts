import {
  IsMetadata,
  IsText,
  IsTexts,
  IsWhole,
  Optional,
  PaginationView,
  SearchQuery,
  type ListView,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { CreditGrantView } from './credit-grants.dto.js';
import { EntitlementListView, EntitlementView } from './entitlements.dto.js';
import { PlanSummaryView, planSummaryView } from './plan-summary.dto.js';
import type { Plan } from './plan.entity.js';
import { PriceView } from './price-view.dto.js';

class PlanTexts {
  /** Your own name for it, unique among the published plans. */
  @Optional()
  @IsText()
  lookup_key?: string | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  /** The place among other plans when they are shown. */
  @Optional()
  @IsWhole({ max: 1_000_000 })
  display_order?: number | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class CreatePlanBody extends PlanTexts {
  @IsText()
  name: string;
}

export class UpdatePlanBody extends PlanTexts {
  @Optional()
  @IsText()
  name?: string | null;
}

/** What the copy is called; what is left out is as in the old plan, but for the lookup key. */
export class ClonePlanBody extends UpdatePlanBody {}

export const planParts = ['prices', 'entitlements', 'meters', 'features', 'creditgrants'] as const;
export type PlanPart = (typeof planParts)[number];

/** `expand`: prices (always with their meters), entitlements (always with their features), creditgrants. */
export class PlanSearchQuery extends SearchQuery {
  @Optional()
  @IsTexts()
  plan_ids?: string[] | null;

  @Optional()
  @IsText()
  lookup_key?: string | null;
}

export class PlanView extends PlanSummaryView {
  /** Those that are offered now or will be; null where they were not asked for. */
  @ApiProperty({ type: [PriceView], nullable: true })
  override prices: PriceView[] | null;
  @ApiProperty({ type: [EntitlementView], nullable: true })
  override entitlements: EntitlementView[] | null;
  @ApiProperty({ type: [CreditGrantView], nullable: true })
  override credit_grants: CreditGrantView[] | null;
}

export class PlanListView {
  @ApiProperty({ type: [PlanView] })
  items: PlanView[];
  pagination: PaginationView;
}

/** What a plan is made of; a part that is left out is shown as null. */
export interface PlanContents {
  readonly prices?: PriceView[];
  readonly entitlements?: EntitlementView[];
  readonly creditGrants?: CreditGrantView[];
}

export const planView = (plan: Plan, contents: PlanContents = {}): PlanView => ({
  ...planSummaryView(plan),
  prices: contents.prices ?? null,
  entitlements: contents.entitlements ?? null,
  credit_grants: contents.creditGrants ?? null,
});

/** The published client reads a plan's entitlements with its model of a plan, so that the keys of a plan must be there. */
export class PlanEntitlementsView extends EntitlementListView {}

const noPlan: Record<keyof PlanView, null> = {
  id: null,
  tenant_id: null,
  environment_id: null,
  status: null,
  created_at: null,
  created_by: null,
  updated_at: null,
  updated_by: null,
  name: null,
  lookup_key: null,
  description: null,
  display_order: null,
  metadata: null,
  prices: null,
  entitlements: null,
  credit_grants: null,
};

export const planEntitlementsView = (list: ListView<EntitlementView>): PlanEntitlementsView => ({ ...list, ...noPlan });
