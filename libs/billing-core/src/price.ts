import { type Decimal, ONE, ZERO } from './decimal.js';

/** A range of quantity with its own price: from beyond the tier before up to and with `upTo` (null = no end). */
export interface Tier {
  upTo: Decimal | null;
  unitAmount: Decimal;
  /** once for entering the tier */
  flatAmount: Decimal | null;
}

interface Minimum {
  /** what is billed at least as soon as anything is billed; null or missing = no minimum */
  minQuantity?: Decimal | null;
}
export interface FlatFee extends Minimum {
  model: 'FLAT_FEE';
  amount: Decimal;
}
export interface PackagePrice extends Minimum {
  model: 'PACKAGE';
  amount: Decimal;
  /** units in a package (`transform_quantity.divide_by`) */
  divideBy: Decimal;
  /** what a part of a package counts as (`transform_quantity.round`) */
  round: 'up' | 'down';
}
export interface TieredPrice extends Minimum {
  model: 'TIERED';
  tierMode: 'SLAB' | 'VOLUME';
  tiers: readonly Tier[];
}
/** What a quantity costs: money in the price's currency. */
export type UnitPrice = FlatFee | PackagePrice | TieredPrice;

/**
 * What `quantity` units cost, exactly (money, not yet rounded). Zero and less cost nothing. FLAT_FEE is the amount per
 * unit, PACKAGE the amount per started (up) or full (down) package, SLAB prices each unit in the tier it falls in,
 * VOLUME all units by the tier the whole quantity falls in; a flat amount is added once for a tier that is reached.
 * Beyond a last tier with an end, its unit amount goes on. MEANING "Usage and accrual": "Billable quantity below zero
 * is priced as zero".
 */
export function priceOf(price: UnitPrice, quantity: Decimal): Decimal {
  if (quantity.lte(ZERO)) return ZERO;
  const minimum = price.minQuantity ?? ZERO;
  const billed = quantity.lt(minimum) ? minimum : quantity;
  switch (price.model) {
    case 'FLAT_FEE':
      return price.amount.times(billed);
    case 'PACKAGE':
      return price.amount.times(packages(price, billed));
    case 'TIERED':
      return price.tierMode === 'SLAB' ? slab(price.tiers, billed) : volume(price.tiers, billed);
  }
}

function packages({ divideBy, round }: PackagePrice, quantity: Decimal): Decimal {
  const full = quantity.divToInt(divideBy);
  return round === 'up' && full.times(divideBy).lt(quantity) ? full.plus(ONE) : full;
}

function slab(tiers: readonly Tier[], quantity: Decimal): Decimal {
  let cost = ZERO;
  let from = ZERO;
  for (const [place, tier] of tiers.entries()) {
    if (quantity.lte(from)) break;
    const end = place === tiers.length - 1 ? null : tier.upTo;
    const to = end === null || quantity.lt(end) ? quantity : end;
    cost = cost.plus(to.minus(from).times(tier.unitAmount)).plus(tier.flatAmount ?? ZERO);
    from = to;
  }
  return cost;
}

function volume(tiers: readonly Tier[], quantity: Decimal): Decimal {
  const tier = tiers.find(({ upTo }) => upTo === null || quantity.lte(upTo)) ?? tiers.at(-1);
  return tier ? quantity.times(tier.unitAmount).plus(tier.flatAmount ?? ZERO) : ZERO;
}
