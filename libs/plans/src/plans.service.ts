import { FeaturesService, type Feature, type Meter } from '@drawdown/features';
import { createdWithin, explainRefusal, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { LockMode } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { CreditGrant } from './credit-grant.entity.js';
import { Entitlement } from './entitlement.entity.js';
import { offeredAt } from './offered-span.js';
import { pricesOnOffer, trialDaysOn, type Wanted } from './offer.js';
import { Plan } from './plan.entity.js';
import type { CreatePlanBody, PlanSearchQuery, UpdatePlanBody } from './plans.dto.js';
import { Price } from './price.entity.js';
import { unknownReference } from './reference.js';

/** What a subscription takes from a plan, to be copied. */
export interface Offer {
  readonly plan: Plan;
  /** Of the subscription's currency and interval, in the order they were made. */
  readonly prices: Price[];
  /** Of the USAGE prices, by id. */
  readonly meters: ReadonlyMap<string, Meter>;
  /** All that are published, disabled ones too. */
  readonly entitlements: {
    readonly entitlement: Entitlement;
    readonly feature: Feature;
    readonly meterId: string | null;
  }[];
  readonly grants: CreditGrant[];
  readonly trialDays: number;
}

/** Plans, and what they offer to a subscription. */
@Injectable()
export class PlansService {
  constructor(private readonly features: FeaturesService) {}

  /** @throws Problem 409 for a lookup key in use. */
  async create(tx: Tx, body: CreatePlanBody): Promise<Plan> {
    const plan = tx.em.create(Plan, {
      id: newId('plan'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      name: body.name,
      lookupKey: body.lookup_key ?? null,
      description: body.description ?? null,
      displayOrder: body.display_order ?? null,
      metadata: body.metadata ?? {},
    });
    await this.save(tx, body.lookup_key);
    return plan;
  }

  /** In any state: for what happened under it. @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Plan> {
    const plan = await tx.em.findOne(Plan, { environmentId: tx.scope.environmentId, id });
    if (!plan) throw Problem.notFound('plan', id);
    return plan;
  }

  /** @throws Problem 404, also for an archived one. */
  async published(tx: Tx, id: string): Promise<Plan> {
    const plan = await this.get(tx, id);
    if (plan.status !== 'published') throw Problem.notFound('plan', id);
    return plan;
  }

  /** The published plan that a request names in `field`. @throws Problem 404 with the field. */
  async referenced(tx: Tx, field: string, id: string): Promise<Plan> {
    const [plan] = await this.find(tx, [id]);
    if (plan?.status !== 'published') throw unknownReference(field, id);
    return plan;
  }

  /** Until the transaction ends, nobody else adds what has to fit with the rest of the plan. */
  async lock(tx: Tx, id: string): Promise<void> {
    await tx.em.findOneOrFail(
      Plan,
      { environmentId: tx.scope.environmentId, id },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
  }

  /** Those that exist, in any state and order. */
  async find(tx: Tx, ids: readonly string[]): Promise<Plan[]> {
    return ids.length === 0 ? [] : tx.em.find(Plan, { environmentId: tx.scope.environmentId, id: [...ids] });
  }

  /** Prices that exist, in any state and order. */
  async prices(tx: Tx, ids: readonly string[]): Promise<Price[]> {
    return ids.length === 0 ? [] : tx.em.find(Price, { environmentId: tx.scope.environmentId, id: [...ids] });
  }

  search(tx: Tx, query: PlanSearchQuery): Promise<[Plan[], number]> {
    return tx.em.findAndCount(
      Plan,
      {
        environmentId: tx.scope.environmentId,
        status: (query.status ?? 'published') as Plan['status'],
        ...createdWithin(query),
        ...(query.plan_ids ? { id: query.plan_ids } : {}),
        ...(query.lookup_key ? { lookupKey: query.lookup_key } : {}),
      },
      pageOptions(query),
    );
  }

  /** @throws Problem 404, 409 for a lookup key in use. */
  async update(tx: Tx, id: string, body: UpdatePlanBody): Promise<Plan> {
    const plan = await this.published(tx, id);
    tx.em.assign(
      plan,
      {
        name: body.name ?? undefined,
        lookupKey: body.lookup_key,
        description: body.description,
        displayOrder: body.display_order,
        metadata: body.metadata === null ? {} : body.metadata,
        updatedAt: tx.now,
      },
      { ignoreUndefined: true },
    );
    await this.save(tx, body.lookup_key);
    return plan;
  }

  /**
   * Archives the plan and all it is made of. The database refuses while a subscription that has not ended is on it.
   * @throws Problem 404, 409 in use.
   */
  async remove(tx: Tx, id: string): Promise<void> {
    const plan = await this.published(tx, id);
    const ofPlan = { environmentId: tx.scope.environmentId, planId: id, status: 'published' as const };
    const archived = { status: 'archived' as const, updatedAt: tx.now };
    await tx.em.nativeUpdate(Price, ofPlan, archived);
    await tx.em.nativeUpdate(Entitlement, ofPlan, archived);
    await tx.em.nativeUpdate(CreditGrant, ofPlan, archived);
    Object.assign(plan, archived);
    const changed = Problem.state(`plan ${id} can't be deleted: it is being changed`, 'published');
    await explainRefusal(tx.em.flush(), {
      plan_use_live_plan: Problem.state(`plan ${id} can't be deleted: it has subscriptions`, 'published'),
      price_live_plan: changed,
      entitlement_live_plan: changed,
      credit_grant_live_plan: changed,
    });
  }

  /**
   * What a subscription starting at `wanted.at` takes (MEANING, "Periods").
   * @throws Problem 404 for an unknown plan, 400 naming what is available instead.
   */
  async offer(tx: Tx, planId: string, wanted: Wanted): Promise<Offer> {
    const plan = await this.referenced(tx, 'plan_id', planId);
    const ofPlan = { environmentId: tx.scope.environmentId, planId };
    const inOrder = { orderBy: { createdAt: 'asc', id: 'asc' } } as const;
    const offered = await tx.em.find(Price, { ...ofPlan, ...offeredAt(wanted.at) }, inOrder);
    const prices = pricesOnOffer(offered, wanted);
    const trialDays = trialDaysOn(prices, wanted);
    const meters = await this.features.meters(
      tx,
      prices.flatMap(({ meterId }) => meterId ?? []),
    );
    const given = await tx.em.find(Entitlement, { ...ofPlan, status: 'published' }, inOrder);
    const features = await this.features.find(
      tx,
      given.map(({ featureId }) => featureId),
    );
    const featureOf = new Map(features.map((feature) => [feature.id, feature]));
    return {
      plan,
      prices,
      meters: new Map(meters.map((meter) => [meter.id, meter])),
      entitlements: given.map((entitlement) => {
        const feature = featureOf.get(entitlement.featureId)!;
        return { entitlement, feature, meterId: feature.meterId ?? null };
      }),
      grants: await tx.em.find(CreditGrant, { ...ofPlan, ...offeredAt(wanted.at) }, inOrder),
      trialDays,
    };
  }

  /** The plan that a request's `price_id` belongs to. @throws Problem 404 with the field; so is one of a subscription. */
  async planOfPrice(tx: Tx, priceId: string): Promise<string> {
    const price = await tx.em.findOne(Price, { environmentId: tx.scope.environmentId, id: priceId });
    if (price?.status !== 'published' || !price.planId) throw unknownReference('price_id', priceId);
    return price.planId;
  }

  private save(tx: Tx, lookupKey: string | null | undefined): Promise<void> {
    return explainRefusal(tx.em.flush(), {
      plan_lookup_key: Problem.exists('lookup_key', `${lookupKey} belongs to another plan`),
    });
  }
}
