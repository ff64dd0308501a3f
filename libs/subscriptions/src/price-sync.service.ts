import { text } from '@drawdown/billing-core';
import { Agenda, newId, Problem, type Tx } from '@drawdown/platform';
import { firstVersionOf, PlansService, type Offer, type Price } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { copyPrice } from './copies.js';
import { ItemChanges } from './item-changes.service.js';
import type { LineItem } from './line-item.entity.js';
import { override } from './override.js';
import { openPeriodOf } from './period-store.js';
import { isRunning, RUNNING_STATUSES } from './subscription-status.js';
import type { Subscription } from './subscription.entity.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** What a plan sells now reaches the subscriptions that run on it (MEANING "Usage and accrual": "sync"). */
@Injectable()
export class PriceSync {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly plans: PlansService,
    private readonly changes: ItemChanges,
    private readonly agenda: Agenda,
  ) {}

  /** Every running subscription of the plan is due for it at once. @returns how many. @throws Problem 404. */
  async begin(tx: Tx, planId: string): Promise<{ runId: string; subscriptions: number }> {
    await this.plans.published(tx, planId);
    const found = await sql<{ id: string; customer_id: string }>`
      select id, customer_id from subscription
      where environment_id = ${tx.scope.environmentId} and plan_id = ${planId}
        and status = any(${[...RUNNING_STATUSES]}::text[]) order by id`.execute(tx.db);
    for (const { id: subjectId, customer_id: customerId } of found.rows) {
      await this.agenda.schedule(tx, { kind: 'price.sync', customerId, subjectId, dueAt: tx.now });
    }
    return { runId: newId('sync'), subscriptions: found.rows.length };
  }

  /**
   * Due work `price.sync`. Items of prices that have another version now, or are not sold any more, end, and those of
   * what is sold begin: usage at once, fees with the next period. Items whose amount was agreed with the customer stay.
   */
  async fallDue(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    const offer = isRunning(subscription.status) ? await this.offerTo(tx, subscription, at) : null;
    if (!offer) return;
    const items = (await this.subscriptions.lineItems(tx, subscription.id)).filter(
      ({ planId, startDate, endDate }) =>
        planId === subscription.planId && startDate <= at && (!endDate || endDate > at),
    );
    const known = await this.plans.prices(
      tx,
      items.map(({ priceId }) => priceId),
    );
    const { ended, begun } = differences(items, offer.prices, new Map(known.map((price) => [price.id, price])));
    if (ended.length === 0 && begun.length === 0) return;
    const next = begun.map(({ price, quantity }) => {
      const item = copyPrice(tx, subscription, offer, price, at);
      if (quantity) override(item, { quantity });
      return item;
    });
    for (const item of ended) item.endDate = at;
    await tx.em.flush();
    const period = await openPeriodOf(tx, subscription.id);
    await this.changes.apply(tx, subscription, { ended, begun: next, at, period, prorated: false });
  }

  /** Null when the plan is not sold in the subscription's currency and interval any more: it keeps what it has. */
  private async offerTo(tx: Tx, subscription: Subscription, at: Date): Promise<Offer | null> {
    const { planId, currency, billingPeriod, billingPeriodCount } = subscription;
    try {
      return await this.plans.offer(tx, planId, { currency, billingPeriod, billingPeriodCount, at, trialDays: 0 });
    } catch (error) {
      if (error instanceof Problem) return null;
      throw error;
    }
  }
}

/** An item follows the versions of its price; one whose amount is not that of its price was agreed, and stays. */
function differences(items: readonly LineItem[], offered: readonly Price[], known: ReadonlyMap<string, Price>) {
  const current = new Map(offered.map((price) => [firstVersionOf(price), price]));
  const familyOf = (item: LineItem) => item.price.parent_price_id ?? item.priceId;
  const agreed = (item: LineItem) => item.price.amount !== text(known.get(item.priceId)!.amount);
  const ended = items.filter((item) => current.get(familyOf(item))?.id !== item.priceId && !agreed(item));
  const held = new Set(items.map(familyOf));
  const begun = [
    ...ended.flatMap((item) => {
      const price = current.get(familyOf(item));
      return price ? [{ price, quantity: item.priceType === 'FIXED' ? text(item.quantity) : null }] : [];
    }),
    ...offered.filter((price) => !held.has(firstVersionOf(price))).map((price) => ({ price, quantity: null })),
  ];
  return { ended, begun };
}
