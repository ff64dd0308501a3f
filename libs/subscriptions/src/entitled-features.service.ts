import { FeaturesService } from '@drawdown/features';
import type { Tx } from '@drawdown/platform';
import { EntitlementsService, PlansService, type Plan } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { aggregated, type AggregatedFeature, type EntitlementSource } from './aggregated-feature.js';
import { SubscriptionEntitlement } from './subscription-entitlement.entity.js';
import type { Subscription } from './subscription.entity.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** What customers may use: metered entitlements as each subscription copied them, boolean and static ones as plans have them. */
@Injectable()
export class EntitledFeatures {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly plans: PlansService,
    private readonly entitlements: EntitlementsService,
    private readonly features: FeaturesService,
  ) {}

  /** Over all of a customer's running subscriptions. `featureIds` narrows; without it, all. */
  async ofCustomer(tx: Tx, customerId: string, featureIds?: readonly string[]): Promise<AggregatedFeature[]> {
    return this.of(tx, await this.subscriptions.running(tx, customerId), featureIds);
  }

  /** Of these subscriptions, in whatever state they are. */
  async of(
    tx: Tx,
    subscriptions: readonly Subscription[],
    featureIds?: readonly string[],
  ): Promise<AggregatedFeature[]> {
    const sources = await this.sources(tx, subscriptions);
    const ids = [...new Set(sources.map(({ featureId }) => featureId))];
    const wanted = featureIds ? ids.filter((id) => featureIds.includes(id)) : ids;
    const features = await this.features.find(tx, wanted);
    const meterIds = features.flatMap(({ meterId }) => meterId ?? []);
    const meters = new Map((await this.features.meters(tx, meterIds)).map((meter) => [meter.id, meter]));
    const featureOf = new Map(features.map((feature) => [feature.id, feature]));
    return wanted.map((id) => {
      const feature = featureOf.get(id)!;
      const ofFeature = sources.filter(({ featureId }) => featureId === id);
      const meter = meters.get(feature.meterId ?? '') ?? null;
      return { feature, meter, entitlement: aggregated(ofFeature), sources: ofFeature };
    });
  }

  private async sources(tx: Tx, subscriptions: readonly Subscription[]): Promise<EntitlementSource[]> {
    const planIds = [...new Set(subscriptions.map(({ planId }) => planId))];
    const plans = new Map((await this.plans.find(tx, planIds)).map((plan) => [plan.id, plan]));
    const copies = await tx.em.find(
      SubscriptionEntitlement,
      { environmentId: tx.scope.environmentId, subscriptionId: { $in: subscriptions.map(({ id }) => id) } },
      { orderBy: { entitlementId: 'asc' } },
    );
    const live = await this.entitlements.ofPlans(tx, planIds);
    return subscriptions.flatMap((subscription) => {
      const giver = giverOf(subscription, plans.get(subscription.planId)!);
      const metered = copies.filter(({ subscriptionId }) => subscriptionId === subscription.id);
      const others = live.filter(
        ({ planId, featureType }) => planId === subscription.planId && featureType !== 'metered',
      );
      return [
        ...metered.map((copy) => ({ ...giver, ...termsOf(copy), entitlementId: copy.entitlementId })),
        ...others.map((entitlement) => ({ ...giver, ...termsOf(entitlement), entitlementId: entitlement.id })),
      ];
    });
  }
}

const giverOf = (subscription: Subscription, plan: Plan) => ({
  subscriptionId: subscription.id,
  planId: plan.id,
  planName: plan.name,
});

interface Terms {
  readonly featureId: string;
  readonly isEnabled: boolean;
  readonly isSoftLimit: boolean;
  readonly usageLimit?: EntitlementSource['usageLimit'];
  readonly usageResetPeriod?: string | null;
  readonly staticValue?: string | null;
}

const termsOf = (terms: Terms) => ({
  featureId: terms.featureId,
  isEnabled: terms.isEnabled,
  isSoftLimit: terms.isSoftLimit,
  usageLimit: terms.usageLimit ?? null,
  usageResetPeriod: terms.usageResetPeriod ?? null,
  staticValue: terms.staticValue ?? null,
});
