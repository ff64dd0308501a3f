import { BILLING_PERIODS, type BillingPeriod } from '@drawdown/billing-core';
import {
  IsAmount,
  IsCurrency,
  IsInstant,
  IsMetadata,
  IsText,
  IsTexts,
  IsWhole,
  NotYet,
  Optional,
  Part,
  Parts,
  SearchQuery,
} from '@drawdown/platform';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import {
  billingCadences,
  billingModels,
  invoiceCadences,
  packageRounds,
  priceTypes,
  tierModes,
  type Price,
} from './price.entity.js';

const entityTypes = ['PLAN', 'SUBSCRIPTION', 'ADDON', 'PRICE', 'COSTSHEET'] as const;
/** Three years: whoever gives longer for free has mistyped. */
const LONGEST_TRIAL_DAYS = 1095;

/** From beyond the tier before up to and with `up_to`. */
export class TierBody {
  /** Left out of the last tier, which has no end. */
  @Optional()
  @IsAmount({ above: '0' })
  up_to?: string | null;

  @IsAmount({ min: '0' })
  unit_amount: string;

  /** Once, for entering the tier. */
  @Optional()
  @IsAmount({ min: '0' })
  flat_amount?: string | null;
}

export class TransformQuantityBody {
  /** Units in a package. */
  @IsAmount({ above: '0' })
  divide_by: string;

  /** What a part of a package counts as: a whole one (up, the default) or none (down). */
  @Optional()
  @IsIn(packageRounds)
  round?: (typeof packageRounds)[number] | null;
}

/** What a quantity costs, but for its model. */
class MoneyFields {
  /** Money: for a unit of usage, of a fee's quantity, or for a package. A tiered price has none. */
  @Optional()
  @IsAmount({ min: '0' })
  amount?: string | null;

  /** SLAB: each unit in the tier it falls in; VOLUME: all units by the tier the whole quantity falls in. */
  @Optional()
  @IsIn(tierModes)
  tier_mode?: (typeof tierModes)[number] | null;

  @Optional()
  @Parts(() => TierBody, { max: 100 })
  tiers?: TierBody[] | null;

  /** PACKAGE: how units become packages. */
  @Optional()
  @Part(() => TransformQuantityBody)
  transform_quantity?: TransformQuantityBody | null;
}

class PriceFields extends MoneyFields {
  /** Your own name for it, unique among the published prices. */
  @Optional()
  @IsText()
  lookup_key?: string | null;

  /** How an invoice line names it. */
  @Optional()
  @IsText()
  display_name?: string | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  group_id?: string | null;
}

/** What decides what a quantity costs. */
export type MoneyTerms = Pick<NewPriceBody, 'amount' | 'tiers' | 'tier_mode' | 'transform_quantity' | 'min_quantity'>;

export class NewPriceBody extends PriceFields {
  @IsIn(priceTypes)
  type: Price['type'];

  @IsIn(billingModels)
  billing_model: Price['billingModel'];

  @IsIn(BILLING_PERIODS)
  billing_period: BillingPeriod;

  /** The interval is so many billing periods; default 1. */
  @Optional()
  @IsWhole({ min: 1, max: 1000 })
  billing_period_count?: number | null;

  /** ONETIME: a FIXED price asked once, when paid time begins. Default: RECURRING. */
  @Optional()
  @IsIn(billingCadences)
  billing_cadence?: Price['billingCadence'] | null;

  /** Default for USAGE: ARREAR, the only one it can have. */
  @Optional()
  @IsIn(invoiceCadences)
  invoice_cadence?: Price['invoiceCadence'] | null;

  /** Default: FIAT. */
  @Optional()
  @IsIn(['FIAT', 'CUSTOM'])
  price_unit_type?: string | null;

  /** What a USAGE price counts by. */
  @Optional()
  @IsText()
  meter_id?: string | null;

  /** Billed at least, as soon as anything is billed. */
  @Optional()
  @IsAmount({ min: '0' })
  min_quantity?: string | null;

  @NotYet()
  filter_values?: object | null;

  @NotYet()
  price_unit_config?: object | null;
}

export class CreatePriceBody extends NewPriceBody {
  @IsCurrency()
  currency: string;

  @IsIn(entityTypes)
  entity_type: string;

  /** The plan. */
  @IsText()
  entity_id: string;

  /** Days. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period?: number | null;

  /** The newer name of `trial_period`. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period_days?: number | null;

  /** Offered from here; default: from ever, of a meter whose price has ended from that end. */
  @Optional()
  @IsInstant()
  start_date?: string | null;

  /** Offered until here; default: for ever. */
  @Optional()
  @IsInstant()
  end_date?: string | null;
}

/** A price that one subscription alone has, in its interval; the line item says from when to when. */
export class AgreedPriceBody extends NewPriceBody {
  /** It is found by its subscription. */
  @NotYet()
  declare lookup_key?: string | null;

  /** Default, and all it can be: the subscription's. */
  @Optional()
  @IsCurrency()
  currency?: string | null;

  @NotYet()
  trial_period?: number | null;
  @NotYet()
  trial_period_days?: number | null;
  @NotYet()
  start_date?: string | null;
  @NotYet()
  end_date?: string | null;
}

export class CreatePricesBody {
  /** All are created, or none. */
  @Parts(() => CreatePriceBody, { min: 1, max: 100 })
  items: CreatePriceBody[];
}

/** Terms otherwise than a price has them: what is left out stays, as long as the model does. */
export class ChangedMoneyBody extends MoneyFields {
  @Optional()
  @IsIn(billingModels)
  billing_model?: Price['billingModel'] | null;
}

/** Texts change in place; what decides what a quantity costs makes a new version of the price. */
export class UpdatePriceBody extends PriceFields implements ChangedMoneyBody {
  @Optional()
  @IsIn(billingModels)
  billing_model?: Price['billingModel'] | null;

  /** From when the new version is offered; default now. */
  @Optional()
  @IsInstant()
  effective_from?: string | null;
}

/** `DELETE` of a price. */
export class EndPriceBody {
  /** The price is offered until here; default: now. */
  @Optional()
  @IsInstant()
  end_date?: string | null;
}

/** `expand`: plans. A price is always shown with its meter. */
export class PriceSearchQuery extends SearchQuery {
  @Optional()
  @IsTexts()
  price_ids?: string[] | null;

  @Optional()
  @IsTexts()
  plan_ids?: string[] | null;

  @Optional()
  @IsTexts()
  entity_ids?: string[] | null;

  @Optional()
  @IsIn(entityTypes)
  entity_type?: string | null;

  @Optional()
  @IsTexts()
  meter_ids?: string[] | null;

  /** Only prices that are offered from before this instant. */
  @Optional()
  @IsInstant()
  start_date_lt?: string | null;

  /** Also those whose end has come. */
  @Optional()
  @IsBoolean()
  allow_expired_prices?: boolean | null;

  /** The later versions of this price. */
  @Optional()
  @IsText()
  parent_price_id?: string | null;

  /** Only those agreed for this subscription. Without asking for such only those of plans are found. */
  @Optional()
  @IsText()
  subscription_id?: string | null;
}
