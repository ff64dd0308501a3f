import { FeaturesService } from '@drawdown/features';
import { createdWithin, explainRefusal, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { assertPricesFit } from './allowance-window.js';
import { eachItem } from './bulk.js';
import { Entitlement } from './entitlement.entity.js';
import { assertFeatureType, planIdOf, termsOf, wholeFeature } from './entitlement.rules.js';
import {
  entitlementView,
  type CreateEntitlementBody,
  type EntitlementSearchQuery,
  type EntitlementView,
  type UpdateEntitlementBody,
} from './entitlements.dto.js';
import { PlansService } from './plans.service.js';
import { unknownReference } from './reference.js';

/** What plans give of features. */
@Injectable()
export class EntitlementsService {
  constructor(
    private readonly plans: PlansService,
    private readonly features: FeaturesService,
  ) {}

  /**
   * @throws Problem 400 for terms the feature can't have, 404 for an unknown plan or feature, 409 when the plan has
   * one for the feature already.
   */
  async create(tx: Tx, body: CreateEntitlementBody): Promise<Entitlement> {
    const plan = await this.plans.referenced(tx, body.plan_id ? 'plan_id' : 'entity_id', planIdOf(body));
    const [feature] = await this.features.find(tx, [body.feature_id]);
    if (feature?.status !== 'published') throw unknownReference('feature_id', body.feature_id);
    assertFeatureType(feature, body.feature_type);
    await this.plans.lock(tx, plan.id);
    const terms = termsOf(feature.type, body, wholeFeature);
    await assertPricesFit(tx, this.features, { planId: plan.id, featureId: feature.id, ...terms });
    const entitlement = tx.em.create(Entitlement, {
      id: newId('ent'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      planId: plan.id,
      featureId: feature.id,
      featureType: feature.type,
      ...terms,
    });
    await explainRefusal(tx.em.flush(), {
      entitlement_of_plan: Problem.exists('feature_id', `${feature.id} is given by the plan already`),
      entitlement_live_plan: unknownReference('plan_id', plan.id),
      entitlement_live_feature: unknownReference('feature_id', feature.id),
    });
    return entitlement;
  }

  /** All or none. @throws Problem as `create`, naming the item. */
  createAll(tx: Tx, bodies: readonly CreateEntitlementBody[]): Promise<Entitlement[]> {
    return eachItem(bodies, (body) => this.create(tx, body));
  }

  /** @throws Problem 404, also for an archived one. */
  async get(tx: Tx, id: string): Promise<Entitlement> {
    const { environmentId } = tx.scope;
    const entitlement = await tx.em.findOne(Entitlement, { environmentId, id, status: 'published' });
    if (!entitlement) throw Problem.notFound('entitlement', id);
    return entitlement;
  }

  /** The published ones of plans, in the order they were made. */
  ofPlans(tx: Tx, planIds: readonly string[]): Promise<Entitlement[]> {
    const { environmentId } = tx.scope;
    return tx.em.find(
      Entitlement,
      { environmentId, planId: [...planIds], status: 'published' },
      { orderBy: { createdAt: 'asc', id: 'asc' } },
    );
  }

  async search(tx: Tx, query: EntitlementSearchQuery): Promise<[Entitlement[], number]> {
    if (query.entity_type && query.entity_type !== 'PLAN') return [[], 0];
    const { is_enabled: isEnabled, feature_type: featureType } = query;
    return tx.em.findAndCount(
      Entitlement,
      {
        environmentId: tx.scope.environmentId,
        status: (query.status ?? 'published') as Entitlement['status'],
        ...createdWithin(query),
        ...(query.feature_ids ? { featureId: query.feature_ids } : {}),
        ...(featureType ? { featureType } : {}),
        ...(isEnabled === undefined || isEnabled === null ? {} : { isEnabled }),
        $and: [query.plan_ids, query.entity_ids].flatMap((ids) => (ids ? [{ planId: ids }] : [])),
      },
      pageOptions(query),
    );
  }

  /** @throws Problem 404, 400 for terms the feature can't have. */
  async update(tx: Tx, id: string, body: UpdateEntitlementBody): Promise<Entitlement> {
    const entitlement = await this.get(tx, id);
    const terms = termsOf(entitlement.featureType, body, entitlement);
    await this.plans.lock(tx, entitlement.planId);
    await assertPricesFit(tx, this.features, {
      planId: entitlement.planId,
      featureId: entitlement.featureId,
      ...terms,
    });
    Object.assign(entitlement, terms, { updatedAt: tx.now });
    await tx.em.flush();
    return entitlement;
  }

  /** Archives it: the plan gives the feature no more. @throws Problem 404. */
  async remove(tx: Tx, id: string): Promise<void> {
    Object.assign(await this.get(tx, id), { status: 'archived', updatedAt: tx.now });
    await tx.em.flush();
  }

  /** An entitlement is always shown with its feature and that with its meter, with its plan where asked. */
  async views(
    tx: Tx,
    entitlements: readonly Entitlement[],
    options: { withPlans?: boolean } = {},
  ): Promise<EntitlementView[]> {
    const features = await this.features.find(
      tx,
      entitlements.map(({ featureId }) => featureId),
    );
    const meters = await this.features.meters(
      tx,
      features.flatMap(({ meterId }) => meterId ?? []),
    );
    const plans = options.withPlans
      ? await this.plans.find(
          tx,
          entitlements.map(({ planId }) => planId),
        )
      : [];
    const meterOf = new Map(meters.map((meter) => [meter.id, meter]));
    const planOf = new Map(plans.map((plan) => [plan.id, plan]));
    const entitled = new Map(
      features.map((feature) => [feature.id, { feature, meter: meterOf.get(feature.meterId ?? '') ?? null }]),
    );
    return entitlements.map((entitlement) =>
      entitlementView(entitlement, entitled.get(entitlement.featureId) ?? null, planOf.get(entitlement.planId)),
    );
  }
}
