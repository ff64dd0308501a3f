import { Agenda, newId, Problem, type Tx } from '@drawdown/platform';
import { firstVersionOf, PlansService, recurs, unitPriceOf, type Offer, type Price } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import { copyPrice } from './copies.js';
import { keepCommitment } from './item-commitment.js';
import { ItemChanges } from './item-changes.service.js';
import { familyOf, runsAt, type LineItem } from './line-item.entity.js';
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
    const { ended, upcoming, begun } = differences(standing, offer.prices.filter(recurs), at);
    const made = begun.map(({ price, after, from, endDate }) => {
      const item = copyPrice(tx, subscription, { ...offer, entitlements }, price, from);
      if (after) takeOver(item, after);
      item.endDate = endDate;
      return item;
    });
    this.changes.withoutUpcoming(upcoming, at);
    for (const item of made) if (item.startDate > at) await this.changes.plan(tx, item, item.startDate);
    const staying = [...standing.items, ...standing.others].filter((item) => !ended.includes(item));
    const refreshed = await this.entitlements.refresh(tx, subscription, staying, at);
    const over = [...ended, ...refreshed.ended];
    for (const item of over) item.endDate = at;
    const next = [...made.filter((item) => runsAt(item, at)), ...refreshed.begun];
    await tx.em.flush();
    if (over.length + next.length === 0) return;
    const period = await openPeriodOf(tx, subscription.id);
    await this.changes.apply(tx, subscription, { ended: over, begun: next, at, period, prorated: false });
  }

  private async standing(tx: Tx, subscription: Subscription, at: Date): Promise<Standing> {
    const all = (await this.subscriptions.lineItems(tx, subscription.id)).filter(
      ({ endDate, once }) => (!endDate || endDate > at) && !once,
    );
    const ofPlan = all.filter(({ planId }) => planId === subscription.planId);
    const items = ofPlan.filter((item) => runsAt(item, at));
    const prices = await this.plans.prices(
      tx,
      ofPlan.map(({ priceId }) => priceId),
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

/** What was agreed beside the price goes on: the quantity of a fee, a commitment. */
function takeOver(item: LineItem, after: LineItem): void {
  if (after.priceType === 'FIXED') item.quantity = after.quantity;
  keepCommitment(item, after);
}

/** Items that have not ended, but for fees that are asked once. */
interface Standing {
  /** The plan's that run. */
  readonly items: readonly LineItem[];
  /** Those beside them, and those to come. */
  readonly others: readonly LineItem[];
  /** The catalogue's prices of the plan's items, by id. */
  readonly known: ReadonlyMap<string, Price>;
}

/**
 * An item follows the versions of its price, one to come too; one whose terms are not those of its price was agreed, and
 * stays. What an item that stays counts is not sold once more in its time.
 */
function differences({ items, others, known }: Standing, offered: readonly Price[], at: Date) {
  const current = new Map(offered.map((price) => [firstVersionOf(price), price]));
  const follows = (item: LineItem) => {
    const price = known.get(item.priceId);
    return price !== undefined && isDeepStrictEqual(item.rule.price, copyOfPrice(unitPriceOf(price)));
  };
  const stale = (item: LineItem) => current.get(familyOf(item))?.id !== item.priceId && follows(item);
  const [ended, upcoming] = [items.filter(stale), others.filter((item) => item.startDate > at && stale(item))];
  const held = new Set(items.map(familyOf));
  const staying = [...items, ...others].filter((item) => !ended.includes(item) && !upcoming.includes(item));
  const versions = [...ended, ...upcoming].flatMap((after): Successor[] => {
    const price = current.get(familyOf(after));
    const from = runsAt(after, at) ? at : after.startDate;
    return price ? [{ price, after, from, endDate: after.endDate ?? null }] : [];
  });
  const sold = offered.flatMap((price): Successor[] => {
    const beside = staying.filter(({ meterId }) => meterId && meterId === price.meterId);
    if (held.has(firstVersionOf(price)) || beside.some(({ startDate }) => startDate <= at)) return [];
    const first = Math.min(...beside.map(({ startDate }) => +startDate));
    return [{ price, after: null, from: at, endDate: Number.isFinite(first) ? new Date(first) : null }];
  });
  return { ended, upcoming, begun: [...versions, ...sold] };
}

/** An item that begins, in the place of another or beside them. */
interface Successor {
  readonly price: Price;
  readonly after: LineItem | null;
  readonly from: Date;
  readonly endDate: Date | null;
}
