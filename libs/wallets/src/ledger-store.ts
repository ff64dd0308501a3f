import { Decimal, text, ZERO } from '@drawdown/billing-core';
import { together, type SetTx, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import type { BookedLot, BookedWallet, Bookings, ChainedEntry } from './ledger.js';
import type { Watched } from './watch-marks.js';

interface WalletRow {
  id: string;
  credit_balance: string;
  entry_seq: string;
  entry_hash: Buffer;
  /** Null while nobody watches it. */
  spendable: string | null;
  watch_low: string | null;
  watch_high: string | null;
}

interface LotRow {
  id: string;
  wallet_id: string;
  customer_id: string;
  granted: string;
  remaining: string;
  held: string;
  written_off: boolean;
  usable: boolean;
}

/**
 * The wallets of these lots, locked in the order of their ids, and the lots as they are then. Two statements: what the
 * second reads nobody else can be changing any more. `watched`: of those wallets that somebody watches.
 *
 * The ids come from purses, so from this environment. To ask for the environment once more would let a planner without
 * statistics choose to read all of the environment for every id: one index fits both conditions as well as the other.
 */
export function lockedForBooking(tx: Tx, lotIds: readonly string[]): Promise<Locked> {
  return together(tx, lockAll, lotIds);
}

interface Locked {
  readonly lots: ReadonlyMap<string, BookedLot>;
  readonly wallets: ReadonlyMap<string, BookedWallet>;
  readonly watched: ReadonlyMap<string, Watched>;
}

async function lockAll(tx: SetTx, asked: readonly (readonly string[])[]): Promise<Locked[]> {
  const ids = asked.flat();
  const wallets = await sql<WalletRow>`
    select id, credit_balance, entry_seq, entry_hash, spendable, watch_low, watch_high from wallet
    where id = any(array(select wallet_id from lot where id = any(${ids}::text[])))
    order by id for update`.execute(tx.db);
  const lots = await sql<LotRow>`
    select id, wallet_id, customer_id, granted, remaining, held, written_off_at is not null written_off,
           written_off_at is null and effective_at <= ${tx.now} and (expires_at is null or expires_at > ${tx.now}) usable
    from lot where id = any(${ids}::text[])`.execute(tx.db);
  const lotOf = new Map(lots.rows.map((row) => [row.id, row]));
  const walletOf = new Map(wallets.rows.map((row) => [row.id, row]));
  return asked.map((lotIds) => {
    const own = lotIds.flatMap((id) => lotOf.get(id) ?? []);
    return locked(
      own,
      [...new Set(own.map((lot) => lot.wallet_id))].flatMap((id) => walletOf.get(id) ?? []),
    );
  });
}

const locked = (lots: readonly LotRow[], wallets: readonly WalletRow[]): Locked => ({
  wallets: new Map(wallets.map((row) => [row.id, bookedWallet(row)])),
  lots: new Map(lots.map((row) => [row.id, bookedLot(row)])),
  watched: new Map(
    wallets.flatMap((row) => (row.spendable === null ? [] : [[row.id, watchedWallet(row, row.spendable)]])),
  ),
});

const bookedWallet = (row: WalletRow): BookedWallet => ({
  walletId: row.id,
  balance: new Decimal(row.credit_balance),
  seq: Number(row.entry_seq),
  hash: row.entry_hash,
});

const watchedWallet = ({ watch_low, watch_high }: WalletRow, spendable: string): Watched => ({
  spendable: new Decimal(spendable),
  low: watch_low === null ? null : new Decimal(watch_low),
  high: watch_high === null ? null : new Decimal(watch_high),
});

const bookedLot = (row: LotRow): BookedLot => ({
  lotId: row.id,
  walletId: row.wallet_id,
  customerId: row.customer_id,
  granted: new Decimal(row.granted),
  remaining: new Decimal(row.remaining),
  held: new Decimal(row.held),
  writtenOff: row.written_off,
  usable: row.usable,
});

/** Lots, wallets and entries in one statement. @param changes of what can be spent, by wallet that is watched. */
export async function record(tx: Tx, bookings: Bookings, changes: ReadonlyMap<string, Decimal>): Promise<void> {
  await together(tx, recordAll, { ...bookings, changes });
}

interface Recorded extends Bookings {
  readonly changes: ReadonlyMap<string, Decimal>;
}

async function recordAll(tx: SetTx, asked: readonly Recorded[]): Promise<undefined[]> {
  const { tenantId, environmentId } = tx.scope;
  const lots = asked.flatMap((one) => one.lots);
  const entries = asked.flatMap((one) => one.entries);
  const lotRows = lots.map((lot) => ({ id: lot.lotId, remaining: text(lot.remaining), held: text(lot.held) }));
  const walletRows = asked.flatMap(({ wallets, changes }) =>
    wallets.map((wallet) => ({
      id: wallet.walletId,
      balance: text(wallet.balance),
      change: text(changes.get(wallet.walletId) ?? ZERO),
      seq: wallet.seq,
      hash: hex(wallet.hash),
    })),
  );
  await sql`
    with moved_lot as (
      update lot set remaining = moved.remaining, held = moved.held, updated_at = ${tx.now}
      from jsonb_to_recordset(${JSON.stringify(lotRows)}::jsonb) moved(id text, remaining numeric, held numeric)
      where lot.id = any(${lots.map((lot) => lot.lotId)}::text[]) and lot.id = moved.id),
    moved_wallet as (
      update wallet set credit_balance = moved.balance, entry_seq = moved.seq, entry_hash = moved.hash,
                        spendable = spendable + moved.change, updated_at = ${tx.now}
      from jsonb_to_recordset(${JSON.stringify(walletRows)}::jsonb) moved(
        id text, balance numeric, change numeric, seq bigint, hash bytea)
      where wallet.id = any(${walletRows.map(({ id }) => id)}::text[]) and wallet.id = moved.id)
    insert into ledger_entry (
      id, tenant_id, environment_id, wallet_id, seq, customer_id, lot_id, kind, credits, balance_after,
      lot_remaining_after, cause_type, cause_id, line_item_id, period_id, business_key, at, reason,
      reference_type, reference_id, description, metadata, prev_hash, hash)
    select id, ${tenantId}, ${environmentId}, wallet_id, seq, customer_id, lot_id, kind, credits, balance_after,
           lot_remaining_after, cause_type, cause_id, line_item_id, period_id, business_key, ${tx.now}, reason,
           reference_type, reference_id, description, metadata, prev_hash, hash
    from jsonb_to_recordset(${JSON.stringify(entries.map(entryRow))}::jsonb) entry(
      id text, wallet_id text, seq bigint, customer_id text, lot_id text, kind text, credits numeric,
      balance_after numeric, lot_remaining_after numeric, cause_type text, cause_id text, line_item_id text,
      period_id text, business_key text, reason text, reference_type text, reference_id text, description text,
      metadata jsonb, prev_hash bytea, hash bytea)`.execute(tx.db);
  return asked.map(() => undefined);
}

const entryRow = (entry: ChainedEntry) => ({
  id: entry.id,
  wallet_id: entry.walletId,
  seq: entry.seq,
  customer_id: entry.customerId,
  lot_id: entry.lotId,
  kind: entry.kind,
  credits: text(entry.credits),
  balance_after: text(entry.balanceAfter),
  lot_remaining_after: text(entry.lotRemainingAfter),
  cause_type: entry.causeType,
  cause_id: entry.causeId,
  line_item_id: entry.lineItemId,
  period_id: entry.periodId,
  business_key: entry.businessKey,
  reason: entry.reason,
  reference_type: entry.referenceType,
  reference_id: entry.referenceId,
  description: entry.description,
  metadata: entry.metadata,
  prev_hash: hex(entry.prevHash),
  hash: hex(entry.hash),
});

const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;
