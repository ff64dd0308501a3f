import { MOST_CREDITS } from '@drawdown/billing-core';
import { IsAmount, IsInstant, IsMetadata, IsText, IsWhole, Optional } from '@drawdown/platform';
import { WalletTransactionView, WalletView } from '@drawdown/wallets';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';

export const TOP_UP_REASONS = ['FREE_CREDIT_GRANT', 'PURCHASED_CREDIT_DIRECT', 'PURCHASED_CREDIT_INVOICED'] as const;

export class TopUpWalletBody {
  /** Free at once; bought at once and paid outside; or bought by an invoice whose payment brings the credits. */
  @IsIn(TOP_UP_REASONS)
  transaction_reason: (typeof TOP_UP_REASONS)[number];

  /** Credits; they win when `amount` is given too. One of them is required. */
  @Optional()
  @IsAmount({ above: '0', max: MOST_CREDITS })
  credits_to_add?: string | null;

  /** Money: so many credits as it buys at the wallet's `topup_conversion_rate` (free ones: at its conversion rate). */
  @Optional()
  @IsAmount({ above: '0' })
  amount?: string | null;

  /** When the credits expire; default never. */
  @Optional()
  @IsInstant()
  expiry_date_utc?: string | null;

  /** Lower burns first, none last. */
  @Optional()
  @IsWhole({ min: -2147483648, max: 2147483647 })
  priority?: number | null;

  @Optional()
  @IsString()
  @MaxLength(2000)
  description?: string | null;

  /** The same key on the same wallet brings its credits once; with other credits it is refused. */
  @Optional()
  @IsText()
  idempotency_key?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class TopUpWalletView {
  @ApiProperty({ type: WalletView })
  wallet: WalletView;
  /** Null while the credits are not there: an invoice has to be paid first. */
  @ApiProperty({ type: WalletTransactionView, nullable: true })
  wallet_transaction: WalletTransactionView | null;
  @ApiProperty({ type: String, nullable: true })
  invoice_id: string | null;
}

export class WalletBalanceQuery {
  /** Nothing is expanded yet. */
  @Optional()
  @IsString()
  @MaxLength(500)
  expand?: string | null;
}

/** A wallet with what can be spent now. Informing beside it, not subtracted: usage of open periods, unpaid invoices. */
export class WalletBalanceView extends WalletView {
  /** Credits that usable lots hold and no hold has taken. */
  real_time_credit_balance: string;
  /** The same in money. */
  real_time_balance: string;
  /** Money accrued in the open periods of the customer's subscriptions in the wallet's currency. */
  current_period_usage: string;
  /** Money that the customer's finalized invoices in the currency still ask for. */
  unpaid_invoices_amount: string;
  balance_updated_at: string;
}
