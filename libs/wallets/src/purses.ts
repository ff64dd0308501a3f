import { burnOrder, Decimal, type Draw, type LotState } from '@drawdown/billing-core';
import { together, type SetTx, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { heldNow } from './hold-store.js';
import { type LotRow, lotState } from './lot-row.js';

/** A lot as a purse holds it. `usable`: its wallet is active and pays usage, and it was not written off. */
export interface PurseLot extends LotState {
  readonly customerId: string;
  readonly currency: string;
  readonly usable: boolean;
}

/**
 * The credits of some customers as one transaction sees them while it decides: copies that go along with every draw,
 * so that each decision sees what the one before has left. Nothing is recorded here; `post` does that.
 */
export class Purses {
  private readonly byId = new Map<string, PurseLot>();
  private readonly usable = new Map<string, PurseLot[]>();

  /**
   * @param lots in burn order; @param rates of the customers' wallets, by `customerId currency`; @param prepaid those of
   * them that have a wallet for usage; @param indebted those that owe credits; @param stale whether a lot still counts
   * holds that have expired.
   */
  constructor(
    lots: readonly PurseLot[],
    private readonly rates: ReadonlyMap<string, Decimal>,
    private readonly prepaid: ReadonlySet<string> = new Set(),
    private readonly indebted: ReadonlySet<string> = new Set(),
    readonly stale: boolean = false,
  ) {
    for (const lot of lots) {
      this.byId.set(lot.id, lot);
      if (!lot.usable) continue;
      const key = purseKey(lot.customerId, lot.currency);
      this.usable.set(key, [...(this.usable.get(key) ?? []), lot]);
    }
  }

  /** The lots that may pay usage, in burn order; whether one may pay a given event is `mayPay`'s to say. */
  lots(customerId: string, currency: string): readonly LotState[] {
    return this.usable.get(purseKey(customerId, currency)) ?? [];
  }

  /** Money per credit; null while the customer has never had a wallet in the currency. */
  rate(customerId: string, currency: string): Decimal | null {
    return this.rates.get(purseKey(customerId, currency)) ?? null;
  }

  /** Whether the customer pays usage in the currency with credits at all, or is billed in arrears for all of it. */
  isPrepaid(customerId: string, currency: string): boolean {
    return this.prepaid.has(purseKey(customerId, currency));
  }

  /** Whether the customer owes credits in the currency: it may use none before they are paid. */
  owes(customerId: string, currency: string): boolean {
    return this.indebted.has(purseKey(customerId, currency));
  }

  /** The currencies of the customer's wallets, closed ones too. */
  currencies(customerId: string): string[] {
    return [...this.rates.keys()].flatMap((key) => {
      const [owner, currency] = key.split(' ');
      return owner === customerId ? currency! : [];
    });
  }

  /** Parts of lots by the currency of their wallets. */
  byCurrency(parts: readonly Draw[]): Map<string, Draw[]> {
    return Map.groupBy(parts, ({ lotId }) => this.known(lotId).currency);
  }

  /** What holds begin to keep. */
  hold(parts: readonly Draw[]): void {
    for (const { lotId, credits } of parts) {
      const lot = this.known(lotId);
      lot.held = lot.held.plus(credits);
    }
  }

  /** What holds stop keeping. */
  unhold(parts: readonly Draw[]): void {
    this.hold(parts.map(({ lotId, credits }) => ({ lotId, credits: credits.neg() })));
  }

  take(draws: readonly Draw[]): void {
    for (const { lotId, credits } of draws) {
      const lot = this.known(lotId);
      lot.remaining = lot.remaining.minus(credits);
    }
  }

  giveBack(returns: readonly Draw[]): void {
    for (const { lotId, credits } of returns) {
      const lot = this.known(lotId);
      lot.remaining = lot.remaining.plus(credits);
    }
  }

  private known(lotId: string): PurseLot {
    const lot = this.byId.get(lotId);
    if (!lot) throw new Error(`lot ${lotId} was not loaded into the purses`);
    return lot;
  }
}

const purseKey = (customerId: string, currency: string): string => `${customerId} ${currency}`;

interface PurseRow extends LotRow {
  customer_id: string;
  currency: string;
  usable: boolean;
  prepaid: boolean;
  indebted: boolean;
  stale: boolean;
  /** Null, as all of a lot is, for a wallet without one. */
  lot_id: string | null;
}

/**
 * One query: every wallet of the customers, with its lots that have credits and those of `drawnLots`. All ids are of this
 * environment; see `lockedForBooking` why it isn't asked for again.
 */
export function loadPurses(tx: Tx, customerIds: readonly string[], drawnLots: readonly string[]): Promise<Purses> {
  return together(tx, pursesOf, { customerIds, drawnLots });
}

interface Wanted {
  readonly customerIds: readonly string[];
  /** Of these customers. */
  readonly drawnLots: readonly string[];
}

async function pursesOf(tx: SetTx, asked: readonly Wanted[]): Promise<Purses[]> {
  const columns = sql`
    w.customer_id, w.id wallet_id, w.currency, w.conversion_rate,
    l.written_off_at is null and w.status = 'active' and w.allowed_price_types && '{ALL,USAGE}' usable,
    w.status <> 'closed' and w.allowed_price_types && '{ALL,USAGE}' prepaid, w.debt > 0 indebted,
    coalesce(l.held > ${heldNow(tx)}, false) stale,
    l.id lot_id, l.source, l.priority, l.effective_at, l.expires_at, l.created_at, l.remaining, l.held`;
  const found = await sql<PurseRow>`
    select ${columns} from wallet w
    left join lateral (select * from lot where wallet_id = w.id and not exhausted offset 0) l on true
    where w.customer_id = any(${asked.flatMap((one) => one.customerIds)}::text[])
    union all
    select ${columns} from lot l
    cross join lateral (select * from wallet where id = l.wallet_id offset 0) w
    where l.id = any(${asked.flatMap((one) => one.drawnLots)}::text[]) and l.exhausted`.execute(tx.db);
  const byCustomer = Map.groupBy(found.rows, (row) => row.customer_id);
  return asked.map((one) => pursesFrom(one.customerIds.flatMap((id) => byCustomer.get(id) ?? [])));
}

function pursesFrom(found: readonly PurseRow[]): Purses {
  const rates = new Map(
    found.map((row) => [purseKey(row.customer_id, row.currency), new Decimal(row.conversion_rate)]),
  );
  return new Purses(
    burnOrder(found.flatMap((row) => (row.lot_id === null ? [] : purseLot(row, row.lot_id)))),
    rates,
    new Set(found.flatMap((row) => (row.prepaid ? purseKey(row.customer_id, row.currency) : []))),
    new Set(found.flatMap((row) => (row.indebted ? purseKey(row.customer_id, row.currency) : []))),
    found.some((row) => row.stale),
  );
}

const purseLot = (row: PurseRow, id: string): PurseLot => ({
  ...lotState(id, row),
  customerId: row.customer_id,
  currency: row.currency,
  usable: row.usable,
});
