import { type AlertLevel, MOST_CREDITS, round12, text, type Decimal } from '@drawdown/billing-core';
import {
  IsAmount,
  IsCurrency,
  IsInstant,
  IsMetadata,
  IsWhole,
  NotYet,
  Optional,
  OwnedView,
  ownedView,
  PageQuery,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import type { WalletBalance } from './balances.js';
import { WALLET_STATUSES, type Wallet } from './wallet.entity.js';
import {
  AlertSettingsBody,
  AlertSettingsView,
  AutoTopupBody,
  AutoTopupStateView,
  autoTopupStateView,
  AutoTopupView,
  WalletConfigBody,
  WalletConfigView,
} from './wallet-settings.dto.js';

/** What both a new wallet and a change of one may say. */
class WalletDetails {
  @Optional()
  @IsString()
  @MaxLength(255)
  name?: string;

  @Optional()
  @IsString()
  @MaxLength(2000)
  description?: string;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string>;

  @Optional()
  @ValidateNested()
  @Type(() => AutoTopupBody)
  auto_topup?: AutoTopupBody;

  @Optional()
  @ValidateNested()
  @Type(() => AlertSettingsBody)
  alert_settings?: AlertSettingsBody;

  @Optional()
  @ValidateNested()
  @Type(() => WalletConfigBody)
  config?: WalletConfigBody;
}

export class UpdateWalletBody extends WalletDetails {}

export class CreateWalletBody extends WalletDetails {
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

  /** Only `PRE_PAID`. */
  @Optional()
  @IsIn(['PRE_PAID', 'POST_PAID'])
  wallet_type?: 'PRE_PAID' | 'POST_PAID';

  /** money = credits x rate, fixed here; default: that of the customer's other wallets in the currency, else 1. */
  @Optional()
  @IsAmount({ above: '0' })
  conversion_rate?: string;

  /** Money for one bought credit; default: the conversion rate. */
  @Optional()
  @IsAmount({ above: '0' })
  topup_conversion_rate?: string;

  /** Free credits to begin with. */
  @Optional()
  @IsAmount({ min: '0', max: MOST_CREDITS })
  initial_credits_to_load?: string;

  /** When they expire; default never. */
  @Optional()
  @IsInstant()
  initial_credits_expiry_date_utc?: string;

  /** The same as a day, `YYYYMMDD` in UTC: they can be used until that day ends. */
  @Optional()
  @IsWhole({ min: 19700101, max: 99981231 })
  initial_credits_to_load_expiry_date?: number;

  @NotYet()
  price_unit?: string;
}

export class DebitWalletBody {
  @IsAmount({ above: '0' })
  credits: string;

  @Optional()
  @IsString()
  @MaxLength(2000)
  description?: string;

  /** The same key and credits debit once, whatever is sent twice. */
  @Optional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(255)
  idempotency_key?: string;

  @Optional()
  @IsIn(['EXTERNAL', 'REQUEST'])
  reference_type?: 'EXTERNAL' | 'REQUEST';

  @Optional()
  @IsString()
  @MaxLength(255)
  reference_id?: string;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string>;
}

/** `POST /wallets/search`; `status` is the wallet's. */
export class WalletSearchBody extends PageQuery {
  @Optional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @MaxLength(255, { each: true })
  wallet_ids?: string[];

  @Optional()
  @IsIn(WALLET_STATUSES)
  override status?: string;

  @Optional()
  @IsBoolean()
  alert_enabled?: boolean;

  @NotYet()
  sort?: string;
}

/** `GET /customers/wallets` names the customer by our id or by its own. */
export class CustomerWalletsQuery {
  @Optional()
  @IsString()
  @MaxLength(255)
  id?: string;

  /** The customer's external id. */
  @Optional()
  @IsString()
  @MaxLength(255)
  lookup_key?: string;

  /** Nothing is cached: the balance is always the real one. */
  @Optional()
  @IsIn(['true', 'false'])
  include_real_time_balance?: string;

  @Optional()
  @IsIn(['true', 'false'])
  from_cache?: string;

  @Optional()
  @IsString()
  @MaxLength(500)
  expand?: string;
}

export class CreditBreakdownView {
  free: string;
  purchased: string;
}

/** A wallet. Balances are exact decimals as text: `credit_balance` in credits, `balance` the same in money. */
export class WalletView extends OwnedView {
  customer_id: string;
  name: string | null;
  description: string | null;
  currency: string;
  conversion_rate: string;
  topup_conversion_rate: string;
  wallet_type: string;
  wallet_status: string;
  /** What the lots hold: the sum of the ledger. */
  credit_balance: string;
  balance: string;
  /** Credits owed for purchases whose money was taken back after they were spent: paid first by the next ones bought. */
  credit_debt: string;
  /** What usable lots hold and no hold has taken, by origin. */
  credits_available_breakdown: CreditBreakdownView;
  config: WalletConfigView;
  @ApiProperty({ type: AutoTopupView, nullable: true })
  auto_topup: AutoTopupView | null;
  @ApiProperty({ type: AutoTopupStateView, nullable: true })
  auto_topup_state: AutoTopupStateView | null;
  @ApiProperty({ type: AlertSettingsView, nullable: true })
  alert_settings: AlertSettingsView | null;
  /** `ok`, `info`, `warning` or `in_alarm` (critical): what was announced last; null while alerts are off. */
  alert_state: string | null;
  metadata: Record<string, string>;
}

/** What is shown of a wallet, whether it was loaded to be changed or only read. */
export type WalletRecord = Pick<
  Wallet,
  | 'id'
  | 'tenantId'
  | 'environmentId'
  | 'createdAt'
  | 'updatedAt'
  | 'customerId'
  | 'name'
  | 'description'
  | 'currency'
  | 'conversionRate'
  | 'topupConversionRate'
  | 'status'
  | 'debt'
  | 'allowedPriceTypes'
  | 'autoTopup'
  | 'autoTopupState'
  | 'alertSettings'
  | 'alertLevel'
  | 'metadata'
>;

export const walletView = (wallet: WalletRecord, { creditBalance, free, purchased }: WalletBalance): WalletView => ({
  ...ownedView(wallet),
  status: 'published',
  customer_id: wallet.customerId,
  name: wallet.name ?? null,
  description: wallet.description ?? null,
  currency: wallet.currency,
  conversion_rate: text(wallet.conversionRate),
  topup_conversion_rate: text(wallet.topupConversionRate),
  wallet_type: 'PRE_PAID',
  wallet_status: wallet.status,
  credit_balance: text(creditBalance),
  balance: text(inMoney(creditBalance, wallet)),
  credit_debt: text(wallet.debt),
  credits_available_breakdown: { free: text(free), purchased: text(purchased) },
  config: { allowed_price_types: wallet.allowedPriceTypes },
  auto_topup: wallet.autoTopup ?? null,
  auto_topup_state: wallet.autoTopup ? autoTopupStateView(wallet) : null,
  alert_settings: wallet.alertSettings ?? null,
  alert_state: wallet.alertSettings?.alert_enabled ? ALERT_STATES[wallet.alertLevel] : null,
  metadata: wallet.metadata,
});

/** The wire's words. */
const ALERT_STATES: Record<AlertLevel, string> = { ok: 'ok', info: 'info', warning: 'warning', critical: 'in_alarm' };

/** Credits as money at 12 places. */
export const inMoney = (credits: Decimal, wallet: Pick<Wallet, 'conversionRate'>): Decimal =>
  round12(credits.times(wallet.conversionRate));
