import { BILLING_CYCLES, BILLING_PERIODS } from '@drawdown/billing-core';
import {
  IsAmount,
  IsCurrency,
  IsInstant,
  IsMetadata,
  IsText,
  IsTexts,
  IsWhole,
  IsZone,
  NotYet,
  Optional,
  Parts,
  PartsByName,
  SearchQuery,
} from '@drawdown/platform';
import { CreateCreditGrantBody } from '@drawdown/plans';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import {
  CreateLineItemBody,
  LARGEST_OVERAGE_FACTOR,
  LineItemCommitmentBody,
  OverrideEntitlementBody,
  OverrideLineItemBody,
} from './line-items.dto.js';
import {
  COLLECTION_METHODS,
  PAYMENT_BEHAVIORS,
  PAYMENT_TERMS,
  PRORATION_BEHAVIORS,
  type PaymentBehavior,
} from './subscription.entity.js';
import { SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription-status.js';

/** Three years, as for a price: whoever gives longer for free has mistyped. */
export const LONGEST_TRIAL_DAYS = 1095;

export class CreateSubscriptionBody {
  @IsText()
  plan_id: string;

  /** Counts when both this and `external_customer_id` are given; one of them is required. */
  @Optional()
  @IsText()
  customer_id?: string | null;

  @Optional()
  @IsText()
  external_customer_id?: string | null;

  @IsCurrency()
  currency: string;

  @IsIn(BILLING_PERIODS)
  billing_period: (typeof BILLING_PERIODS)[number];

  /** Default 1. */
  @Optional()
  @IsWhole({ min: 1, max: 60 })
  billing_period_count?: number | null;

  @NotYet(['RECURRING'])
  billing_cadence?: string | null;

  /** `anniversary` (default): periods count from the start of paid time; `calendar`: from the next natural boundary. */
  @Optional()
  @IsIn(BILLING_CYCLES)
  billing_cycle?: (typeof BILLING_CYCLES)[number] | null;

  /** Default now. At most 13 months back: every boundary since then happens in order; ahead: a draft until then. */
  @Optional()
  @IsInstant()
  start_date?: string | null;

  /** Cancelled at this instant by agreement. */
  @Optional()
  @IsInstant()
  end_date?: string | null;

  /** A trial starts with the subscription; anything else is refused. */
  @Optional()
  @IsInstant()
  trial_start?: string | null;

  @Optional()
  @IsInstant()
  trial_end?: string | null;

  /** Days of trial, 0 for none; without it and `trial_end` the plan's prices decide. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period_days?: number | null;

  /** The older spelling of `trial_period_days`. */
  @Optional()
  @IsWhole({ max: LONGEST_TRIAL_DAYS })
  trial_period?: number | null;

  /** Whether a first partial period is billed by its share. Default `none`. */
  @Optional()
  @IsIn(PRORATION_BEHAVIORS)
  proration_behavior?: (typeof PRORATION_BEHAVIORS)[number] | null;

  /** IANA zone whose wall clock the periods go by. Default the customer's. */
  @Optional()
  @IsZone()
  customer_timezone?: string | null;

  @Optional()
  @IsIn(COLLECTION_METHODS)
  collection_method?: (typeof COLLECTION_METHODS)[number] | null;

  @Optional()
  @IsIn(PAYMENT_TERMS)
  payment_terms?: (typeof PAYMENT_TERMS)[number] | null;

  /** Whether the subscription is active or `incomplete` until its first invoice is paid. Default `default_active`. */
  @Optional()
  @IsIn(PAYMENT_BEHAVIORS)
  payment_behavior?: PaymentBehavior | null;

  /** `draft`: it starts when it is activated. */
  @Optional()
  @IsIn(['active', 'draft'])
  subscription_status?: string | null;

  @Optional()
  @IsText()
  lookup_key?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  gateway_payment_method_id?: string | null;

  /** Money: usage that is promised of each billing period. Of a part of a period its share by the second. */
  @Optional()
  @IsAmount({ above: '0' })
  commitment_amount?: string | null;

  /** The billing period. */
  @Optional()
  @IsIn(BILLING_PERIODS)
  commitment_duration?: (typeof BILLING_PERIODS)[number] | null;

  /** What usage beyond the commitment costs times its price. Default 1. */
  @Optional()
  @IsAmount({ min: '1', max: LARGEST_OVERAGE_FACTOR })
  overage_factor?: string | null;

  /** Whether what was promised and not used is charged. Default false. */
  @Optional()
  @IsBoolean()
  enable_true_up?: boolean | null;

  /** Grants of this subscription beside its plan's. */
  @Optional()
  @Parts(() => CreateCreditGrantBody, { max: 50 })
  credit_grants?: CreateCreditGrantBody[] | null;

  /** Amounts and quantities otherwise than the plan's. */
  @Optional()
  @Parts(() => OverrideLineItemBody, { max: 100 })
  override_line_items?: OverrideLineItemBody[] | null;

  /** Limits, values and switches otherwise than the plan's. */
  @Optional()
  @Parts(() => OverrideEntitlementBody, { max: 100 })
  override_entitlements?: OverrideEntitlementBody[] | null;

  /** Prices of any plan, or of its own, beside those of its plan, from its start. */
  @Optional()
  @Parts(() => CreateLineItemBody, { max: 100 })
  line_items?: CreateLineItemBody[] | null;

  /** What is promised of its plan's prices, by their ids. */
  @Optional()
  @PartsByName(() => LineItemCommitmentBody, { max: 100 })
  line_item_commitments?: ReadonlyMap<string, LineItemCommitmentBody> | null;

  @NotYet()
  coupons?: unknown[] | null;
  @NotYet()
  line_item_coupons?: Record<string, unknown> | null;
  @NotYet()
  addons?: unknown[] | null;
  @NotYet()
  phases?: unknown[] | null;
  @NotYet()
  tax_rate_overrides?: unknown[] | null;
  @NotYet()
  invoice_billing?: string | null;
  @NotYet()
  parent_subscription_id?: string | null;
}

export const CANCELLATION_TYPES = ['immediate', 'end_of_period'] as const;

export class CancelSubscriptionBody {
  @IsIn(CANCELLATION_TYPES)
  cancellation_type: (typeof CANCELLATION_TYPES)[number];

  /** Whether an immediate cancellation drafts a final invoice (default) or leaves the rest unbilled. */
  @Optional()
  @IsIn(['generate_invoice', 'skip'])
  cancel_immediately_inovice_policy?: 'generate_invoice' | 'skip' | null;

  /** The right spelling of the same. */
  @Optional()
  @IsIn(['generate_invoice', 'skip'])
  cancel_immediately_invoice_policy?: 'generate_invoice' | 'skip' | null;

  /** Whether the advance fees of the rest of the period are given back; default the subscription's. */
  @Optional()
  @IsIn(PRORATION_BEHAVIORS)
  proration_behavior?: (typeof PRORATION_BEHAVIORS)[number] | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  reason?: string | null;
}

export class UpdateSubscriptionBody {
  @Optional()
  @IsText()
  lookup_key?: string | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  /** Cancel at this instant. */
  @Optional()
  @IsInstant()
  cancel_at?: string | null;

  /** Cancel at the end of the current period; `false` withdraws a cancellation that was set for later. */
  @Optional()
  @IsBoolean()
  cancel_at_period_end?: boolean | null;

  @NotYet()
  status?: string | null;
  @NotYet()
  parent_subscription_id?: string | null;
}

export class SubscriptionSearchBody extends SearchQuery {
  @Optional()
  @IsText()
  customer_id?: string | null;

  @Optional()
  @IsText()
  external_customer_id?: string | null;

  @Optional()
  @IsText()
  plan_id?: string | null;

  @Optional()
  @IsTexts()
  subscription_ids?: string[] | null;

  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(SUBSCRIPTION_STATUSES, { each: true })
  subscription_status?: SubscriptionStatus[] | null;

  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(BILLING_PERIODS, { each: true })
  billing_period?: (typeof BILLING_PERIODS)[number][] | null;

  /** Every subscription recurs. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(['RECURRING', 'ONETIME'], { each: true })
  billing_cadence?: ('RECURRING' | 'ONETIME')[] | null;

  /** Only those that had started and not been cancelled at this instant. */
  @Optional()
  @IsInstant()
  active_at?: string | null;

  /** `false` leaves the line items out. */
  @Optional()
  @IsBoolean()
  with_line_items?: boolean | null;

  @NotYet()
  invoicing_customer_ids?: string[] | null;
  @NotYet()
  parent_subscription_ids?: string[] | null;
}
