import { Decimal } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { sql, type RawBuilder } from 'kysely';
import { heldAt } from './hold-store.js';

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
 * Of a wallet `w`: what its usable lots hold and no hold has taken, `free` and `purchased`, as one row.
 *
 * MEANING "Lots, burn order, balances": a lot is usable from the instant it takes effect until before it expires; its
 * rest stays in the credit balance until it is written off.
 */
export const spendableAt = (now: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select coalesce(sum(u.credits) filter (where u.source <> 'purchase'), 0) free,
         coalesce(sum(u.credits) filter (where u.source = 'purchase'), 0) purchased
  from (
    select l.source, l.remaining - ${heldAt(now)} credits from lot l
    where l.wallet_id = w.id and not l.exhausted and l.effective_at <= ${now}
      and (l.expires_at is null or l.expires_at > ${now}) and l.written_off_at is null and w.status = 'active') u`;

export async function balancesOf(tx: Tx, walletIds: readonly string[]): Promise<ReadonlyMap<string, WalletBalance>> {
  await tx.em.flush();
  const found = await sql<{ id: string; credit_balance: string; free: string; purchased: string }>`
    select w.id, w.credit_balance, spendable.* from wallet w cross join lateral (${spendableAt(sql`${tx.now}`)}) spendable
    where w.environment_id = ${tx.scope.environmentId} and w.id = any(${[...walletIds]}::text[])`.execute(tx.db);
  return new Map(found.rows.map((row) => [row.id, balanceOf(row)]));
}

export function balanceOf(row: { credit_balance: string; free: string; purchased: string }): WalletBalance {
  return {
    creditBalance: new Decimal(row.credit_balance),
    realTimeCreditBalance: new Decimal(row.free).plus(row.purchased),
    free: new Decimal(row.free),
    purchased: new Decimal(row.purchased),
  };
}
