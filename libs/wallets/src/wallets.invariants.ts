import { Decimal } from '@drawdown/billing-core';
import { invariant, type Invariant, type Sql } from '@drawdown/platform';
import { sql } from 'kysely';
import { chainFault, EMPTY_CHAIN, endOf, type ChainedEntry } from './ledger.js';

/** Read page by page: memory stays flat however many wallets there are and however long a chain is. */
const WALLETS_AT_ONCE = 500;
const ENTRIES_AT_ONCE = 5_000;

export const walletInvariants: readonly Invariant[] = [
  invariant(
    'the balance of a wallet is the sum of its ledger and of its lots',
    sql`select w.id || ' holds ' || w.credit_balance || ', its ledger ' || coalesce(e.credits, 0)
               || ', its lots ' || coalesce(l.credits, 0) violation
        from wallet w
        left join (select environment_id, wallet_id, sum(credits) credits from ledger_entry group by 1, 2) e
          on e.environment_id = w.environment_id and e.wallet_id = w.id
        left join (select environment_id, wallet_id, sum(remaining) credits from lot group by 1, 2) l
          on l.environment_id = w.environment_id and l.wallet_id = w.id
        where w.credit_balance <> coalesce(e.credits, 0) or w.credit_balance <> coalesce(l.credits, 0)`,
  ),
  invariant(
    'what a lot holds is the sum of its entries, between nothing and what was granted, holds inside',
    sql`select l.id || ' holds ' || l.remaining || ' of ' || l.granted || ', its entries ' || coalesce(sum(e.credits), 0)
               || ', held ' || l.held violation
        from lot l left join ledger_entry e on e.environment_id = l.environment_id and e.lot_id = l.id
        group by l.environment_id, l.id
        having l.remaining <> coalesce(sum(e.credits), 0) or l.remaining < 0 or l.remaining > l.granted
            or l.held < 0 or l.held > l.remaining`,
  ),
  invariant(
    'what a lot holds back is what open holds keep of it',
    sql`select l.id || ' holds back ' || l.held || ', open holds keep ' || coalesce(sum(hl.credits), 0) violation
        from lot l
        left join (select hl.* from hold_lot hl join hold h
                     on h.environment_id = hl.environment_id and h.id = hl.hold_id and h.status = 'open') hl
          on hl.environment_id = l.environment_id and hl.lot_id = l.id
        group by l.environment_id, l.id having l.held <> coalesce(sum(hl.credits), 0)`,
  ),
  invariant(
    'what a hold keeps is kept in lots of its customer, to the last digit',
    sql`select h.id || ' keeps ' || h.credits || ', in lots ' || coalesce(sum(hl.credits), 0) violation
        from hold h
        left join hold_lot hl on hl.environment_id = h.environment_id and hl.hold_id = h.id
        left join lot l on l.environment_id = hl.environment_id and l.id = hl.lot_id
        group by h.environment_id, h.id
        having h.credits <> coalesce(sum(hl.credits), 0) or bool_or(l.customer_id <> h.customer_id)`,
  ),
  invariant(
    'a wallet is watched while it is active and has alerts or automatic top-up, and knows what it can spend',
    sql`select w.id || ' takes ' || coalesce(w.spendable::text, 'nothing') || ' for spendable, its lots have ' || l.unheld violation
        from wallet w join environment env on env.id = w.environment_id
        cross join lateral (
          select coalesce(sum(remaining - held), 0) unheld from lot
          where environment_id = w.environment_id and wallet_id = w.id and written_off_at is null
            and effective_at <= coalesce(env.clock_at, now())
            and (expires_at is null or expires_at > coalesce(env.clock_at, now()))) l
        where w.spendable is distinct from case
            when w.status = 'active' and ((w.auto_topup ->> 'enabled')::boolean or (w.alert_settings ->> 'alert_enabled')::boolean)
            then l.unheld end
          and not exists (select from due_work d where d.environment_id = w.environment_id and d.kind = 'wallet.look'
                            and d.subject_id = w.id and d.due_at <= coalesce(env.clock_at, now()))`,
  ),
  invariant(
    'what a wallet owes is what reversals could not take and nothing has paid',
    sql`select w.id || ' owes ' || w.debt || ', its reversals ' || coalesce(r.debt, 0) violation
        from wallet w
        left join (select environment_id, wallet_id, sum(credits - taken - debt_paid) debt from credit_reversal
                   where undone_at is null group by 1, 2) r
          on r.environment_id = w.environment_id and r.wallet_id = w.id
        where w.debt <> coalesce(r.debt, 0)`,
  ),
  invariant(
    'what reversals took and debts were paid is in the ledger, and nothing of it once it is undone',
    sql`select r.id || ' took ' || r.taken || ' and was paid ' || r.debt_paid || ', the ledger '
               || coalesce(sum(e.credits), 0) violation
        from credit_reversal r left join ledger_entry e on e.environment_id = r.environment_id
          and e.cause_type = 'reversal' and e.cause_id = r.id and e.kind <> 'write_off'
        group by r.environment_id, r.id
        having coalesce(sum(e.credits), 0) <> case when r.undone_at is null then -r.taken - r.debt_paid else 0 end`,
  ),
  invariant(
    'an entry, its lot and its wallet belong to one customer of one environment',
    sql`select e.id violation from ledger_entry e
        left join lot l on l.environment_id = e.environment_id and l.id = e.lot_id
          and l.wallet_id = e.wallet_id and l.customer_id = e.customer_id and l.tenant_id = e.tenant_id
        left join wallet w on w.environment_id = e.environment_id and w.id = e.wallet_id
          and w.customer_id = e.customer_id and w.tenant_id = e.tenant_id
        where l.id is null or w.id is null`,
  ),
  invariant(
    'a lot that expired a day ago has been written off, unless it is held',
    sql`select l.id || ' still holds ' || l.remaining violation
        from lot l join environment env on env.id = l.environment_id
        where l.remaining > l.held and l.expires_at < coalesce(env.clock_at, now()) - interval '1 day'
          and not exists (select from due_work d where d.environment_id = l.environment_id and d.subject_id = l.id)`,
  ),
  { name: 'the hash chain of every ledger is intact', check: brokenChains },
];

interface WalletRow {
  id: string;
  environment_id: string;
  entry_seq: string;
  entry_hash: Buffer;
}

async function brokenChains(db: Sql): Promise<string[]> {
  const violations: string[] = [];
  for (let after = ''; ;) {
    const page = await sql<WalletRow>`
      select id, environment_id, entry_seq, entry_hash from wallet
      where id > ${after} order by id limit ${WALLETS_AT_ONCE}`.execute(db);
    for (const wallet of page.rows) {
      const fault = await walletFault(db, wallet);
      if (fault) violations.push(`wallet ${wallet.id}: ${fault}`);
    }
    if (page.rows.length < WALLETS_AT_ONCE) return violations;
    after = page.rows.at(-1)!.id;
  }
}

async function walletFault(db: Sql, wallet: WalletRow): Promise<string | null> {
  let end = EMPTY_CHAIN;
  for (;;) {
    const entries = await entriesAfter(db, wallet, end.seq);
    const fault = chainFault(entries, wallet.environment_id, end);
    if (fault) return fault;
    if (entries.length > 0) end = endOf(entries.at(-1)!);
    if (entries.length < ENTRIES_AT_ONCE) break;
  }
  const whole = end.seq === Number(wallet.entry_seq) && end.hash.equals(wallet.entry_hash);
  return whole ? null : `the chain ends at entry ${end.seq}, the wallet knows of ${wallet.entry_seq}`;
}

interface EntryRow {
  [column: string]: unknown;
  seq: string;
  credits: string;
  balance_after: string;
  lot_remaining_after: string;
  at: string;
}

async function entriesAfter(db: Sql, wallet: WalletRow, seq: number): Promise<ChainedEntry[]> {
  const page = await sql<EntryRow>`
    select id, wallet_id "walletId", seq, customer_id "customerId", lot_id "lotId", kind, credits, balance_after,
           lot_remaining_after, cause_type "causeType", cause_id "causeId", line_item_id "lineItemId",
           period_id "periodId", business_key "businessKey", at, reason, reference_type "referenceType",
           reference_id "referenceId", description, metadata, prev_hash "prevHash", hash
    from ledger_entry where wallet_id = ${wallet.id} and seq > ${seq}
    order by seq limit ${ENTRIES_AT_ONCE}`.execute(db);
  return page.rows.map((row) => {
    const { balance_after, lot_remaining_after, ...rest } = row;
    return {
      ...(rest as unknown as ChainedEntry),
      seq: Number(row.seq),
      credits: new Decimal(row.credits),
      balanceAfter: new Decimal(balance_after),
      lotRemainingAfter: new Decimal(lot_remaining_after),
      at: new Date(row.at),
    };
  });
}
