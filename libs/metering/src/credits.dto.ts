import { text } from '@drawdown/billing-core';
import { IsAmount, IsCurrency, IsText, IsWhole, Optional, OwnedView, PageQuery, type Scope } from '@drawdown/platform';
import type { Hold } from '@drawdown/wallets';
import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, ValidateBy } from 'class-validator';
import { REFUSALS, type Refusal } from './authorizer.js';
import { isProperties } from './incoming-event.js';

/** What an event says about itself: at most 100 texts (4,096 bytes), numbers or booleans. */
const IsProperties = () =>
  ValidateBy({
    name: 'isProperties',
    validator: {
      validate: isProperties,
      defaultMessage: () => '$property must map at most 100 names to texts (4,096 bytes), numbers or booleans',
    },
  });

/** One of `event_name`, `feature` and `credits` says what the customer is about to do. */
export class AuthorizeBody {
  @Optional()
  @IsText()
  customer_id?: string;

  /** Your id of the customer; or `customer_id`, ours. */
  @Optional()
  @IsText()
  external_customer_id?: string;

  /** The event it will be, with its properties. */
  @Optional()
  @IsText()
  event_name?: string;

  /** Of the use; a feature's meter gets what its filters ask for by itself. */
  @Optional()
  @IsProperties()
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  properties?: Record<string, string | number | boolean>;

  /** Id or lookup key of a feature: for boolean, static and limited ones, and those with a price. */
  @Optional()
  @IsText()
  feature?: string;

  /** Plain credits. */
  @Optional()
  @IsAmount({ above: '0' })
  credits?: string;

  /** Which credits; needed where the customer has wallets of several conversion rates. */
  @Optional()
  @IsCurrency()
  currency?: string;

  /** False asks without keeping; default true. */
  @Optional()
  @IsBoolean()
  hold?: boolean;

  /** How long it keeps; default 900, at most a day, by the environment's clock. */
  @Optional()
  @IsWhole({ min: 1, max: 86_400 })
  expires_in_seconds?: number;

  /** The same key and request keep once. */
  @Optional()
  @IsText()
  idempotency_key?: string;
}

export class AuthorizationView {
  /** Of the hold; null when nothing is kept. */
  id: string | null;
  allowed: boolean;
  /** Why not; null when allowed. */
  @ApiProperty({ enum: REFUSALS, nullable: true })
  reason: Refusal | null;
  /** Credits the hold keeps. */
  credits_held: string;
  /** Credits the customer can still spend, after it; in the currency of the price or of the credits. */
  balance: string;
}

export class CaptureBody {
  /** What was really used; default: what was asked for. */
  @Optional()
  @IsProperties()
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  properties?: Record<string, string | number | boolean>;

  /** Of a hold of plain credits: how many are taken; default: what it keeps. */
  @Optional()
  @IsAmount({ min: '0' })
  credits?: string;

  /** Of the usage event it records; unique in the environment, generated when left out. */
  @Optional()
  @IsText()
  event_id?: string;
}

export class HoldsQuery extends PageQuery {
  @Optional()
  @IsText()
  customer_id?: string;

  @Optional()
  @IsIn(['open', 'captured', 'released', 'expired'])
  hold_status?: string;
}

export class HeldLotView {
  lot_id: string;
  credits: string;
}

/** Credits reserved. Amounts are exact decimals as text, in credits; `shortfall` is money. */
export class HoldView extends OwnedView {
  customer_id: string;
  currency: string | null;
  @ApiProperty({ enum: ['open', 'captured', 'released', 'expired'] })
  hold_status: string;
  event_name: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  properties: Record<string, unknown> | null;
  /** What it keeps, or kept until it ended. */
  credits_held: string;
  @ApiProperty({ type: [HeldLotView] })
  lots: HeldLotView[];
  expires_at: string;
  ended_at: string | null;
  /** Of the event a capture recorded. */
  event_id: string | null;
  /** What a capture took; more than was held as far as there were credits. */
  credits_captured: string;
  /** What no credits covered of it: owed and billed with the period; of plain credits always 0. */
  shortfall: string;
}

export const holdView = (hold: Hold, scope: Scope): HoldView => ({
  id: hold.id,
  tenant_id: scope.tenantId,
  environment_id: scope.environmentId,
  status: 'published',
  created_at: hold.createdAt.toISOString(),
  updated_at: (hold.endedAt ?? hold.createdAt).toISOString(),
  created_by: null,
  updated_by: null,
  customer_id: hold.customerId,
  currency: hold.currency,
  hold_status: hold.status,
  event_name: hold.use?.eventName ?? null,
  properties: hold.use?.properties ?? null,
  credits_held: text(hold.credits),
  lots: hold.parts.map(({ lotId, credits }) => ({ lot_id: lotId, credits: text(credits) })),
  expires_at: hold.expiresAt.toISOString(),
  ended_at: hold.endedAt?.toISOString() ?? null,
  event_id: hold.eventId,
  credits_captured: text(hold.creditsCaptured),
  shortfall: text(hold.shortfall),
});
