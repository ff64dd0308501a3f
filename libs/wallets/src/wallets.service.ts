import { Decimal, text } from '@drawdown/billing-core';
import { creditsAdded, LATE_USAGE_WINDOW_MS, walletCreated } from '@drawdown/contracts';
import {
  Agenda,
  createdWithin,
  EventBus,
  newId,
  pageOptions,
  Problem,
  rowsOf,
  type SetTx,
  together,
  type Tx,
} from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { balancesOf, type WalletBalance } from './balances.js';
import { Debts } from './debts.service.js';
import { endExpiredHolds } from './hold-store.js';
import { book, type BookedLot } from './ledger.js';
import { LedgerEntry } from './ledger-entry.entity.js';
import { lockedForBooking, record } from './ledger-store.js';
import { Lot, type LotSource } from './lot.entity.js';
import type { HeldChange, Movement, MovementNote, TransactionReason } from './movement.js';
import { loadPurses, type Purses } from './purses.js';
import type { AutoTopup } from './auto-topup.js';
import { type AlertSettings, named, type PriceType, Wallet, type WalletStatus } from './wallet.entity.js';
import { isWatched, WalletWatch } from './wallet-watch.service.js';
import { reaches, spendableChanges } from './watch-marks.js';
import type { WalletSearchBody } from './wallets.dto.js';

export interface NewWallet {
  readonly customerId: string;
  /** Lower case. */
  readonly currency: string;
  /** Money per credit, above zero; default: that of the customer's other wallets in the currency, else 1. */
  readonly conversionRate?: Decimal | null;
  /** Money for one bought credit; default: the conversion rate. */
  readonly topupConversionRate?: Decimal | null;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly allowedPriceTypes?: PriceType[];
  readonly autoTopup?: AutoTopup | null;
  readonly alertSettings?: AlertSettings | null;
  readonly openedByGrant?: boolean;
}

export interface NewLot extends MovementNote {
  /** Above zero, at most 12 places. */
  readonly credits: Decimal;
  readonly source: LotSource;
  /** Lower burns first; none last. */
  readonly priority?: number | null;
  /** Default: now. */
  readonly effectiveAt?: Date;
  readonly expiresAt?: Date | null;
  /** Business key, unique in the environment: what has brought its lot already brings no other. */
  readonly key: string;
}

/** What other modules ask of wallets. Callers hold the customer's lock wherever something moves. */
@Injectable()
export class WalletsService {
  constructor(
    private readonly events: EventBus,
    private readonly agenda: Agenda,
    private readonly debts: Debts,
    private readonly watch: WalletWatch,
  ) {}

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Wallet> {
    const wallet = await tx.em.findOne(Wallet, { environmentId: tx.scope.environmentId, id }, { refresh: true });
    if (!wallet) throw Problem.notFound('wallet', id);
    return wallet;
  }

  /** All wallets of a customer, closed ones too, oldest first. */
  ofCustomer(tx: Tx, customerId: string): Promise<Wallet[]> {
    return tx.em.find(
      Wallet,
      { environmentId: tx.scope.environmentId, customerId },
      { orderBy: { createdAt: 'asc', id: 'asc' }, refresh: true },
    );
  }

  /** Those of a customer's wallets in which alerts or automatic top-ups were ever set up. */
  watchedOf(tx: Tx, customerId: string): Promise<string[]> {
    return together(tx, watchedOfAll, customerId);
  }

  search(tx: Tx, query: WalletSearchBody): Promise<[Wallet[], number]> {
    return tx.em.findAndCount(
      Wallet,
      {
        environmentId: tx.scope.environmentId,
        ...(query.wallet_ids ? { id: { $in: query.wallet_ids } } : {}),
        ...(query.status ? { status: query.status as WalletStatus } : {}),
        ...(typeof query.alert_enabled === 'boolean' ? { alertSettings: { alert_enabled: query.alert_enabled } } : {}),
        ...createdWithin(query),
      },
      pageOptions(query),
    );
  }

  /** @throws Problem 409 when the customer's wallets in the currency have another conversion rate. */
  async open(tx: Tx, input: NewWallet): Promise<Wallet> {
    const rate = await this.rateOf(tx, input.customerId, input.currency);
    if (rate && input.conversionRate && !rate.eq(input.conversionRate)) {
      throw Problem.exists(
        'conversion_rate',
        `must be ${text(rate)}, that of the customer's other wallets in ${input.currency}`,
      );
    }
    const conversionRate = input.conversionRate ?? rate ?? new Decimal(1);
    const wallet = tx.em.create(Wallet, {
      id: newId('wallet'),
      ...tx.scope,
      customerId: input.customerId,
      name: input.name ?? null,
      description: input.description ?? null,
      currency: input.currency,
      conversionRate,
      topupConversionRate: input.topupConversionRate ?? conversionRate,
      status: 'active',
      allowedPriceTypes: input.allowedPriceTypes ?? ['USAGE'],
      openedByGrant: input.openedByGrant ?? false,
      autoTopup: input.autoTopup ?? null,
      autoTopupState: null,
      alertSettings: input.alertSettings ?? null,
      alertLevel: 'ok',
      metadata: input.metadata ?? {},
      creditBalance: new Decimal(0),
      debt: new Decimal(0),
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, walletCreated, named(wallet));
    if (isWatched(wallet)) this.watch.mark(tx, [wallet.id]);
    return wallet;
  }

  /**
   * Brings a lot into a wallet, a frozen one too, and publishes `credits.added`; bought credits pay what the customer
   * owes first. Its write-off is scheduled one late-usage window after its expiry. A key seen before moves nothing.
   * @returns the lot the key has brought, and whether it did so now. @throws Problem 409 when the wallet is closed.
   */
  async addLot(tx: Tx, wallet: Wallet, input: NewLot): Promise<{ lotId: string; created: boolean }> {
    const before = await together(tx, lotsByKey, input.key);
    if (before) return { lotId: before, created: false };
    if (wallet.status === 'closed') throw Problem.state(`wallet ${wallet.id} is closed`, wallet.status);
    const lot = newLot(tx, wallet, input);
    const { credits } = input;
    const owed = input.source === 'purchase' ? await this.debts.pay(tx, wallet, lot.id, credits) : [];
    const added: Movement = {
      lotId: lot.id,
      credits,
      kind: 'add',
      cause: { type: 'lot', id: lot.id },
      key: input.key,
      note: { ...input, reason: input.reason ?? REASON_OF[input.source] },
    };
    await this.post(tx, [added, ...owed]);
    if (isWatched(wallet)) this.watch.mark(tx, [wallet.id]);
    if (lot.expiresAt) {
      const dueAt = new Date(lot.expiresAt.getTime() + LATE_USAGE_WINDOW_MS);
      await this.agenda.schedule(tx, {
        kind: 'lot.write_off',
        customerId: lot.customerId,
        subjectId: lot.id,
        dueAt,
      });
    }
    await this.events.publish(tx, creditsAdded, {
      ...named(wallet),
      lot_id: lot.id,
      credits: text(input.credits),
      source: input.source,
      effective_at: lot.effectiveAt.toISOString(),
    });
    return { lotId: lot.id, created: true };
  }

  /** A lot with the entry that brought its credits. */
  async lotWithEntry(tx: Tx, id: string): Promise<{ lot: Lot; entry: LedgerEntry }> {
    const { environmentId } = tx.scope;
    const lot = await tx.em.findOneOrFail(Lot, { environmentId, id }, { refresh: true });
    return { lot, entry: await tx.em.findOneOrFail(LedgerEntry, { environmentId, businessKey: lot.businessKey }) };
  }

  /**
   * The credits of these customers, to decide with. @param drawnLots lots from which something may be given back,
   * loaded even when nothing is left in them.
   */
  async purses(tx: Tx, customerIds: readonly string[], drawnLots: readonly string[] = []): Promise<Purses> {
    await tx.em.flush();
    const purses = await loadPurses(tx, customerIds, drawnLots);
    if (!purses.stale) return purses;
    await this.freeExpired(tx, customerIds);
    return loadPurses(tx, customerIds, drawnLots);
  }

  /** MEANING "Authorization and holds": an expired hold frees itself, whether or not a job has run. */
  async freeExpired(tx: Tx, customerIds: readonly string[]): Promise<void> {
    await this.post(tx, [], await endExpiredHolds(tx, customerIds));
  }

  /**
   * The only way credits move: lots, wallets and ledger in one step, a handful of statements whatever the number of
   * movements. What holds keep of the lots changes with them. Wallets are locked in the order of their ids.
   * @throws RangeError when a lot would leave 0 … granted, or its holds its credits: the caller's decision was wrong,
   * nothing is recorded.
   */
  async post(tx: Tx, movements: readonly Movement[], heldChanges: readonly HeldChange[] = []): Promise<void> {
    const moving = [...movements, ...heldChanges].map(({ lotId }) => lotId);
    if (moving.length === 0) return;
    await tx.em.flush();
    const { lots, wallets, watched } = await lockedForBooking(tx, [...new Set(moving)]);
    assertKnown(moving, lots);
    const bookings = book(movements, lots, wallets, tx.scope.environmentId, tx.now, () => newId('wtxn'), heldChanges);
    const changes = watched.size === 0 ? NO_CHANGES : spendableChanges(lots, bookings.lots);
    await record(tx, bookings, changes);
    for (const [walletId, wallet] of watched) {
      const change = changes.get(walletId);
      if (change && !change.isZero() && reaches(wallet, wallet.spendable.plus(change))) this.watch.mark(tx, [walletId]);
    }
  }

  async balance(tx: Tx, wallet: Wallet): Promise<WalletBalance> {
    return (await this.balances(tx, [wallet])).get(wallet.id)!;
  }

  /** By wallet id. */
  balances(tx: Tx, wallets: readonly Wallet[]): Promise<ReadonlyMap<string, WalletBalance>> {
    return balancesOf(
      tx,
      wallets.map((wallet) => wallet.id),
    );
  }

  /** The one rate of a customer's wallets in a currency, closed ones included; null before the first. */
  private async rateOf(tx: Tx, customerId: string, currency: string): Promise<Decimal | null> {
    const wallet = await tx.em.findOne(Wallet, { environmentId: tx.scope.environmentId, customerId, currency });
    return wallet?.conversionRate ?? null;
  }
}

/** By customer; whether they are in use is what a look at them decides. */
async function watchedOfAll(tx: SetTx, customerIds: readonly string[]): Promise<string[][]> {
  const found = await sql<{ id: string; customer_id: string }>`
    select id, customer_id from wallet
    where environment_id = ${tx.scope.environmentId} and customer_id = any(${customerIds}::text[])
      and (auto_topup is not null or alert_settings is not null)`.execute(tx.db);
  return rowsOf(customerIds, found.rows, (row) => row.customer_id).map((rows) => rows.map(({ id }) => id));
}

/** @returns of each key the id of the lot it has brought. */
async function lotsByKey(tx: SetTx, keys: readonly string[]): Promise<(string | null)[]> {
  const found = await sql<{ id: string; business_key: string }>`
    select id, business_key from lot
    where environment_id = ${tx.scope.environmentId} and business_key = any(${keys}::text[])`.execute(tx.db);
  const ids = new Map(found.rows.map((row) => [row.business_key, row.id]));
  return keys.map((key) => ids.get(key) ?? null);
}

/** Inserted with what moves the credits into it. */
const newLot = (tx: Tx, wallet: Wallet, input: NewLot): Lot =>
  tx.em.create(Lot, {
    id: newId('lot'),
    ...tx.scope,
    customerId: wallet.customerId,
    walletId: wallet.id,
    source: input.source,
    priority: input.priority ?? null,
    effectiveAt: input.effectiveAt ?? tx.now,
    expiresAt: input.expiresAt ?? null,
    granted: input.credits,
    remaining: new Decimal(0),
    held: new Decimal(0),
    writtenOffAt: null,
    businessKey: input.key,
    createdAt: tx.now,
    updatedAt: tx.now,
  });

const NO_CHANGES: ReadonlyMap<string, Decimal> = new Map();

const REASON_OF: Record<LotSource, TransactionReason> = {
  grant: 'SUBSCRIPTION_CREDIT_GRANT',
  free: 'FREE_CREDIT_GRANT',
  initial: 'FREE_CREDIT_GRANT',
  purchase: 'PURCHASED_CREDIT_DIRECT',
};

function assertKnown(lotIds: readonly string[], lots: ReadonlyMap<string, BookedLot>): void {
  const unknown = lotIds.find((lotId) => !lots.has(lotId));
  if (unknown) throw new Error(`lot ${unknown} does not exist`);
}
