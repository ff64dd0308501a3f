import { BILLING_PERIODS } from '@drawdown/billing-core';
import { AgreedPriceBody, ChangedMoneyBody } from '@drawdown/plans';
import { IsAmount, IsInstant, IsMetadata, IsText, NotYet, Optional, Part } from '@drawdown/platform';
import { IntersectionType } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { COMMITMENT_TYPES } from './line-item.entity.js';

const LARGEST_QUANTITY = '1000000000';
/** What usage beyond a commitment costs times its price, at most: whoever asks for more has mistyped. */
export const LARGEST_OVERAGE_FACTOR = '1000';

/** What is promised to be used of a line item in each billing period; of a part of one its share by the second. */
class PromiseFields {
  /** Money. */
  @Optional()
  @IsAmount({ above: '0' })
  commitment_amount?: string | null;

  /** Units, instead of money: what they cost at the item's price is promised. */
  @Optional()
  @IsAmount({ above: '0' })
  commitment_quantity?: string | null;

  /** Which of the two is given. */
  @Optional()
  @IsIn(COMMITMENT_TYPES)
  commitment_type?: (typeof COMMITMENT_TYPES)[number] | null;

  /** The billing period. */
  @Optional()
  @IsIn(BILLING_PERIODS)
  commitment_duration?: (typeof BILLING_PERIODS)[number] | null;
}

/** A commitment among the fields of a line item. */
export class CommittedFields extends PromiseFields {
  /** What usage beyond the commitment costs times its price. Default 1. */
  @Optional()
  @IsAmount({ min: '1', max: LARGEST_OVERAGE_FACTOR })
  commitment_overage_factor?: string | null;

  /** Whether what was promised and not used is charged. Default false. */
  @Optional()
  @IsBoolean()
  commitment_true_up_enabled?: boolean | null;

  @NotYet()
  commitment_windowed?: boolean | null;
}

/** The same beside the price that it is of. */
export class LineItemCommitmentBody extends PromiseFields {
  /** What usage beyond the commitment costs times its price. Default 1. */
  @Optional()
  @IsAmount({ min: '1', max: LARGEST_OVERAGE_FACTOR })
  overage_factor?: string | null;

  /** Whether what was promised and not used is charged. Default false. */
  @Optional()
  @IsBoolean()
  enable_true_up?: boolean | null;

  @NotYet()
  is_window_commitment?: boolean | null;
}

export class CreateLineItemBody extends CommittedFields {
  /** A price of any plan, in the subscription's currency and interval; either this or `price`. */
  @Optional()
  @IsText()
  price_id?: string | null;

  /** A price that only this subscription has. */
  @Optional()
  @Part(() => AgreedPriceBody)
  price?: AgreedPriceBody | null;

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
  subscription_phase_id?: string | null;
}

export class UpdateLineItemBody extends IntersectionType(ChangedMoneyBody, CommittedFields) {
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
export class OverrideLineItemBody extends ChangedMoneyBody {
  @IsText()
  price_id: string;

  @Optional()
  @IsAmount({ min: '0', max: LARGEST_QUANTITY })
  quantity?: string | null;
}

/** What a subscription has of one of its plan's entitlements otherwise. */
export class OverrideEntitlementBody {
  @IsText()
  entitlement_id: string;

  /** Units of a metered feature; null = without limit. */
  @Optional()
  @IsAmount({ min: '0' })
  usage_limit?: string | null;

  @Optional()
  @IsBoolean()
  is_enabled?: boolean | null;

  /** Of a static feature. */
  @Optional()
  @IsText()
  static_value?: string | null;
}
