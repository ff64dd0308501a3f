import type { Decimal } from '@drawdown/billing-core';

/** Why credits move. `add` and the returns come in, the others go out. */
export const MOVEMENT_KINDS = [
  'add',
  'burn',
  'return',
  'write_off',
  'terminate',
  'debit',
  'fee',
  'fee_return',
  'reversal',
  'reversal_return',
  'debt_payment',
  'debt_return',
] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/** What `cause.id` names. */
export const CAUSE_TYPES = [
  'usage_batch',
  'lot',
  'pay_down',
  'wallet',
  'request',
  'invoice',
  'hold',
  'reversal',
] as const;
export type CauseType = (typeof CAUSE_TYPES)[number];

/** The wire's words for why a wallet transaction happened. */
export const TRANSACTION_REASONS = [
  'FREE_CREDIT_GRANT',
  'SUBSCRIPTION_CREDIT_GRANT',
  'PURCHASED_CREDIT_INVOICED',
  'PURCHASED_CREDIT_DIRECT',
  'INVOICE_PAYMENT',
  'CREDIT_ADJUSTMENT',
  'CREDIT_EXPIRED',
  'WALLET_TERMINATION',
  'MANUAL_BALANCE_DEBIT',
] as const;
export type TransactionReason = (typeof TRANSACTION_REASONS)[number];

export const REFERENCE_TYPES = ['PAYMENT', 'EXTERNAL', 'REQUEST', 'INVOICE'] as const;
export type ReferenceType = (typeof REFERENCE_TYPES)[number];

export interface Cause {
  readonly type: CauseType;
  readonly id: string;
  /** Of usage: which line item, and of which period. */
  readonly lineItemId?: string;
  readonly periodId?: string;
}

/** What people read about a movement. */
export interface MovementNote {
  readonly reason?: TransactionReason;
  readonly referenceType?: ReferenceType | null;
  readonly referenceId?: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
}

/** Credits of one lot coming or going, for a cause. Becomes one ledger entry. */
export interface Movement {
  readonly lotId: string;
  /** Signed, never zero, at most 12 places. */
  readonly credits: Decimal;
  readonly kind: MovementKind;
  readonly cause: Cause;
  /** Business key, unique per environment: the same cause can't book twice. */
  readonly key: string;
  readonly note?: MovementNote;
}

/** Credits of one lot that a hold begins to keep (above zero) or stops keeping (below zero). No movement: they stay. */
export interface HeldChange {
  readonly lotId: string;
  readonly holdId: string;
  readonly credits: Decimal;
}
