import { round12, text } from '@drawdown/billing-core';
import {
  IsAmount,
  IsInstant,
  IsWhole,
  NotYet,
  Optional,
  OwnedView,
  ownedView,
  PageQuery,
  UnusedKey,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import type { LedgerEntry } from './ledger-entry.entity.js';
import type { Lot } from './lot.entity.js';
import { REFERENCE_TYPES, TRANSACTION_REASONS, type ReferenceType, type TransactionReason } from './movement.js';
import type { Wallet } from './wallet.entity.js';

/** The filters of a ledger, as a query or as a body. */
export class WalletTransactionQuery extends PageQuery {
  @Optional()
  @IsIn(['credit', 'debit'])
  type?: 'credit' | 'debit';

  /** Every entry of a ledger is completed. */
  @Optional()
  @IsIn(['pending', 'completed', 'failed'])
  transaction_status?: string;

  @Optional()
  @IsIn(TRANSACTION_REASONS)
  transaction_reason?: TransactionReason;

  @Optional()
  @IsIn(REFERENCE_TYPES)
  reference_type?: ReferenceType;

  @Optional()
  @IsString()
  @MaxLength(255)
  reference_id?: string;

  /** Only lots with more credits left than this. */
  @Optional()
  @IsAmount({ min: '0' })
  credits_available_gt?: string;

  @Optional()
  @IsInstant()
  expiry_date_before?: string;

  @Optional()
  @IsInstant()
  expiry_date_after?: string;

  @Optional()
  @IsWhole({ min: -2147483648, max: 2147483647 })
  priority?: number;

  /** Nobody signs in yet: no entry was made by name. */
  @Optional()
  @IsString()
  @MaxLength(255)
  created_by?: string;

  /** One entry. */
  @Optional()
  @IsString()
  @MaxLength(255)
  id?: string;
}

export class WalletTransactionSearchBody extends WalletTransactionQuery {
  @NotYet()
  filters?: unknown[];

  @NotYet()
  sort?: unknown;
}

/** One ledger entry. Amounts are exact decimals as text, above zero; `type` says which way they went. */
export class WalletTransactionView extends OwnedView {
  wallet_id: string;
  customer_id: string;
  type: string;
  transaction_status: string;
  transaction_reason: string;
  /** Credits, and the same in money. */
  credit_amount: string;
  amount: string;
  credit_balance_before: string;
  credit_balance_after: string;
  /** What is left now of the lot that a credit brought; 0 for others. */
  credits_available: string;
  currency: string;
  conversion_rate: string;
  topup_conversion_rate: string;
  /** Of its lot. */
  expiry_date: string | null;
  priority: number | null;
  reference_type: string | null;
  reference_id: string | null;
  idempotency_key: string;
  description: string | null;
  metadata: Record<string, string>;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  customer: null;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  wallet: null;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  created_by_user: null;
  /** Why, as the ledger says it, and of which lot: ours, beside the client's keys. */
  kind: string;
  lot_id: string;
  cause_type: string;
  cause_id: string;
  line_item_id: string | null;
  period_id: string | null;
}

export function walletTransactionView(entry: LedgerEntry, lot: Lot, wallet: Wallet): WalletTransactionView {
  const { id, tenantId, environmentId, at, credits } = entry;
  return {
    ...ownedView({ id, tenantId, environmentId, createdAt: at, updatedAt: at }),
    wallet_id: entry.walletId,
    customer_id: entry.customerId,
    type: credits.gt(0) ? 'credit' : 'debit',
    transaction_status: 'completed',
    transaction_reason: entry.reason,
    credit_amount: text(credits.abs()),
    amount: text(round12(credits.abs().times(wallet.conversionRate))),
    credit_balance_before: text(entry.balanceAfter.minus(credits)),
    credit_balance_after: text(entry.balanceAfter),
    credits_available: entry.kind === 'add' ? text(lot.remaining) : '0',
    currency: wallet.currency,
    conversion_rate: text(wallet.conversionRate),
    topup_conversion_rate: text(wallet.topupConversionRate),
    expiry_date: lot.expiresAt?.toISOString() ?? null,
    priority: lot.priority ?? null,
    reference_type: entry.referenceType ?? null,
    reference_id: entry.referenceId ?? null,
    idempotency_key: entry.businessKey,
    description: entry.description ?? null,
    metadata: entry.metadata,
    customer: null,
    wallet: null,
    created_by_user: null,
    kind: entry.kind,
    lot_id: entry.lotId,
    cause_type: entry.causeType,
    cause_id: entry.causeId,
    line_item_id: entry.lineItemId ?? null,
    period_id: entry.periodId ?? null,
  };
}
