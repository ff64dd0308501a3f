import { OwnedView, ownedView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import type { Plan } from './plan.entity.js';

/** A plan as it stands inside other things: without its prices, entitlements and grants. */
export class PlanSummaryView extends OwnedView {
  name: string;
  lookup_key: string | null;
  description: string | null;
  display_order: number | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export const planSummaryView = (plan: Plan) =>
  ({
    ...ownedView(plan),
    name: plan.name,
    lookup_key: plan.lookupKey ?? null,
    description: plan.description ?? null,
    display_order: plan.displayOrder ?? null,
    metadata: plan.metadata,
  }) satisfies PlanSummaryView;
