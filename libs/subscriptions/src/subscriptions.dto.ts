import { BILLING_CYCLES, BILLING_PERIODS } from '@drawdown/billing-core';
import { IsCurrency, IsInstant, IsMetadata, IsWhole, IsZone, NotYet, Optional, SearchQuery } from '@drawdown/platform';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { COLLECTION_METHODS, PAYMENT_TERMS, PRORATION_BEHAVIORS } from './subscription.entity.js';
import { SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription-status.js';

export class CreateSubscriptionBody {
  @IsString()
  @MaxLength(255)
  plan_id: string;

  /** Counts when both this and `external_customer_id` are given; one of them is required. */
  @Optional()
  @IsString()
  @MaxLength(255)
  customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string;

  @IsCurrency()
  currency: string;

  @IsIn(BILLING_PERIODS)
  billing_period: (typeof BILLING_PERIODS)[number];

  /** Default 1. */
  @Optional()
  @IsWhole({ min: 1, max: 60 })
  billing_period_count?: number;

  @Optional()
  @IsIn(['RECURRING'])
  billing_cadence?: 'RECURRING';

  /** `anniversary` (default): periods count from the start of paid time; `calendar`: from the next natural boundary. */
  @Optional()
  @IsIn(BILLING_CYCLES)
  billing_cycle?: (typeof BILLING_CYCLES)[number];

  /** Default now. At most 13 months back: every boundary since then happens in order; ahead: a draft until then. */
  @Optional()
  @IsInstant()
  start_date?: string;

  /** Cancelled at this instant by agreement. */
  @Optional()
  @IsInstant()
  end_date?: string;

  /** A trial starts with the subscription; anything else is refused. */
  @Optional()
  @IsInstant()
  trial_start?: string;

  @Optional()
  @IsInstant()
  trial_end?: string;

  /** Days of trial, 0 for none; without it and `trial_end` the plan's prices decide. */
  @Optional()
  @IsWhole({ max: 730 })
  trial_period_days?: number;

  /** The older spelling of `trial_period_days`. */
  @Optional()
  @IsWhole({ max: 730 })
  trial_period?: number;

  /** Whether a first partial period is billed by its share. Default `none`. */
  @Optional()
  @IsIn(PRORATION_BEHAVIORS)
  proration_behavior?: (typeof PRORATION_BEHAVIORS)[number];

  /** IANA zone whose wall clock the periods go by. Default the customer's. */
  @Optional()
  @IsZone()
  customer_timezone?: string;

  @Optional()
  @IsIn(COLLECTION_METHODS)
  collection_method?: (typeof COLLECTION_METHODS)[number];

  @Optional()
  @IsIn(PAYMENT_TERMS)
  payment_terms?: (typeof PAYMENT_TERMS)[number];

  /** The subscription becomes active whatever becomes of its first payment. */
  @Optional()
  @IsIn(['default_active'])
  payment_behavior?: 'default_active';

  @Optional()
  @IsIn(['active'])
  subscription_status?: 'active';

  @Optional()
  @IsString()
  @MaxLength(255)
  lookup_key?: string;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string>;

  @NotYet()
  gateway_payment_method_id?: string;
  @NotYet()
  commitment_amount?: string;
  @NotYet()
  commitment_duration?: string;
  @NotYet()
  overage_factor?: string;
  @NotYet()
  enable_true_up?: boolean;
  @NotYet()
  credit_grants?: unknown[];
  @NotYet()
  override_line_items?: unknown[];
  @NotYet()
  override_entitlements?: unknown[];
  @NotYet()
  line_items?: unknown[];
  @NotYet()
  line_item_commitments?: Record<string, unknown>;
  @NotYet()
  coupons?: unknown[];
  @NotYet()
  line_item_coupons?: Record<string, unknown>;
  @NotYet()
  addons?: unknown[];
  @NotYet()
  phases?: unknown[];
  @NotYet()
  tax_rate_overrides?: unknown[];
  @NotYet()
  invoice_billing?: string;
  @NotYet()
  parent_subscription_id?: string;
}

export const CANCELLATION_TYPES = ['immediate', 'end_of_period'] as const;

export class CancelSubscriptionBody {
  @IsIn(CANCELLATION_TYPES)
  cancellation_type: (typeof CANCELLATION_TYPES)[number];

  /** Whether an immediate cancellation drafts a final invoice (default) or leaves the rest unbilled. */
  @Optional()
  @IsIn(['generate_invoice', 'skip'])
  cancel_immediately_inovice_policy?: 'generate_invoice' | 'skip';

  /** The right spelling of the same. */
  @Optional()
  @IsIn(['generate_invoice', 'skip'])
  cancel_immediately_invoice_policy?: 'generate_invoice' | 'skip';

  @Optional()
  @IsIn(['none'])
  proration_behavior?: 'none';

  @Optional()
  @IsString()
  @MaxLength(1000)
  reason?: string;
}

export class UpdateSubscriptionBody {
  @Optional()
  @IsString()
  @MaxLength(255)
  lookup_key?: string;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string>;

  /** Cancel at this instant. */
  @Optional()
  @IsInstant()
  cancel_at?: string;

  /** Cancel at the end of the current period; `false` withdraws a cancellation that was set for later. */
  @Optional()
  @IsBoolean()
  cancel_at_period_end?: boolean;

  @NotYet()
  status?: string;
  @NotYet()
  parent_subscription_id?: string;
}

export class SubscriptionSearchBody extends SearchQuery {
  @Optional()
  @IsString()
  @MaxLength(255)
  customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  plan_id?: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @MaxLength(255, { each: true })
  subscription_ids?: string[];

  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(SUBSCRIPTION_STATUSES, { each: true })
  subscription_status?: SubscriptionStatus[];

  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(BILLING_PERIODS, { each: true })
  billing_period?: (typeof BILLING_PERIODS)[number][];

  /** Every subscription recurs. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsIn(['RECURRING', 'ONETIME'], { each: true })
  billing_cadence?: ('RECURRING' | 'ONETIME')[];

  /** Only those that had started and not been cancelled at this instant. */
  @Optional()
  @IsInstant()
  active_at?: string;

  /** `false` leaves the line items out. */
  @Optional()
  @IsBoolean()
  with_line_items?: boolean;

  @NotYet()
  invoicing_customer_ids?: string[];
  @NotYet()
  parent_subscription_ids?: string[];
}
