import { Decimal } from '@drawdown/billing-core';
import { creditsWrittenOff, walletFrozen, walletTerminated, walletUnfrozen, walletUpdated } from '@drawdown/contracts';
import { text } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { EventBus, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { Lot } from './lot.entity.js';
import { type AutoTopupState, READY, stateOf } from './auto-topup.js';
import { assertChargeable, settingsOf } from './wallet-settings.dto.js';
import { WalletWatch } from './wallet-watch.service.js';
import { named, Wallet } from './wallet.entity.js';
import type { CreateWalletBody, UpdateWalletBody } from './wallets.dto.js';
import { WalletsService } from './wallets.service.js';

/** How a wallet begins, changes and ends. */
@Injectable()
export class WalletLifecycle {
  constructor(
    private readonly wallets: WalletsService,
    private readonly customers: CustomersService,
    private readonly events: EventBus,
    private readonly watch: WalletWatch,
  ) {}

  /**
   * Adds a wallet, or completes the one a grant has opened while it is the only one of its currency (MEANING "Grants").
   * @throws Problem 404 for the customer, 400 for what isn't supported, 409 for another conversion rate.
   */
  async create(tx: Tx, body: CreateWalletBody): Promise<Wallet> {
    if (body.wallet_type === 'POST_PAID') throw Problem.unsupported('wallet_type', 'must be PRE_PAID');
    const settings = settingsOf(body);
    const expiresAt = initialExpiry(tx, body);
    const customer = await this.customers.resolveForUpdate(tx, body);
    const wallet =
      (await this.complete(tx, customer.id, body)) ??
      (await this.wallets.open(tx, {
        customerId: customer.id,
        currency: body.currency,
        conversionRate: given(body.conversion_rate),
        topupConversionRate: given(body.topup_conversion_rate),
        name: body.name ?? null,
        description: body.description ?? null,
        metadata: body.metadata ?? {},
        ...settings,
      }));
    const credits = given(body.initial_credits_to_load);
    if (credits?.gt(0)) {
      await this.wallets.addLot(tx, wallet, { credits, source: 'initial', expiresAt, key: `initial:${wallet.id}` });
    }
    assertChargeable(wallet);
    await this.watch.look(tx);
    return this.wallets.get(tx, wallet.id);
  }

  /** Changes what the body names. @throws Problem 404, 409 when it is closed. */
  async update(tx: Tx, id: string, body: UpdateWalletBody): Promise<Wallet> {
    const wallet = await this.lockOpen(tx, id);
    await this.change(tx, wallet, body);
    await this.watch.look(tx);
    return wallet;
  }

  /**
   * Writes off what is left and closes the wallet for good. What open holds keep stays theirs: they can be captured, and
   * what they let go of is written off then. @throws Problem 404, 409 when it is closed.
   */
  async terminate(tx: Tx, id: string): Promise<Wallet> {
    const wallet = await this.lockOpen(tx, id);
    await this.wallets.freeExpired(tx, [wallet.customerId]);
    const lots = await tx.em.find(Lot, { ...lotsOf(tx, id), remaining: { $gt: new Decimal(0) } }, { refresh: true });
    await this.wallets.post(
      tx,
      lots
        .filter((lot) => lot.remaining.gt(lot.held))
        .map((lot) => ({
          lotId: lot.id,
          credits: lot.held.minus(lot.remaining),
          kind: 'terminate',
          cause: { type: 'wallet', id },
          key: `terminate:${lot.id}`,
        })),
    );
    await sql`
      update lot set written_off_at = ${tx.now}, updated_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and wallet_id = ${id} and written_off_at is null`.execute(tx.db);
    tx.em.assign(wallet, { status: 'closed', updatedAt: tx.now });
    await this.events.publish(tx, walletTerminated, named(wallet));
    this.watch.mark(tx, [id]);
    return this.wallets.get(tx, id);
  }

  /**
   * From now on no credits go out: no usage, fee, debit or new hold draws from it, and nothing is bought for it. What
   * holds keep already stays theirs; what is granted or was ordered before comes in, and expires. @throws Problem 404, 409.
   */
  async freeze(tx: Tx, id: string): Promise<Wallet> {
    const wallet = await this.lockOpen(tx, id);
    if (wallet.status === 'frozen') return wallet;
    tx.em.assign(wallet, { status: 'frozen', updatedAt: tx.now });
    await this.events.publish(tx, walletFrozen, named(wallet));
    this.watch.mark(tx, [id]);
    return wallet;
  }

  /** Its credits may be spent again, and pay first what usage is short of. @throws Problem 404, 409. */
  async unfreeze(tx: Tx, id: string): Promise<Wallet> {
    const wallet = await this.lockOpen(tx, id);
    if (wallet.status === 'active') return wallet;
    tx.em.assign(wallet, { status: 'active', updatedAt: tx.now });
    await this.events.publish(tx, walletUnfrozen, named(wallet));
    this.watch.mark(tx, [id]);
    await this.watch.look(tx);
    return wallet;
  }

  /** The lot unless it was written off; as it is now. */
  lotToWriteOff(tx: Tx, lotId: string): Promise<Lot | null> {
    const where = { environmentId: tx.scope.environmentId, id: lotId, writtenOffAt: null };
    return tx.em.findOne(Lot, where, { refresh: true });
  }

  /** Writes off what is left of an expired lot; what returns to it later is written off with it. */
  async writeOff(tx: Tx, lot: Lot): Promise<void> {
    const lotId = lot.id;
    const rest = lot.remaining.minus(lot.held);
    if (rest.gt(0)) {
      const cause = { type: 'lot', id: lotId } as const;
      await this.wallets.post(tx, [
        { lotId, credits: rest.neg(), kind: 'write_off', cause, key: `write_off:${lotId}` },
      ]);
    }
    if (rest.gt(0)) await tx.em.refresh(lot);
    tx.em.assign(lot, { writtenOffAt: tx.now, updatedAt: tx.now });
    if (rest.lte(0)) return;
    const wallet = await this.wallets.get(tx, lot.walletId);
    await this.events.publish(tx, creditsWrittenOff, { ...named(wallet), lot_id: lotId, credits: text(rest) });
  }

  private async complete(tx: Tx, customerId: string, body: CreateWalletBody): Promise<Wallet | null> {
    const all = await this.wallets.ofCustomer(tx, customerId);
    const active = all.filter((wallet) => wallet.currency === body.currency && wallet.status === 'active');
    const [opened] = active;
    const rate = given(body.conversion_rate);
    if (active.length !== 1 || !opened?.openedByGrant || (rate && !opened.conversionRate.eq(rate))) return null;
    tx.em.assign(opened, {
      openedByGrant: false,
      topupConversionRate: given(body.topup_conversion_rate) ?? opened.topupConversionRate,
    });
    await this.change(tx, opened, body);
    return opened;
  }

  private async change(tx: Tx, wallet: Wallet, body: UpdateWalletBody): Promise<void> {
    tx.em.assign(wallet, {
      ...(body.name === undefined ? {} : { name: body.name }),
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.metadata === undefined ? {} : { metadata: body.metadata ?? {} }),
      ...settingsOf(body, wallet),
      ...(body.auto_topup?.enabled ? { autoTopupState: restarted(wallet) } : {}),
      updatedAt: tx.now,
    });
    assertChargeable(wallet);
    this.watch.mark(tx, [wallet.id]);
    await this.events.publish(tx, walletUpdated, named(wallet));
  }

  /** The wallet under its customer's lock. */
  private async lockOpen(tx: Tx, id: string): Promise<Wallet> {
    const { customerId } = await this.wallets.get(tx, id);
    await this.customers.lock(tx, [customerId]);
    const wallet = await this.wallets.get(tx, id);
    if (wallet.status === 'closed') throw Problem.state(`wallet ${id} is closed`, wallet.status);
    return wallet;
  }
}

/** Switched on (again): earlier failures count no more. What is being charged goes on. */
const restarted = (wallet: Wallet): AutoTopupState =>
  stateOf(wallet).status === 'in_progress'
    ? { ...stateOf(wallet), declined_at: [] }
    : { ...READY, last_attempt_at: stateOf(wallet).last_attempt_at, invoice_id: stateOf(wallet).invoice_id };

const lotsOf = (tx: Tx, walletId: string) => ({ environmentId: tx.scope.environmentId, walletId });

const given = (amount: string | null | undefined): Decimal | null =>
  amount === null || amount === undefined ? null : new Decimal(amount);

/** @throws Problem 400 for a day that doesn't exist, or an instant that has passed. */
function initialExpiry(tx: Tx, body: CreateWalletBody): Date | null {
  const day = body.initial_credits_to_load_expiry_date;
  const field = body.initial_credits_expiry_date_utc
    ? 'initial_credits_expiry_date_utc'
    : 'initial_credits_to_load_expiry_date';
  const expiresAt = body.initial_credits_expiry_date_utc
    ? new Date(body.initial_credits_expiry_date_utc)
    : day
      ? endOfDay(day)
      : null;
  if (expiresAt && expiresAt <= tx.now) throw Problem.invalid(field, 'must lie in the future');
  return expiresAt;
}

/** The end in UTC of a day given as YYYYMMDD. */
function endOfDay(day: number): Date {
  const [year, month, date] = [Math.floor(day / 10_000), Math.floor(day / 100) % 100, day % 100];
  const start = new Date(Date.UTC(year, month - 1, date));
  if (start.getUTCMonth() !== month - 1 || start.getUTCDate() !== date) {
    throw Problem.invalid('initial_credits_to_load_expiry_date', 'must be a day as YYYYMMDD');
  }
  return new Date(Date.UTC(year, month - 1, date + 1));
}
