import { FeaturesService } from '@drawdown/features';
import { newId, type Tx } from '@drawdown/platform';
import type { Entitlement, Offer } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { AgreedOffer } from './copies.js';
import { copyOfFreeUnits, unfitWindow, type MeterEntitlement } from './free-units.js';
import { runsAt, type LineItem } from './line-item.entity.js';
import { SubscriptionEntitlement } from './subscription-entitlement.entity.js';
import type { Subscription } from './subscription.entity.js';
import { successorOf } from './successor.js';

/** A subscription's own copies of entitlements: of all metered ones of its plan, and of those agreed otherwise. */
@Injectable()
export class OwnEntitlements {
  constructor(private readonly features: FeaturesService) {}

  copy(tx: Tx, subscription: Subscription, offer: AgreedOffer): void {
    for (const { entitlement, agreed = false } of offer.entitlements) {
      if (isMetered(entitlement) || agreed) create(tx, subscription, entitlement, agreed);
    }
  }

  /** Takes over what the plan gives now, but for what was agreed otherwise. */
  async sync(tx: Tx, subscription: Subscription, offer: Offer): Promise<void> {
    const left = new Map(offer.entitlements.map(({ entitlement }) => [entitlement.id, entitlement]));
    for (const own of await held(tx, subscription.id)) {
      const given = left.get(own.entitlementId);
      left.delete(own.entitlementId);
      if (own.agreed) continue;
      if (given) tx.em.assign(own, termsOf(given));
      else tx.em.remove(own);
    }
    for (const entitlement of left.values()) if (isMetered(entitlement)) create(tx, subscription, entitlement, false);
    await tx.em.flush();
  }

  /** With the meters they are of; null of a feature without one. */
  async ofMeters(tx: Tx, subscriptionId: string): Promise<MeterEntitlement[]> {
    await tx.em.flush();
    const given = await held(tx, subscriptionId);
    const ids = given.map(({ featureId }) => featureId);
    const meterOf = new Map((await this.features.find(tx, ids)).map(({ id, meterId }) => [id, meterId]));
    return given.map((entitlement) => ({ entitlement, meterId: meterOf.get(entitlement.featureId) ?? null }));
  }

  /**
   * Usage items that run at `at` and have other free units than the subscription gives by now end there, and others with
   * the same terms begin. One whose meter they can't be told of in time keeps what it has.
   */
  async refresh(
    tx: Tx,
    subscription: Subscription,
    items: readonly LineItem[],
    at: Date,
  ): Promise<{ ended: LineItem[]; begun: LineItem[] }> {
    const entitlements = await this.ofMeters(tx, subscription.id);
    const ended = items.filter(
      (item) =>
        item.meterId &&
        runsAt(item, at) &&
        !isDeepStrictEqual({ ...item.rule, ...copyOfFreeUnits(item.meterId, entitlements) }, item.rule) &&
        !unfitWindow(item.meterId, item.rule.meter!, entitlements, subscription),
    );
    const begun = ended.map((item) => {
      const next = successorOf(tx, item, at);
      next.rule = { ...item.rule, ...copyOfFreeUnits(item.meterId!, entitlements) };
      return next;
    });
    return { ended, begun };
  }

  /** Those of the plan that is left; the new plan's come with its offer. */
  async leave(tx: Tx, { id: subscriptionId }: Subscription): Promise<void> {
    await tx.em.flush();
    await tx.em.nativeDelete(SubscriptionEntitlement, { environmentId: tx.scope.environmentId, subscriptionId });
  }
}

const held = (tx: Tx, subscriptionId: string): Promise<SubscriptionEntitlement[]> =>
  tx.em.find(SubscriptionEntitlement, { environmentId: tx.scope.environmentId, subscriptionId });

const isMetered = ({ featureType }: Entitlement): boolean => featureType === 'metered';

function create(tx: Tx, subscription: Subscription, entitlement: Entitlement, agreed: boolean): void {
  tx.em.create(SubscriptionEntitlement, {
    id: newId('sent'),
    ...tx.scope,
    subscriptionId: subscription.id,
    createdAt: tx.now,
    updatedAt: tx.now,
    entitlementId: entitlement.id,
    featureId: entitlement.featureId,
    agreed,
    ...termsOf(entitlement),
  });
}

const termsOf = (entitlement: Entitlement) => ({
  isEnabled: entitlement.isEnabled,
  isSoftLimit: entitlement.isSoftLimit,
  usageLimit: entitlement.usageLimit ?? null,
  usageResetPeriod: entitlement.usageResetPeriod ?? null,
  staticValue: entitlement.staticValue ?? null,
});
