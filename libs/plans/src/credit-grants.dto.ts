import {
  BILLING_PERIODS,
  DURATION_UNITS,
  MOST_CREDITS,
  text,
  type BillingPeriod,
  type DurationUnit,
} from '@drawdown/billing-core';
import {
  IsAmount,
  IsInstant,
  IsMetadata,
  IsText,
  IsWhole,
  Optional,
  OwnedView,
  PaginationView,
  ownedView,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { expirationTypes, grantCadences, type CreditGrant } from './credit-grant.entity.js';

const LARGEST_PRIORITY = 2_147_483_647;

export class CreateCreditGrantBody {
  @IsText()
  name: string;

  @IsIn(['PLAN', 'SUBSCRIPTION'])
  scope: string;

  @Optional()
  @IsText()
  plan_id?: string | null;

  @Optional()
  @IsText()
  subscription_id?: string | null;

  @IsIn(grantCadences)
  cadence: CreditGrant['cadence'];

  @IsAmount({ above: '0', max: MOST_CREDITS })
  credits: string;

  /** The step of a RECURRING grant. */
  @Optional()
  @IsIn(BILLING_PERIODS)
  period?: BillingPeriod | null;

  /** A step is so many periods; default 1. */
  @Optional()
  @IsWhole({ min: 1, max: 1000 })
  period_count?: number | null;

  /** Default: NEVER. */
  @Optional()
  @IsIn(expirationTypes)
  expiration_type?: CreditGrant['expirationType'] | null;

  /** With DURATION: how many units after they were given the credits expire. */
  @Optional()
  @IsWhole({ min: 1, max: 36_525 })
  expiration_duration?: number | null;

  @Optional()
  @IsIn(DURATION_UNITS)
  expiration_duration_unit?: DurationUnit | null;

  /** Lower is burnt first, none last. */
  @Optional()
  @IsWhole({ min: -LARGEST_PRIORITY, max: LARGEST_PRIORITY })
  priority?: number | null;

  /** Money = credits x rate, of the wallet that is opened if there is none; default 1. */
  @Optional()
  @IsAmount({ above: '0' })
  conversion_rate?: string | null;

  @Optional()
  @IsAmount({ above: '0' })
  topup_conversion_rate?: string | null;

  /** For subscriptions that start from here; default: from ever. */
  @Optional()
  @IsInstant()
  start_date?: string | null;

  /** For subscriptions that start before; default: for ever. */
  @Optional()
  @IsInstant()
  end_date?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class UpdateCreditGrantBody {
  @Optional()
  @IsText()
  name?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

/** `DELETE` of a credit grant. */
export class EndCreditGrantBody {
  /** Subscriptions that start from here don't get it; default: now. */
  @Optional()
  @IsInstant()
  effective_date?: string | null;
}

export class CreditGrantView extends OwnedView {
  name: string;
  scope: string;
  plan_id: string | null;
  subscription_id: string | null;
  cadence: string;
  credits: string;
  period: string | null;
  period_count: number | null;
  expiration_type: string;
  expiration_duration: number | null;
  expiration_duration_unit: string | null;
  priority: number | null;
  conversion_rate: string | null;
  topup_conversion_rate: string | null;
  start_date: string | null;
  end_date: string | null;
  credit_grant_anchor: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export class CreditGrantListView {
  @ApiProperty({ type: [CreditGrantView] })
  items: CreditGrantView[];
  pagination: PaginationView;
}

export const creditGrantView = (grant: CreditGrant): CreditGrantView => ({
  ...ownedView(grant),
  name: grant.name,
  scope: 'PLAN',
  plan_id: grant.planId,
  subscription_id: null,
  cadence: grant.cadence,
  credits: text(grant.credits),
  period: grant.period ?? null,
  period_count: grant.period ? grant.periodCount : null,
  expiration_type: grant.expirationType,
  expiration_duration: grant.expirationDuration ?? null,
  expiration_duration_unit: grant.expirationUnit ?? null,
  priority: grant.priority ?? null,
  conversion_rate: grant.conversionRate ? text(grant.conversionRate) : null,
  topup_conversion_rate: grant.topupConversionRate ? text(grant.topupConversionRate) : null,
  start_date: grant.startDate?.toISOString() ?? null,
  end_date: grant.endDate?.toISOString() ?? null,
  credit_grant_anchor: null,
  metadata: grant.metadata,
});
