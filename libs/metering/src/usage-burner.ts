import { text } from '@drawdown/billing-core';
import { shortfallPaidDown } from '@drawdown/contracts';
import { EventBus, type Tx } from '@drawdown/platform';
import { SubscriptionsService, type UsageItem } from '@drawdown/subscriptions';
import { WalletsService, type Cause, type HeldChange, type Purses } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { UsageFold } from './fold.js';
import { accrualKey } from './open-accrual.js';
import { loadAccruals, saveAccruals } from './usage-store.js';

/** Loads what usage is decided with, and records what was decided. The caller holds the customers' locks. */
@Injectable()
export class UsageBurner {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly wallets: WalletsService,
    private readonly events: EventBus,
  ) {}

  async open(tx: Tx, customerIds: readonly string[], items: readonly UsageItem[]): Promise<UsageFold> {
    return (await this.openWithPurses(tx, customerIds, items)).fold;
  }

  /** With the items before and after those that stand in a chain; the purses are those the fold draws from. */
  async openWithPurses(
    tx: Tx,
    customerIds: readonly string[],
    items: readonly UsageItem[],
  ): Promise<{ fold: UsageFold; purses: Purses }> {
    const links = await this.linksOf(tx, items);
    const accruals = await loadAccruals(tx, [...items, ...links], customerIds);
    const drawn = [...accruals.values()].flatMap((accrual) => accrual.draws.map((draw) => draw.lotId));
    const purses = await this.wallets.purses(tx, customerIds, [...new Set(drawn)]);
    return { fold: new UsageFold(items, accruals, purses, links), purses };
  }

  /** The items before and after those that stand in a chain. */
  private async linksOf(tx: Tx, items: readonly UsageItem[]): Promise<UsageItem[]> {
    const chained = items.filter((item) => item.chained);
    if (chained.length === 0) return [];
    const known = new Set(items.map((item) => accrualKey(item.lineItemId, item.period.id)));
    const chains = await this.subscriptions.usageChains(tx, chained);
    return chains.filter((item) => !known.has(accrualKey(item.lineItemId, item.period.id)));
  }

  /**
   * @param cause the batch, or what has let credits pay; each ledger entry names it with its line item and period.
   * @param heldChanges what holds begin or stop to keep with it.
   */
  async record(
    tx: Tx,
    fold: UsageFold,
    cause: Pick<Cause, 'type' | 'id'>,
    heldChanges: readonly HeldChange[] = [],
  ): Promise<void> {
    await saveAccruals(tx, fold.coverage.changed());
    await this.wallets.post(
      tx,
      fold.coverage.netDraws().map(({ lotId, lineItemId, periodId, credits }) => ({
        lotId,
        credits: credits.neg(),
        kind: credits.gt(0) ? 'burn' : 'return',
        cause: { ...cause, lineItemId, periodId },
        key: `${cause.id}:${lotId}:${lineItemId}:${periodId}`,
      })),
      heldChanges,
    );
    for (const { customerId, currency, credits, amount } of fold.coverage.paidDown.values()) {
      await this.events.publish(tx, shortfallPaidDown, {
        customer_id: customerId,
        currency,
        credits: text(credits),
        amount: text(amount),
      });
    }
  }
}
