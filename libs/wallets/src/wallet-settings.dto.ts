import { chargeable, MOST_CREDITS, purchase, roundMoney } from '@drawdown/billing-core';
import { IsAmount, IsWhole, Optional, Problem } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsIn, ValidateNested } from 'class-validator';
import { type AutoTopup, stateOf, TOPUP_DEFAULTS, topUpRule } from './auto-topup.js';
import { type AlertSettings, type AlertThreshold, PRICE_TYPES, type PriceType, type Wallet } from './wallet.entity.js';

export class AutoTopupBody {
  @Optional()
  @IsBoolean()
  enabled?: boolean;

  /** Credits: buys when the real-time balance is at or below it. */
  @Optional()
  @IsAmount({ min: '0' })
  threshold?: string;

  /** Credits to buy. */
  @Optional()
  @IsAmount({ above: '0', max: MOST_CREDITS })
  amount?: string;

  /** Stored only: a purchase is always an invoice whose payment brings the credits, charged to the saved card. */
  @Optional()
  @IsBoolean()
  invoicing?: boolean;

  /** The least time between two purchases; default a minute. */
  @Optional()
  @IsWhole({ min: 0, max: 2_592_000 })
  cooldown_seconds?: number;

  /** Purchases within 24 hours, at most; default 10. */
  @Optional()
  @IsWhole({ min: 1, max: 1000 })
  daily_cap?: number;

  /** Failures in a row after which it stops until it is switched on again; default 4. */
  @Optional()
  @IsWhole({ min: 1, max: 20 })
  stop_after_declines?: number;
}

export class AlertThresholdBody {
  /** Credits. */
  @IsAmount()
  threshold: string;

  @IsIn(['above', 'below'])
  condition: 'above' | 'below';
}

export class AlertSettingsBody {
  @Optional()
  @IsBoolean()
  alert_enabled?: boolean;

  @Optional()
  @ValidateNested()
  @Type(() => AlertThresholdBody)
  critical?: AlertThresholdBody | null;

  @Optional()
  @ValidateNested()
  @Type(() => AlertThresholdBody)
  warning?: AlertThresholdBody | null;

  @Optional()
  @ValidateNested()
  @Type(() => AlertThresholdBody)
  info?: AlertThresholdBody | null;
}

export class WalletConfigBody {
  /** What the wallet's credits may pay; default `["USAGE"]`. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(PRICE_TYPES.length)
  @IsIn(PRICE_TYPES, { each: true })
  allowed_price_types: PriceType[];
}

/** Amounts in credits. */
export class AutoTopupView {
  enabled: boolean;
  threshold: string | null;
  amount: string | null;
  invoicing: boolean;
  cooldown_seconds: number;
  daily_cap: number;
  stop_after_declines: number;
}

/** How automatic top-up stands. */
export class AutoTopupStateView {
  /** `off`, `ready`, `in_progress` (a card is being charged), `waiting` (for the reason) or `stopped` (until switched on again). */
  status: string;
  reason: string | null;
  /** When it is asked again by itself. */
  next_attempt_at: string | null;
  last_attempt_at: string | null;
  /** Of what was ordered and is not paid: it can be paid by hand too. */
  invoice_id: string | null;
  /** Failures in a row, and why the last one. */
  failures: number;
  last_failure: string | null;
  stopped_at: string | null;
}

export function autoTopupStateView(wallet: Pick<Wallet, 'autoTopup' | 'autoTopupState'>): AutoTopupStateView {
  const { declined_at, status, ...state } = stateOf(wallet);
  const off = !wallet.autoTopup?.enabled && status !== 'in_progress';
  return { ...state, status: off ? 'off' : status, failures: declined_at.length };
}

export class AlertThresholdView {
  threshold: string;
  condition: string;
}

export class AlertSettingsView {
  alert_enabled: boolean;
  @ApiProperty({ type: AlertThresholdView, nullable: true })
  critical: AlertThresholdView | null;
  @ApiProperty({ type: AlertThresholdView, nullable: true })
  warning: AlertThresholdView | null;
  @ApiProperty({ type: AlertThresholdView, nullable: true })
  info: AlertThresholdView | null;
}

export class WalletConfigView {
  @ApiProperty({ enum: PRICE_TYPES, isArray: true })
  allowed_price_types: PriceType[];
}

/** The settings a body gives, as stored: of automatic top-up and of alerts what it leaves out stays. @throws Problem 400. */
export function settingsOf(
  body: { auto_topup?: AutoTopupBody; alert_settings?: AlertSettingsBody; config?: WalletConfigBody },
  stored: { readonly autoTopup?: AutoTopup | null; readonly alertSettings?: AlertSettings | null } = {},
): { autoTopup?: AutoTopup; alertSettings?: AlertSettings; allowedPriceTypes?: PriceType[] } {
  const { auto_topup: autoTopup, alert_settings: alerts, config } = body;
  return {
    ...(autoTopup ? { autoTopup: storedTopup(autoTopup, stored.autoTopup ?? TOPUP_DEFAULTS) } : {}),
    ...(alerts ? { alertSettings: storedAlerts(alerts, stored.alertSettings ?? NO_ALERTS) } : {}),
    ...(config ? { allowedPriceTypes: config.allowed_price_types } : {}),
  };
}

function storedTopup(body: AutoTopupBody, stored: AutoTopup): AutoTopup {
  const rule = {
    enabled: body.enabled ?? stored.enabled,
    threshold: body.threshold ?? stored.threshold,
    amount: body.amount ?? stored.amount,
    invoicing: body.invoicing ?? stored.invoicing,
    cooldown_seconds: body.cooldown_seconds ?? stored.cooldown_seconds,
    daily_cap: body.daily_cap ?? stored.daily_cap,
    stop_after_declines: body.stop_after_declines ?? stored.stop_after_declines,
  };
  if (rule.enabled && rule.threshold === null)
    throw Problem.invalid('auto_topup.threshold', 'is required to switch it on');
  if (rule.enabled && rule.amount === null) throw Problem.invalid('auto_topup.amount', 'is required to switch it on');
  return rule;
}

const NO_ALERTS: AlertSettings = { alert_enabled: false, critical: null, warning: null, info: null };

const storedAlerts = (body: AlertSettingsBody, stored: AlertSettings): AlertSettings => ({
  alert_enabled: body.alert_enabled ?? stored.alert_enabled,
  critical: storedThreshold(body.critical, stored.critical),
  warning: storedThreshold(body.warning, stored.warning),
  info: storedThreshold(body.info, stored.info),
});

/** Null takes a threshold away. */
const storedThreshold = (body: AlertThresholdBody | null | undefined, stored: AlertThreshold | null) =>
  body === undefined ? stored : body && { threshold: body.threshold, condition: body.condition };

/**
 * What a purchase of the automatic top-up costs must be an amount that a card can be charged: it is ordered where nobody
 * can be told. @throws Problem 400.
 */
export function assertChargeable(wallet: Pick<Wallet, 'autoTopup' | 'topupConversionRate' | 'currency'>): void {
  const rule = topUpRule(wallet);
  if (!rule) return;
  const { money } = purchase({ credits: rule.amount, money: null }, rule.purchaseRate);
  const due = chargeable(roundMoney(money, wallet.currency), wallet.currency);
  if ('refused' in due) throw Problem.invalid('auto_topup.amount', `can't be charged to a card: ${due.reason}`);
}
