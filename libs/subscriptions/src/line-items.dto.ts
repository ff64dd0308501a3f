import { IsAmount, IsInstant, IsMetadata, IsText, NotYet, Optional } from '@drawdown/platform';
import { IsBoolean } from 'class-validator';

const LARGEST_QUANTITY = '1000000000';

/** Fields of prices and commitments that the wire knows of line items. */
class FurtherTerms {
  @NotYet()
  commitment_amount?: string | null;
  @NotYet()
  commitment_duration?: string | null;
  @NotYet()
  commitment_overage_factor?: string | null;
  @NotYet()
  commitment_quantity?: string | null;
  @NotYet()
  commitment_true_up_enabled?: boolean | null;
  @NotYet()
  commitment_type?: string | null;
  @NotYet()
  commitment_windowed?: boolean | null;
}

class FurtherPriceTerms extends FurtherTerms {
  @NotYet()
  billing_model?: string | null;
  @NotYet()
  tier_mode?: string | null;
  @NotYet()
  tiers?: unknown[] | null;
  @NotYet()
  transform_quantity?: object | null;
}

export class CreateLineItemBody extends FurtherTerms {
  /** A price of any plan, in the subscription's currency and interval. */
  @IsText()
  price_id: string;

  /** Units of a fee; default 1. */
  @Optional()
  @IsAmount({ min: '0', max: LARGEST_QUANTITY })
  quantity?: string | null;

  /** Default now. */
  @Optional()
  @IsInstant()
  start_date?: string | null;

  @Optional()
  @IsInstant()
  end_date?: string | null;

  @Optional()
  @IsText()
  display_name?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  price?: object | null;
  @NotYet()
  subscription_phase_id?: string | null;
}

export class UpdateLineItemBody extends FurtherPriceTerms {
  /** Money for a period, a unit, or a package. */
  @Optional()
  @IsAmount({ min: '0' })
  amount?: string | null;

  /** Units of a fee. */
  @Optional()
  @IsAmount({ min: '0', max: LARGEST_QUANTITY })
  quantity?: string | null;

  /** From here; default now. */
  @Optional()
  @IsInstant()
  effective_from?: string | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

/** `DELETE` of a line item. */
export class EndLineItemBody {
  /** It ends here; default now. */
  @Optional()
  @IsInstant()
  effective_from?: string | null;

  /** The same by another name. */
  @Optional()
  @IsInstant()
  end_date?: string | null;
}

/** What a subscription has of one of its plan's prices otherwise, from its start. */
export class OverrideLineItemBody extends FurtherPriceTerms {
  @IsText()
  price_id: string;

  @Optional()
  @IsAmount({ min: '0' })
  amount?: string | null;

  @Optional()
  @IsAmount({ min: '0', max: LARGEST_QUANTITY })
  quantity?: string | null;
}

/** What a subscription has of one of its plan's metered entitlements otherwise. */
export class OverrideEntitlementBody {
  @IsText()
  entitlement_id: string;

  /** Units; null = without limit. */
  @Optional()
  @IsAmount({ min: '0' })
  usage_limit?: string | null;

  @Optional()
  @IsBoolean()
  is_enabled?: boolean | null;

  @NotYet()
  static_value?: string | null;
}
