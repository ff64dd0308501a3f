import { IsAmount, Optional, Problem } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsIn, ValidateNested } from 'class-validator';
import { PRICE_TYPES, type AlertSettings, type AutoTopup, type PriceType } from './wallet.entity.js';

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
  @IsAmount({ above: '0' })
  amount?: string;

  @Optional()
  @IsBoolean()
  invoicing?: boolean;
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
  critical?: AlertThresholdBody;

  @Optional()
  @ValidateNested()
  @Type(() => AlertThresholdBody)
  warning?: AlertThresholdBody;

  @Optional()
  @ValidateNested()
  @Type(() => AlertThresholdBody)
  info?: AlertThresholdBody;
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

/** The settings a body gives, as stored. @throws Problem 400 for one this version doesn't act on. */
export function settingsOf(body: {
  auto_topup?: AutoTopupBody;
  alert_settings?: AlertSettingsBody;
  config?: WalletConfigBody;
}): { autoTopup?: AutoTopup; alertSettings?: AlertSettings; allowedPriceTypes?: PriceType[] } {
  const { auto_topup: autoTopup, alert_settings: alerts, config } = body;
  if (autoTopup?.enabled) throw Problem.unsupported('auto_topup.enabled', 'is not supported yet');
  return {
    ...(autoTopup ? { autoTopup: storedTopup(autoTopup) } : {}),
    ...(alerts ? { alertSettings: storedAlerts(alerts) } : {}),
    ...(config ? { allowedPriceTypes: config.allowed_price_types } : {}),
  };
}

const storedTopup = (body: AutoTopupBody): AutoTopup => ({
  enabled: false,
  threshold: body.threshold ?? null,
  amount: body.amount ?? null,
  invoicing: body.invoicing ?? false,
});

const storedAlerts = (body: AlertSettingsBody): AlertSettings => ({
  alert_enabled: body.alert_enabled ?? false,
  critical: storedThreshold(body.critical),
  warning: storedThreshold(body.warning),
  info: storedThreshold(body.info),
});

const storedThreshold = (body: AlertThresholdBody | null | undefined) =>
  body ? { threshold: body.threshold, condition: body.condition } : null;
