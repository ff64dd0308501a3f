import { Decimal, type LotState } from '@drawdown/billing-core';

/** What a query reads of a lot that is to be drawn from. */
export interface LotRow {
  wallet_id: string;
  conversion_rate: string;
  source: string;
  priority: number | null;
  effective_at: string;
  expires_at: string | null;
  created_at: string;
  remaining: string;
  held: string;
}

export const lotState = (id: string, row: LotRow): LotState => ({
  id,
  walletId: row.wallet_id,
  priority: row.priority,
  effectiveAt: new Date(row.effective_at),
  expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
  purchased: row.source === 'purchase',
  createdAt: new Date(row.created_at),
  remaining: new Decimal(row.remaining),
  held: new Decimal(row.held),
  rate: new Decimal(row.conversion_rate),
});
