import { Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import { LedgerEntry } from './ledger-entry.entity.js';
import { Lot } from './lot.entity.js';
import {
  walletTransactionView,
  type WalletTransactionQuery,
  type WalletTransactionView,
} from './wallet-transactions.dto.js';
import { Wallet } from './wallet.entity.js';

const DEFAULT_LIMIT = 50;

/** The ledger as people read it: one entry is one transaction. */
@Injectable()
export class WalletTransactions {
  /** Newest first unless asked otherwise; of one wallet, or of all. @throws Problem 404 for the wallet. */
  async search(
    tx: Tx,
    query: WalletTransactionQuery,
    walletId?: string,
  ): Promise<[items: WalletTransactionView[], total: number]> {
    if (walletId) await this.assertWallet(tx, walletId);
    const where = conditions(tx, query, walletId);
    const order = query.order === 'asc' ? sql`asc` : sql`desc`;
    const from = sql`from ledger_entry e join lot l on l.environment_id = e.environment_id and l.id = e.lot_id
                     where ${sql.join(where, sql` and `)}`;
    const count = await sql<{ total: string }>`select count(*) total ${from}`.execute(tx.db);
    const page = await sql<{ id: string }>`
      select e.id ${from} order by e.at ${order}, e.seq ${order}, e.id ${order}
      limit ${query.limit ?? DEFAULT_LIMIT} offset ${query.offset ?? 0}`.execute(tx.db);
    const ids = page.rows.map((row) => row.id);
    return [await this.views(tx, ids), Number(count.rows[0]!.total)];
  }

  /** A customer's entries with this cause, in the order they were booked. */
  async causedBy(tx: Tx, causeId: string, customerId: string): Promise<WalletTransactionView[]> {
    const where = { environmentId: tx.scope.environmentId, causeId, customerId };
    const entries = await tx.em.find(LedgerEntry, where, { orderBy: { walletId: 'asc', seq: 'asc' } });
    return this.views(
      tx,
      entries.map((entry) => entry.id),
    );
  }

  /** In the order of the ids. */
  private async views(tx: Tx, ids: readonly string[]): Promise<WalletTransactionView[]> {
    const own = { environmentId: tx.scope.environmentId };
    const entries = await tx.em.find(LedgerEntry, { ...own, id: { $in: [...ids] } });
    const lots = await tx.em.find(Lot, { ...own, id: { $in: entries.map((one) => one.lotId) } }, { refresh: true });
    const wallets = await tx.em.find(Wallet, { ...own, id: { $in: entries.map((one) => one.walletId) } });
    const [entryOf, lotOf, walletOf] = [byId(entries), byId(lots), byId(wallets)];
    return ids.map((id) => {
      const entry = entryOf.get(id)!;
      return walletTransactionView(entry, lotOf.get(entry.lotId)!, walletOf.get(entry.walletId)!);
    });
  }

  private async assertWallet(tx: Tx, id: string): Promise<void> {
    const known = await tx.em.count(Wallet, { environmentId: tx.scope.environmentId, id });
    if (known === 0) throw Problem.notFound('wallet', id);
  }
}

const byId = <T extends { id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));

function conditions(tx: Tx, query: WalletTransactionQuery, walletId?: string): RawBuilder<unknown>[] {
  const nothing = (query.transaction_status ?? 'completed') !== 'completed' || query.created_by;
  const where: (RawBuilder<unknown> | false)[] = [
    sql`e.environment_id = ${tx.scope.environmentId}`,
    nothing ? sql`false` : false,
    walletId ? sql`e.wallet_id = ${walletId}` : false,
    query.id ? sql`e.id = ${query.id}` : false,
    query.type === 'credit' ? sql`e.credits > 0` : query.type === 'debit' ? sql`e.credits < 0` : false,
    query.transaction_reason ? sql`e.reason = ${query.transaction_reason}` : false,
    query.reference_type ? sql`e.reference_type = ${query.reference_type}` : false,
    query.reference_id ? sql`e.reference_id = ${query.reference_id}` : false,
    query.credits_available_gt ? sql`e.kind = 'add' and l.remaining > ${query.credits_available_gt}::numeric` : false,
    query.expiry_date_before ? sql`l.expires_at < ${new Date(query.expiry_date_before)}` : false,
    query.expiry_date_after ? sql`l.expires_at > ${new Date(query.expiry_date_after)}` : false,
    typeof query.priority === 'number' ? sql`l.priority = ${query.priority}` : false,
    query.start_time ? sql`e.at >= ${new Date(query.start_time)}` : false,
    query.end_time ? sql`e.at < ${new Date(query.end_time)}` : false,
  ];
  return where.filter((condition) => condition !== false);
}
