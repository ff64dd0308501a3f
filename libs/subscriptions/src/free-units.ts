import {
  sum,
  validateAllowanceWindow,
  ZERO,
  type Allowance,
  type Meter,
  type WindowPeriod,
} from '@drawdown/billing-core';
import { copyOfAllowance } from './rule-copy.js';
import type { SubscriptionEntitlement } from './subscription-entitlement.entity.js';
import type { Subscription } from './subscription.entity.js';

/** A metered entitlement, and the meter that it is of. */
export interface MeterEntitlement {
  readonly entitlement: Pick<SubscriptionEntitlement, 'isEnabled' | 'usageLimit' | 'usageResetPeriod'>;
  readonly meterId: string | null;
}

/** The free units of a meter, as an item's rule has them. */
export const copyOfFreeUnits = (meterId: string, entitlements: readonly MeterEntitlement[]) => ({
  allowance: copyOfAllowance(allowanceOf(entitlements, meterId)),
  window: windowOf(entitlements, meterId),
});

/**
 * The free units of a meter that the subscription prices (MEANING.md, "Allowances"): the limit of its entitlement, all
 * without a limit, none without an enabled entitlement. Features that share the meter add up.
 */
export function allowanceOf(entitlements: readonly MeterEntitlement[], meterId: string): Allowance {
  const enabled = entitlements.filter((one) => one.meterId === meterId && one.entitlement.isEnabled);
  if (enabled.length === 0) return null;
  const limits = enabled.map(({ entitlement }) => entitlement.usageLimit ?? null);
  return limits.includes(null) ? 'unlimited' : sum(limits.map((limit) => limit ?? ZERO));
}

/** The window of those free units; features that share the meter have one. Null = the billing period. */
export function windowOf(entitlements: readonly MeterEntitlement[], meterId: string): WindowPeriod | null {
  return windowsOf(entitlements, meterId)[0] ?? null;
}

/** The windows of all of them. */
export const windowsOf = (entitlements: readonly MeterEntitlement[], meterId: string): (WindowPeriod | null)[] =>
  entitlements
    .filter((one) => one.meterId === meterId && one.entitlement.isEnabled)
    .map(({ entitlement }) => (entitlement.usageResetPeriod ?? null) as WindowPeriod | null);

/** Why usage that the subscription's interval bills can't be free in these windows; null when it can. */
export function unfitWindow(
  meterId: string,
  meter: Meter,
  entitlements: readonly MeterEntitlement[],
  { billingPeriod, billingPeriodCount }: Pick<Subscription, 'billingPeriod' | 'billingPeriodCount'>,
): string | null {
  const problems = windowsOf(entitlements, meterId).flatMap((window) =>
    validateAllowanceWindow(meter, window, billingPeriod, billingPeriodCount),
  );
  return problems[0]?.message ?? null;
}
