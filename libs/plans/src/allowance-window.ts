import { validateAllowanceWindow, type BillingPeriod } from '@drawdown/billing-core';
import { coreMeter, type FeaturesService, type Meter } from '@drawdown/features';
import { Problem, type Tx } from '@drawdown/platform';
import { Entitlement } from './entitlement.entity.js';
import { offeredAt } from './offered-span.js';
import { Price } from './price.entity.js';

interface Interval {
  readonly billingPeriod: BillingPeriod;
  readonly count: number;
}

/**
 * The limit of a metered entitlement is free units where the same plan prices the meter (MEANING, "Allowances").
 * @throws Problem 400 for a window in which usage that is billed every `interval` can't be free.
 */
export function assertWindow(meter: Meter, window: Entitlement['usageResetPeriod'], interval: Interval): void {
  const [wrong] = validateAllowanceWindow(coreMeter(meter), window ?? null, interval.billingPeriod, interval.count);
  if (wrong) throw Problem.invalid(wrong.field, `is wrong: ${wrong.message}`);
}

/** What a plan already gives of a meter that is going to be priced. @throws Problem 400 as `assertWindow`. */
export async function assertFreeUnitsFit(
  tx: Tx,
  features: FeaturesService,
  planId: string,
  meter: Meter,
  interval: Interval,
): Promise<void> {
  const { environmentId } = tx.scope;
  const given = await tx.em.find(Entitlement, { environmentId, planId, status: 'published', featureType: 'metered' });
  const counted = await features.find(
    tx,
    given.map(({ featureId }) => featureId),
  );
  const free = given.filter(
    ({ featureId, isEnabled }) =>
      isEnabled && counted.some(({ id, meterId }) => id === featureId && meterId === meter.id),
  );
  assertOneWindow(free.map(({ usageResetPeriod }) => usageResetPeriod ?? null));
  for (const { usageResetPeriod } of free) assertWindow(meter, usageResetPeriod, interval);
}

/** The prices a plan has of the meter of a feature it is going to give. @throws Problem 400 as `assertWindow`. */
export async function assertPricesFit(
  tx: Tx,
  features: FeaturesService,
  given: Pick<Entitlement, 'planId' | 'featureId' | 'isEnabled' | 'usageResetPeriod'>,
): Promise<void> {
  if (!given.isEnabled) return;
  const { environmentId } = tx.scope;
  const [feature] = await features.find(tx, [given.featureId]);
  const [meter] = await features.meters(tx, feature?.meterId ? [feature.meterId] : []);
  if (!meter) return;
  const { planId } = given;
  const prices = await tx.em.find(Price, { environmentId, planId, meterId: meter.id, ...offeredAt(tx.now) });
  if (prices.length === 0) return;
  const others = await otherWindows(tx, features, given, meter);
  assertOneWindow([given.usageResetPeriod ?? null, ...others]);
  for (const { billingPeriod, billingPeriodCount: count } of prices) {
    assertWindow(meter, given.usageResetPeriod, { billingPeriod, count });
  }
}

async function otherWindows(
  tx: Tx,
  features: FeaturesService,
  { planId, featureId }: Pick<Entitlement, 'planId' | 'featureId'>,
  meter: Meter,
): Promise<Entitlement['usageResetPeriod'][]> {
  const { environmentId } = tx.scope;
  const where = { environmentId, planId, status: 'published', featureType: 'metered', isEnabled: true } as const;
  const given = (await tx.em.find(Entitlement, where)).filter((one) => one.featureId !== featureId);
  const ids = given.map((one) => one.featureId);
  const sharing = (await features.find(tx, ids)).filter(({ meterId }) => meterId === meter.id).map(({ id }) => id);
  return given.filter((one) => sharing.includes(one.featureId)).map((one) => one.usageResetPeriod ?? null);
}

/** Features that share a meter add up their free units, so they have one window. @throws Problem 400. */
export function assertOneWindow(windows: readonly Entitlement['usageResetPeriod'][]): void {
  if (new Set(windows).size > 1) {
    throw Problem.invalid(
      'usage_reset_period',
      'differs between features that share a meter: they add up per one window',
    );
  }
}
