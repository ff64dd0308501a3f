import { Agenda, newId, Problem, type Tx } from '@drawdown/platform';
import { firstVersionOf, PlansService, recurs, unitPriceOf, type Offer, type Price } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import { copyPrice } from './copies.js';
import { keepCommitment } from './item-commitment.js';
import { ItemChanges } from './item-changes.service.js';
import type { LineItem } from './line-item.entity.js';
import { OwnEntitlements } from './own-entitlements.service.js';
import { openPeriodOf } from './period-store.js';
import { copyOfPrice } from './rule-copy.js';
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
    private readonly entitlements: OwnEntitlements,
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
   * what is sold begin: usage at once, fees with the next period. Entitlements go over, and items go on with the free
   * units that they give. What was agreed with the customer stays, and what is asked once is not asked of anybody.
   */
  async fallDue(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    const offer = isRunning(subscription.status) ? await this.offerTo(tx, subscription, at) : null;
    if (!offer) return;
    await this.entitlements.sync(tx, subscription, offer);
    const entitlements = await this.entitlements.ofMeters(tx, subscription.id);
    const standing = await this.standing(tx, subscription, at);
    const { ended, begun } = differences(standing, offer.prices.filter(recurs));
    const next = begun.map(({ price, after }) => {
      const item = copyPrice(tx, subscription, { ...offer, entitlements }, price, at);
      if (after) takeOver(item, after);
      return item;
    });
    const staying = [...standing.items, ...standing.others].filter((item) => !ended.includes(item));
    const refreshed = await this.entitlements.refresh(tx, subscription, staying, at);
    ended.push(...refreshed.ended);
    next.push(...refreshed.begun);
    if (ended.length + next.length === 0) return;
    for (const item of ended) item.endDate = at;
    await tx.em.flush();
    const period = await openPeriodOf(tx, subscription.id);
    await this.changes.apply(tx, subscription, { ended, begun: next, at, period, prorated: false });
  }

  private async standing(tx: Tx, subscription: Subscription, at: Date): Promise<Standing> {
    const all = (await this.subscriptions.lineItems(tx, subscription.id)).filter(
      ({ endDate, once }) => (!endDate || endDate > at) && !once,
    );
    const items = all.filter(({ planId, startDate }) => planId === subscription.planId && startDate <= at);
    const prices = await this.plans.prices(
      tx,
      items.map(({ priceId }) => priceId),
    );
    const known = new Map(prices.map((price) => [price.id, price]));
    return { items, others: all.filter((item) => !items.includes(item)), known };
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

/** What was agreed beside the price goes on: the quantity of a fee, a commitment, a planned end. */
function takeOver(item: LineItem, after: LineItem): void {
  if (after.priceType === 'FIXED') item.quantity = after.quantity;
  keepCommitment(item, after);
  item.endDate = after.endDate ?? null;
}

/** Items that have not ended, but for fees that are asked once. */
interface Standing {
  /** The plan's that run. */
  readonly items: readonly LineItem[];
  /** Those beside them, and those to come. */
  readonly others: readonly LineItem[];
  /** The catalogue's prices of the items, by id. */
  readonly known: ReadonlyMap<string, Price>;
}

/**
 * An item follows the versions of its price; one whose terms are not those of its price was agreed, and stays. What an
 * item that stays counts is not sold once more.
 */
function differences({ items, others, known }: Standing, offered: readonly Price[]) {
  const current = new Map(offered.map((price) => [firstVersionOf(price), price]));
  const familyOf = (item: LineItem) => item.price.parent_price_id ?? item.priceId;
  const agreed = (item: LineItem) =>
    !isDeepStrictEqual(item.rule.price, copyOfPrice(unitPriceOf(known.get(item.priceId)!)));
  const ended = items.filter((item) => current.get(familyOf(item))?.id !== item.priceId && !agreed(item));
  const held = new Set(items.map(familyOf));
  const staying = [...others, ...items.filter((item) => !ended.includes(item))];
  const counted = new Set(staying.flatMap(({ meterId }) => meterId ?? []));
  const begun = [
    ...ended.flatMap((item) => {
      const price = current.get(familyOf(item));
      return price ? [{ price, after: item }] : [];
    }),
    ...offered
      .filter((price) => !held.has(firstVersionOf(price)) && !(price.meterId && counted.has(price.meterId)))
      .map((price) => ({ price, after: null })),
  ];
  return { ended, begun };
}
