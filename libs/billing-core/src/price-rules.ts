import { MAX_AMOUNT, ZERO } from './decimal.js';
import type { Decimal } from './decimal.js';
import type { Tier, UnitPrice } from './price.js';

/** What is wrong with one field, told in a sentence; the field is a path such as `tiers[1].up_to`. */
export interface Problem {
  field: string;
  message: string;
}

/**
 * What is wrong with a price, by the wire's field names; empty when nothing is. Amounts are 0 or more and fit
 * numeric(38,12), packages hold more than nothing, tiers rise without gap or overlap to one last tier without end.
 * MEANING "Decimals": "negative where senseless: refused with the field's name".
 */
export function validatePrice(price: UnitPrice): Problem[] {
  const problems = price.minQuantity ? amountProblems('min_quantity', price.minQuantity) : [];
  switch (price.model) {
    case 'FLAT_FEE':
      return [...problems, ...amountProblems('amount', price.amount)];
    case 'PACKAGE':
      return [
        ...problems,
        ...amountProblems('amount', price.amount),
        ...(price.divideBy.gt(ZERO)
          ? amountProblems('transform_quantity.divide_by', price.divideBy)
          : [{ field: 'transform_quantity.divide_by', message: 'a package holds more than 0 units' }]),
      ];
    case 'TIERED':
      return [...problems, ...tierProblems(price.tiers)];
  }
}

function tierProblems(tiers: readonly Tier[]): Problem[] {
  if (tiers.length === 0) return [{ field: 'tiers', message: 'a tiered price needs at least one tier' }];
  return tiers.flatMap((tier, place) => {
    const path = `tiers[${place}]`;
    const flat = tier.flatAmount ? amountProblems(`${path}.flat_amount`, tier.flatAmount) : [];
    return [...upToProblems(tiers, place), ...amountProblems(`${path}.unit_amount`, tier.unitAmount), ...flat];
  });
}

function upToProblems(tiers: readonly Tier[], place: number): Problem[] {
  const field = `tiers[${place}].up_to`;
  const upTo = tiers[place]!.upTo;
  const last = place === tiers.length - 1;
  if (upTo === null) {
    return last ? [] : [{ field, message: 'only the last tier has no end: those behind it are never reached' }];
  }
  if (last) return [{ field, message: 'the last tier has no end: leave up_to out' }];
  const below = place === 0 ? ZERO : (tiers[place - 1]!.upTo ?? upTo);
  if (upTo.gt(below)) return amountProblems(field, upTo);
  const message =
    place === 0 ? 'a tier ends above 0' : `up_to must rise: ${upTo.toString()} does not end above ${below.toString()}`;
  return [{ field, message }];
}

function amountProblems(field: string, amount: Decimal): Problem[] {
  if (!amount.isFinite()) return [{ field, message: 'must be a number' }];
  if (amount.lt(ZERO)) return [{ field, message: 'must not be negative' }];
  if (amount.gt(MAX_AMOUNT) || amount.decimalPlaces() > 12) {
    return [{ field, message: 'has more than 26 integer digits or 12 decimal places' }];
  }
  return [];
}
