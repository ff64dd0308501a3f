import { Decimal, text, ZERO } from '@drawdown/billing-core';
import { walletDebtPaid } from '@drawdown/contracts';
import { EventBus, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { Movement } from './movement.js';
import { CreditReversal, debtOf } from './reversal.entity.js';
import { named, Wallet } from './wallet.entity.js';

/** What customers owe in credits: money taken from outside whose credits were spent (MEANING "Credits bought"). */
@Injectable()
export class Debts {
  constructor(private readonly events: EventBus) {}

  /**
   * Credits that were just bought first pay what the customer owes in their currency, in whichever wallet, oldest debt
   * first. @returns what they pay, for `post` to move.
   */
  async pay(tx: Tx, bought: Pick<Wallet, 'customerId' | 'currency'>, lotId: string, credits: Decimal) {
    const indebted = await this.indebted(tx, bought);
    const movements: Movement[] = [];
    let left = credits;
    for (const { wallet, reversal } of indebted) {
      const paid = Decimal.min(left, debtOf(reversal));
      if (paid.lte(ZERO)) continue;
      left = left.minus(paid);
      tx.em.assign(reversal, { debtPaid: reversal.debtPaid.plus(paid), updatedAt: tx.now });
      tx.em.assign(wallet, { debt: wallet.debt.minus(paid), updatedAt: tx.now });
      movements.push({
        lotId,
        credits: paid.neg(),
        kind: 'debt_payment',
        cause: { type: 'reversal', id: reversal.id },
        key: `debt_payment:${reversal.id}:${lotId}`,
      });
      await this.events.publish(tx, walletDebtPaid, {
        ...named(wallet),
        reversal_id: reversal.id,
        credits: text(paid),
        debt: text(wallet.debt),
      });
    }
    return movements;
  }

  private async indebted(tx: Tx, { customerId, currency }: Pick<Wallet, 'customerId' | 'currency'>) {
    const own = { environmentId: tx.scope.environmentId, customerId };
    const wallets = await tx.em.find(Wallet, { ...own, currency, debt: { $gt: ZERO } }, { refresh: true });
    if (wallets.length === 0) return [];
    const walletOf = new Map(wallets.map((wallet) => [wallet.id, wallet]));
    const reversals = await tx.em.find(
      CreditReversal,
      { ...own, walletId: { $in: [...walletOf.keys()] }, undoneAt: null },
      { orderBy: { createdAt: 'asc', id: 'asc' }, refresh: true },
    );
    return reversals.map((reversal) => ({ reversal, wallet: walletOf.get(reversal.walletId)! }));
  }
}
