import { FeaturesService } from '@drawdown/features';
import { createdWithin, explainRefusal, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { eachItem } from './bulk.js';
import { endOffer, notEnded, offeredAt, offeredSpan, overlap, type OfferedSpan } from './offered-span.js';
import { assertFreeUnitsFit } from './allowance-window.js';
import { PlansService } from './plans.service.js';
import { Price } from './price.entity.js';
import { changesMoney, newPriceOf, trialDaysOf } from './price.rules.js';
import { PriceVersions } from './price-versions.service.js';
import { priceView, type PriceView } from './price-view.dto.js';
import type { CreatePriceBody, PriceSearchQuery, UpdatePriceBody } from './prices.dto.js';
import { unknownReference } from './reference.js';

/** The prices of plans. */
@Injectable()
export class PricesService {
  constructor(
    private readonly plans: PlansService,
    private readonly features: FeaturesService,
    private readonly versions: PriceVersions,
  ) {}

  /**
   * @throws Problem 400 for a price that makes no sense or isn't billed by this version, 404 for an unknown plan or
   * meter, 409 for a lookup key in use.
   */
  async create(tx: Tx, body: CreatePriceBody): Promise<Price> {
    const terms = newPriceOf(body);
    const trialPeriodDays = trialDaysOf(body);
    const asked = offeredSpan(body);
    const plan = await this.plans.referenced(tx, 'entity_id', body.entity_id);
    const span = terms.meterId ? await this.countable(tx, terms.meterId, body, asked) : asked;
    const price = tx.em.create(Price, {
      id: newId('price'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      planId: plan.id,
      subscriptionId: null,
      currency: body.currency,
      trialPeriodDays,
      ...terms,
      ...span,
    });
    await this.save(tx, price);
    return price;
  }

  /** All or none. @throws Problem as `create`, naming the item. */
  createAll(tx: Tx, bodies: readonly CreatePriceBody[]): Promise<Price[]> {
    return eachItem(bodies, (body) => this.create(tx, body));
  }

  /** In any state: an ended price can still be read. @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Price> {
    const price = await tx.em.findOne(Price, { environmentId: tx.scope.environmentId, id });
    if (!price) throw Problem.notFound('price', id);
    return price;
  }

  /** A price of a plan. @throws Problem 404; 409 for one that a single subscription has. */
  private async offered(tx: Tx, id: string): Promise<Price> {
    const price = await this.get(tx, id);
    if (price.planId) return price;
    throw Problem.state(`the price was agreed for ${price.subscriptionId}: change its line item`, 'agreed');
  }

  /** Those of a plan that are offered now or will be, in the order they were made. */
  ofPlans(tx: Tx, planIds: readonly string[]): Promise<Price[]> {
    const { environmentId } = tx.scope;
    return tx.em.find(
      Price,
      { environmentId, planId: [...planIds], ...notEnded(tx.now) },
      { orderBy: { createdAt: 'asc', id: 'asc' } },
    );
  }

  async search(tx: Tx, query: PriceSearchQuery): Promise<[Price[], number]> {
    if (query.entity_type && !['PLAN', 'SUBSCRIPTION'].includes(query.entity_type)) return [[], 0];
    return tx.em.findAndCount(
      Price,
      {
        environmentId: tx.scope.environmentId,
        ...offeredNow(tx, query),
        ...createdWithin(query),
        ...(query.price_ids ? { id: query.price_ids } : {}),
        ...(query.meter_ids ? { meterId: query.meter_ids } : {}),
        ...(query.parent_price_id ? { parentPriceId: query.parent_price_id } : {}),
        $and: [
          ...(query.plan_ids ? [{ planId: query.plan_ids }] : []),
          ...(query.subscription_id ? [{ subscriptionId: query.subscription_id }] : []),
          ...ownedBy(query),
          ...startsBefore(query),
        ],
      },
      pageOptions(query),
    );
  }

  /**
   * Texts in place; money begins a new version, which is answered (`PriceVersions.begin`).
   * @throws Problem 404, 400 for a version that can't begin then, 409 for a lookup key in use.
   */
  async update(tx: Tx, id: string, body: UpdatePriceBody): Promise<Price> {
    const money = changesMoney(body);
    if (body.effective_from && !money)
      throw Problem.invalid('effective_from', 'is of a change of money: texts change at once');
    const before = await this.offered(tx, id);
    const price = money ? await this.versions.begin(tx, before, body) : before;
    tx.em.assign(
      price,
      {
        lookupKey: body.lookup_key,
        displayName: body.display_name,
        description: body.description,
        metadata: body.metadata === null ? {} : body.metadata,
        updatedAt: tx.now,
      },
      { ignoreUndefined: true },
    );
    await this.save(tx, price);
    return price;
  }

  /** Ends it, now or at `endDate`; subscriptions keep their copies. @throws Problem 404, 400, 409 (see `endOffer`). */
  async end(tx: Tx, id: string, endDate: string | null | undefined): Promise<void> {
    endOffer(tx, await this.offered(tx, id), 'end_date', endDate);
    await tx.em.flush();
  }

  /** A price is always shown with its meter, with its plan where asked. */
  async views(tx: Tx, prices: readonly Price[], options: { withPlans?: boolean } = {}): Promise<PriceView[]> {
    const meters = await this.features.meters(
      tx,
      prices.flatMap(({ meterId }) => meterId ?? []),
    );
    const plans = options.withPlans
      ? await this.plans.find(
          tx,
          prices.flatMap(({ planId }) => planId ?? []),
        )
      : [];
    const meterOf = new Map(meters.map((meter) => [meter.id, meter]));
    const planOf = new Map(plans.map((plan) => [plan.id, plan]));
    return prices.map((price) =>
      priceView(price, meterOf.get(price.meterId ?? '') ?? null, planOf.get(price.planId ?? '')),
    );
  }

  /** The one offered now under the name, else the last that was or the first that will be. @throws Problem 404. */
  async byLookupKey(tx: Tx, lookupKey: string): Promise<Price> {
    const { environmentId } = tx.scope;
    const named = { environmentId, lookupKey };
    const newest = { orderBy: { createdAt: 'desc', id: 'desc' }, limit: 1 } as const;
    const [now] = await tx.em.find(Price, { ...named, status: 'published', ...offeredAt(tx.now) }, newest);
    const [price] = now ? [now] : await tx.em.find(Price, named, newest);
    if (!price) throw Problem.notFound('price with the lookup key', lookupKey);
    return price;
  }

  /**
   * A meter is priced once at a time in a currency and interval, or its usage would be charged twice; and what the plan
   * gives free of it must fit (`assertFreeUnitsFit`). The plan's row is locked, so that two requests can't both find it
   * free. @returns the time in which it is offered: after a price that has ended, from that end.
   */
  private async countable(tx: Tx, meterId: string, body: CreatePriceBody, span: OfferedSpan): Promise<OfferedSpan> {
    const [meter] = await this.features.meters(tx, [meterId]);
    if (meter?.status !== 'published') throw unknownReference('meter_id', meterId);
    const { entity_id: planId, currency, billing_period: billingPeriod, billing_period_count: count } = body;
    const billingPeriodCount = count ?? 1;
    await this.plans.lock(tx, planId);
    await assertFreeUnitsFit(tx, this.features, planId, meter, { billingPeriod, count: billingPeriodCount });
    const { environmentId } = tx.scope;
    const others = await tx.em.find(Price, {
      environmentId,
      planId,
      meterId,
      currency,
      billingPeriod,
      billingPeriodCount,
    });
    const ends = others.flatMap(({ endDate }) => (endDate && endDate <= tx.now ? endDate.getTime() : []));
    const startDate = span.startDate ?? (ends.length > 0 ? new Date(Math.max(...ends)) : null);
    const other = others.find((one) => overlap(one, { ...span, startDate }));
    if (other)
      throw Problem.invalid('meter_id', `is priced by ${other.id} at an overlapping time: end that price first`);
    return { ...span, startDate };
  }

  private save(tx: Tx, price: Price): Promise<void> {
    return explainRefusal(tx.em.flush(), {
      price_lookup_key: Problem.exists('lookup_key', `${price.lookupKey} belongs to another price`),
      price_live_plan: unknownReference('entity_id', price.planId ?? ''),
      price_live_meter: unknownReference('meter_id', price.meterId ?? ''),
    });
  }
}

/** Plans and subscriptions by one name; those of subscriptions only for who asks for such. */
function ownedBy({ entity_type: type, entity_ids: ids, subscription_id: one, price_ids: named }: PriceSearchQuery) {
  const owners = ids ? [{ $or: [{ planId: ids }, { subscriptionId: ids }] }] : [];
  if (type === 'SUBSCRIPTION') return [...owners, { planId: null }];
  return type === 'PLAN' || !(ids ?? one ?? named) ? [...owners, { subscriptionId: null }] : owners;
}

function offeredNow(tx: Tx, { status, allow_expired_prices: alsoEnded }: PriceSearchQuery) {
  if (status) return { status: status as Price['status'] };
  return alsoEnded ? {} : notEnded(tx.now);
}

/** One without a start has been offered from ever. */
const startsBefore = ({ start_date_lt: before }: PriceSearchQuery) =>
  before ? [{ $or: [{ startDate: null }, { startDate: { $lt: new Date(before) } }] }] : [];
