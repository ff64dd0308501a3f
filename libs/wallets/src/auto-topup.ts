import { AUTO_TOP_UP_DEFAULTS, Decimal, type AutoTopUpRule, type TopUpRefusal } from '@drawdown/billing-core';

/** Buys credits when the balance falls to the threshold. Amounts are credits, exact decimals as text. */
export interface AutoTopup {
  readonly enabled: boolean;
  readonly threshold: string | null;
  readonly amount: string | null;
  /** Of the wire; a purchase is always charged to the saved card. */
  readonly invoicing: boolean;
  readonly cooldown_seconds: number;
  /** Purchases within 24 hours, at most. */
  readonly daily_cap: number;
  readonly stop_after_declines: number;
}

/** `ready`: buys when it is due. `in_progress`: a card is being charged. `waiting`: see the reason. `stopped`: switch it on again. */
export const AUTO_TOPUP_STATUSES = ['ready', 'in_progress', 'waiting', 'stopped'] as const;

/** How a wallet's automatic top-up stands; instants as text. */
export interface AutoTopupState {
  readonly status: (typeof AUTO_TOPUP_STATUSES)[number];
  /** Why it is due and does not buy; null unless `waiting`. */
  readonly reason: TopUpRefusal | null;
  /** When it is asked again by itself. */
  readonly next_attempt_at: string | null;
  readonly last_attempt_at: string | null;
  /** The invoice of what was ordered and is not paid: being charged, or declined and tried again. */
  readonly invoice_id: string | null;
  /** Failures in a row: none since a success, or since it was switched on. */
  readonly declined_at: readonly string[];
  readonly last_failure: string | null;
  readonly stopped_at: string | null;
}

/** Nothing has happened yet. */
export const READY: AutoTopupState = {
  status: 'ready',
  reason: null,
  next_attempt_at: null,
  last_attempt_at: null,
  invoice_id: null,
  declined_at: [],
  last_failure: null,
  stopped_at: null,
};

export const stateOf = (wallet: { readonly autoTopupState?: AutoTopupState | null }): AutoTopupState =>
  wallet.autoTopupState ?? READY;

/** The rule as the arithmetic takes it; null while it is off. */
export function topUpRule(wallet: {
  readonly autoTopup?: AutoTopup | null;
  readonly topupConversionRate: Decimal;
}): AutoTopUpRule | null {
  const rule = wallet.autoTopup;
  if (!rule?.enabled || rule.threshold === null || rule.amount === null) return null;
  return {
    enabled: true,
    threshold: new Decimal(rule.threshold),
    amount: new Decimal(rule.amount),
    purchaseRate: wallet.topupConversionRate,
    cooldownMs: rule.cooldown_seconds * 1000,
    dailyCap: rule.daily_cap,
    stopAfterDeclines: rule.stop_after_declines,
  };
}

export const TOPUP_DEFAULTS = {
  enabled: false,
  threshold: null,
  amount: null,
  invoicing: false,
  cooldown_seconds: AUTO_TOP_UP_DEFAULTS.cooldownMs / 1000,
  daily_cap: AUTO_TOP_UP_DEFAULTS.dailyCap,
  stop_after_declines: AUTO_TOP_UP_DEFAULTS.stopAfterDeclines,
} as const satisfies AutoTopup;
