import { OwnedView, ownedView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import type { Plan } from './plan.entity.js';

/** A plan as it stands inside other things: its prices, entitlements and grants are null. */
export class PlanSummaryView extends OwnedView {
  name: string;
  lookup_key: string | null;
  description: string | null;
  display_order: number | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  prices: object[] | null;
  entitlements: object[] | null;
  credit_grants: object[] | null;
}

export const planSummaryView = (plan: Plan) =>
  ({
    ...ownedView(plan),
    name: plan.name,
    lookup_key: plan.lookupKey ?? null,
    description: plan.description ?? null,
    display_order: plan.displayOrder ?? null,
    metadata: plan.metadata,
    prices: null,
    entitlements: null,
    credit_grants: null,
  }) satisfies PlanSummaryView;
