import { ALERT_LEVELS } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import type { AutoTopup, AutoTopupState } from './auto-topup.js';

/**
 * From a frozen wallet no credits go out, but those that holds keep already; it can be thawed. A wallet is closed for
 * good: its rest is written off and its status never changes again.
 */
export const WALLET_STATUSES = ['active', 'frozen', 'closed'] as const;
export type WalletStatus = (typeof WALLET_STATUSES)[number];

/** What a wallet's credits may pay. */
export const PRICE_TYPES = ['ALL', 'USAGE', 'FIXED'] as const;
export type PriceType = (typeof PRICE_TYPES)[number];

export interface AlertThreshold {
  threshold: string;
  condition: 'above' | 'below';
}

export interface AlertSettings {
  alert_enabled: boolean;
  critical: AlertThreshold | null;
  warning: AlertThreshold | null;
  info: AlertThreshold | null;
}

const WalletSchema = defineEntity({
  name: 'Wallet',
  tableName: 'wallet',
  properties: {
    ...owned,
    customerId: p.string(),
    name: p.string().nullable(),
    description: p.string().nullable(),
    /** Lower case. */
    currency: p.string(),
    /** money = credits x rate; the same for all wallets of a customer in one currency, fixed at creation. */
    conversionRate: amount(),
    /** Money for one bought credit. */
    topupConversionRate: amount(),
    status: p.enum(WALLET_STATUSES),
    allowedPriceTypes: p.array().$type<PriceType[]>(),
    /** A grant found no wallet and opened this one; `POST /wallets` completes it (MEANING "Grants"). */
    openedByGrant: p.boolean(),
    autoTopup: p.json<AutoTopup>().nullable(),
    /** Null: was never switched on. */
    autoTopupState: p.json<AutoTopupState>().nullable(),
    alertSettings: p.json<AlertSettings>().nullable(),
    /** What was announced last. */
    alertLevel: p.enum(ALERT_LEVELS),
    metadata: p.json<Record<string, string>>(),
    /** What the lots hold, the sum of the ledger. Moved only by `post`. */
    creditBalance: amount(),
    /** Credits owed: of purchases whose money was taken from outside when they were spent already. */
    debt: amount(),
  },
});

/** Credits of one customer in one currency. */
export class Wallet extends WalletSchema.class {}
WalletSchema.setClass(Wallet);

/** What every event about a wallet says of it. */
export const named = ({ id, customerId, currency }: Wallet) => ({
  wallet_id: id,
  customer_id: customerId,
  currency,
});
