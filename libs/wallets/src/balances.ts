import { Decimal } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { heldNow } from './hold-store.js';

/** What a wallet has, in credits. */
export interface WalletBalance {
  /** What its lots hold: the sum of its ledger. */
  readonly creditBalance: Decimal;
  /** What usable lots hold and no hold has taken: the balance people read. Never below zero. */
  readonly realTimeCreditBalance: Decimal;
  /** The parts of it that were given and that were bought. */
  readonly free: Decimal;
  readonly purchased: Decimal;
}

/**
 * MEANING "Lots, burn order, balances": a lot is usable from the instant it takes effect until before it expires; its
 * rest stays in the credit balance until it is written off.
 */
export async function balancesOf(tx: Tx, walletIds: readonly string[]): Promise<ReadonlyMap<string, WalletBalance>> {
  await tx.em.flush();
  const found = await sql<{ id: string; balance: string; free: string; purchased: string }>`
    select w.id, w.credit_balance balance,
           coalesce(sum(l.remaining - ${heldNow(tx)}) filter (where l.source <> 'purchase'), 0) free,
           coalesce(sum(l.remaining - ${heldNow(tx)}) filter (where l.source = 'purchase'), 0) purchased
    from wallet w
    left join lot l on l.wallet_id = w.id and not l.exhausted
      and l.effective_at <= ${tx.now} and (l.expires_at is null or l.expires_at > ${tx.now})
      and l.written_off_at is null and w.status = 'active'
    where w.environment_id = ${tx.scope.environmentId} and w.id = any(${[...walletIds]}::text[])
    group by w.id, w.credit_balance`.execute(tx.db);
  return new Map(found.rows.map((row) => [row.id, balanceOf(row.balance, row.free, row.purchased)]));
}

function balanceOf(balance: string, free: string, purchased: string): WalletBalance {
  return {
    creditBalance: new Decimal(balance),
    realTimeCreditBalance: new Decimal(free).plus(purchased),
    free: new Decimal(free),
    purchased: new Decimal(purchased),
  };
}
