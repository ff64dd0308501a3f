import { Decimal } from '@drawdown/billing-core';
import type { Feature, FeatureType } from '@drawdown/features';
import { Problem } from '@drawdown/platform';
import type { Entitlement } from './entitlement.entity.js';
import type { CreateEntitlementBody, EntitlementTerms } from './entitlements.dto.js';
import { assertSupported, supportedOwners } from './supported.js';

type Terms = Pick<Entitlement, 'isEnabled' | 'isSoftLimit' | 'usageLimit' | 'usageResetPeriod' | 'staticValue'>;

/** What an entitlement gives that says nothing: the feature, without limit. */
export const wholeFeature: Terms = {
  isEnabled: true,
  isSoftLimit: false,
  usageLimit: null,
  usageResetPeriod: null,
  staticValue: null,
};

/** The plan, by either way to name it. @throws Problem 400 when none or two are named, or something else than a plan. */
export function planIdOf(body: CreateEntitlementBody): string {
  assertSupported('entity_type', body.entity_type, supportedOwners);
  const { plan_id: planId, entity_id: entityId } = body;
  if (!planId && !entityId) throw Problem.invalid('plan_id', 'is required');
  if (planId && entityId && planId !== entityId) throw Problem.invalid('entity_id', 'differs from plan_id');
  return (planId ?? entityId)!;
}

/** @throws Problem 400 when the request takes the feature for another kind than it is. */
export function assertFeatureType(feature: Feature, wanted: FeatureType | null | undefined): void {
  if (wanted && wanted !== feature.type) {
    throw Problem.invalid('feature_type', `is ${wanted}, but feature ${feature.id} is ${feature.type}`);
  }
}

/** The terms after a request: what it leaves out stays. @throws Problem 400 for terms the feature can't have. */
export function termsOf(type: FeatureType, body: EntitlementTerms, before: Terms): Terms {
  const { usage_limit: limit, usage_reset_period: reset, static_value: value } = body;
  const terms = {
    isEnabled: body.is_enabled ?? before.isEnabled,
    isSoftLimit: body.is_soft_limit ?? before.isSoftLimit,
    usageLimit: limit === undefined ? before.usageLimit : limit === null ? null : new Decimal(limit),
    usageResetPeriod: reset === undefined ? before.usageResetPeriod : reset,
    staticValue: value === undefined ? before.staticValue : value,
  };
  if (type === 'static' && !terms.staticValue) {
    throw Problem.invalid('static_value', 'is required for a static feature');
  }
  const senseless = [
    ['static_value', type !== 'static' && terms.staticValue],
    ['usage_limit', type !== 'metered' && terms.usageLimit],
    ['usage_reset_period', type !== 'metered' && terms.usageResetPeriod],
    ['is_soft_limit', type !== 'metered' && terms.isSoftLimit],
  ].find(([, given]) => given);
  if (senseless) throw Problem.invalid(String(senseless[0]), `makes no sense for a ${type} feature`);
  return terms;
}
