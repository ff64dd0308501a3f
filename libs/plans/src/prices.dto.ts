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
  Parts,
  SearchQuery,
} from '@drawdown/platform';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { billingModels, invoiceCadences, priceTypes, type Price } from './price.entity.js';

const entityTypes = ['PLAN', 'SUBSCRIPTION', 'ADDON', 'PRICE', 'COSTSHEET'] as const;
/** Three years: whoever gives longer for free has mistyped. */
const LONGEST_TRIAL_DAYS = 1095;

class PriceTexts {
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

  @NotYet()
  tier_mode?: string | null;

  @NotYet()
  tiers?: object[] | null;

  @NotYet()
  transform_quantity?: object | null;
}

export class CreatePriceBody extends PriceTexts {
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

  /** Default: RECURRING. */
  @Optional()
  @IsIn(['RECURRING', 'ONETIME'])
  billing_cadence?: string | null;

  /** Default for USAGE: ARREAR, the only one it can have. */
  @Optional()
  @IsIn(invoiceCadences)
  invoice_cadence?: Price['invoiceCadence'] | null;

  /** Default: FIAT. */
  @Optional()
  @IsIn(['FIAT', 'CUSTOM'])
  price_unit_type?: string | null;

  @IsCurrency()
  currency: string;

  @IsIn(entityTypes)
  entity_type: string;

  /** The plan. */
  @IsText()
  entity_id: string;

  /** Money for a period (FIXED) or a unit (USAGE). */
  @Optional()
  @IsAmount({ min: '0' })
  amount?: string | null;

  /** What a USAGE price counts by. */
  @Optional()
  @IsText()
  meter_id?: string | null;

  /** Days. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period?: number | null;

  /** The newer name of `trial_period`. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period_days?: number | null;

  /** Offered from here; default: from ever. */
  @Optional()
  @IsInstant()
  start_date?: string | null;

  /** Offered until here; default: for ever. */
  @Optional()
  @IsInstant()
  end_date?: string | null;

  @NotYet()
  min_quantity?: number | null;

  @NotYet()
  filter_values?: object | null;

  @NotYet()
  price_unit_config?: object | null;
}

export class CreatePricesBody {
  /** All are created, or none. */
  @Parts(() => CreatePriceBody, { min: 1, max: 100 })
  items: CreatePriceBody[];
}

export class UpdatePriceBody extends PriceTexts {
  /** Refused: see `PricesService.update`. */
  @Optional()
  @IsAmount({ min: '0' })
  amount?: string | null;

  @NotYet()
  billing_model?: string | null;

  @NotYet()
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

  @NotYet()
  parent_price_id?: string | null;

  @NotYet()
  subscription_id?: string | null;
}
