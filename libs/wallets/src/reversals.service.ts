import { Decimal, sum, text, ZERO } from '@drawdown/billing-core';
import { creditsRestored, creditsReversed } from '@drawdown/contracts';
import { EventBus, newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { LedgerEntry } from './ledger-entry.entity.js';
import { Lot } from './lot.entity.js';
import type { Movement, MovementNote } from './movement.js';
import { CreditReversal, debtOf, type ReversalKind } from './reversal.entity.js';
import { named } from './wallet.entity.js';
import { WalletsService } from './wallets.service.js';

export interface NewReversal {
  /** The lot that the purchase brought. */
  readonly lotId: string;
  /** Credits whose money is gone, above zero, at most 12 places. */
  readonly credits: Decimal;
  /** Unique in the environment, such as `refund:{id}` or `dispute:{id}`: told again, the same is answered. */
  readonly key: string;
  /** What people read about it in the ledger. */
  readonly note?: MovementNote;
}

/**
 * Bought credits that go back because their money did (MEANING "Credits bought": "Our refund of a purchase takes back at
 * most what its own lot still has unheld (409 above); money taken from outside beyond that (dispute) is a wallet debt").
 * Callers hold the customer's lock.
 */
@Injectable()
export class CreditReversals {
  constructor(
    private readonly wallets: WalletsService,
    private readonly events: EventBus,
  ) {}

  /** Credits that a refund may take back of a lot now: what it has that no hold keeps. @throws Problem 404. */
  async refundable(tx: Tx, lotId: string): Promise<Decimal> {
    return unheld(await this.lot(tx, lotId));
  }

  /** We give the money back: takes all of the credits. @throws Problem 404, 409 above what the lot still has unheld. */
  async refund(tx: Tx, input: NewReversal): Promise<CreditReversal> {
    const known = await this.byKey(tx, input.key);
    if (known) return known;
    const lot = await this.lot(tx, input.lotId);
    if (input.credits.gt(unheld(lot))) {
      throw new Problem('invalid_state', `only ${text(unheld(lot))} of the bought credits are still there`, {
        field: 'credits',
        available: text(unheld(lot)),
      });
    }
    return this.reverse(tx, lot, 'refund', input, input.credits);
  }

  /**
   * The money was taken from us: takes what the lot still has unheld, the rest is the wallet's debt. A lot is lost once:
   * of what was reversed before nothing more is lost. @returns null when nothing of the lot is left to lose.
   * @throws Problem 404.
   */
  async lose(tx: Tx, input: NewReversal): Promise<CreditReversal | null> {
    const known = await this.byKey(tx, input.key);
    if (known) return known;
    const lot = await this.lot(tx, input.lotId);
    const standing = { environmentId: tx.scope.environmentId, lotId: lot.id, undoneAt: null };
    const before = await tx.em.find(CreditReversal, standing);
    const credits = Decimal.min(input.credits, lot.granted.minus(sum(before.map((reversal) => reversal.credits))));
    if (credits.lte(ZERO)) return null;
    return this.reverse(tx, lot, 'loss', { ...input, credits }, Decimal.min(credits, unheld(lot)));
  }

  /**
   * The money came back (a dispute won, a refund failed): what was taken returns to its lot, what is still owed is owed
   * no more, and what purchases have paid of it returns to theirs. Again, or for a key never seen, nothing happens.
   */
  async restore(tx: Tx, key: string): Promise<CreditReversal | null> {
    const reversal = await this.byKey(tx, key);
    if (!reversal || reversal.undoneAt) return reversal;
    const wallet = await this.wallets.get(tx, reversal.walletId);
    const returns = await this.returnsOf(tx, reversal);
    await this.wallets.post(tx, returns);
    const forgiven = debtOf(reversal);
    tx.em.assign(wallet, { debt: wallet.debt.minus(forgiven), updatedAt: tx.now });
    tx.em.assign(reversal, { undoneAt: tx.now, updatedAt: tx.now });
    await this.events.publish(tx, creditsRestored, {
      ...named(wallet),
      reversal_id: reversal.id,
      credits: text(sum(returns.map(({ credits }) => credits))),
      debt: text(forgiven),
    });
    return reversal;
  }

  private async reverse(
    tx: Tx,
    lot: Lot,
    kind: ReversalKind,
    { credits, key, note }: NewReversal,
    taken: Decimal,
  ): Promise<CreditReversal> {
    const { id: lotId, customerId, walletId } = lot;
    const reversal = tx.em.create(CreditReversal, {
      id: newId('reversal'),
      ...tx.scope,
      customerId,
      walletId,
      lotId,
      kind,
      credits,
      taken,
      debtPaid: ZERO,
      businessKey: key,
      undoneAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    const cause = { type: 'reversal', id: reversal.id } as const;
    const movement = { lotId, credits: taken.neg(), kind: 'reversal', cause, key: `reversal:${reversal.id}` } as const;
    if (taken.gt(ZERO)) await this.wallets.post(tx, [note ? { ...movement, note } : movement]);
    const wallet = await this.wallets.get(tx, walletId);
    const debt = credits.minus(taken);
    if (debt.gt(ZERO)) tx.em.assign(wallet, { debt: wallet.debt.plus(debt), updatedAt: tx.now });
    await this.events.publish(tx, creditsReversed, {
      ...named(wallet),
      reversal_id: reversal.id,
      lot_id: lotId,
      credits: text(taken),
      debt: text(debt),
    });
    return reversal;
  }

  private async returnsOf(tx: Tx, { id, lotId, taken }: CreditReversal): Promise<Movement[]> {
    const of = { environmentId: tx.scope.environmentId, causeType: 'reversal', causeId: id } as const;
    const payments = await tx.em.find(LedgerEntry, { ...of, kind: 'debt_payment' });
    const cause = { type: 'reversal', id } as const;
    const back = payments.map((paid): Movement => ({
      lotId: paid.lotId,
      credits: paid.credits.neg(),
      kind: 'debt_return',
      cause,
      key: `debt_return:${paid.id}`,
    }));
    if (taken.isZero()) return back;
    return [{ lotId, credits: taken, kind: 'reversal_return', cause, key: `reversal_return:${id}` }, ...back];
  }

  private byKey(tx: Tx, businessKey: string): Promise<CreditReversal | null> {
    return tx.em.findOne(CreditReversal, { environmentId: tx.scope.environmentId, businessKey }, { refresh: true });
  }

  /** As it is now: expired holds keep nothing of it. */
  private async lot(tx: Tx, id: string): Promise<Lot> {
    const find = () => tx.em.findOne(Lot, { environmentId: tx.scope.environmentId, id }, { refresh: true });
    const lot = await find();
    if (!lot) throw Problem.notFound('lot', id);
    await this.wallets.freeExpired(tx, [lot.customerId]);
    return (await find())!;
  }
}

const unheld = ({ remaining, held }: Lot): Decimal => remaining.minus(held);
