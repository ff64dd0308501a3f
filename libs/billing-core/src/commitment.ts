import { Decimal, ONE, ZERO, round12 } from './decimal.js';
import { type UnitPrice, priceOf } from './price.js';

/** A promise to use so much in a period. */
export interface Commitment {
  /** money promised for the period, above 0 (of a promised quantity: `commitmentAmount`) */
  amount: Decimal;
  /** what usage beyond the promise costs times its price; 1 or more */
  overageFactor: Decimal;
  /** whether what was promised and not used is charged */
  trueUp: boolean;
}

/** What a commitment comes to when the period closes. All money, 12 places. */
export interface CommitmentResult {
  /** what was promised of the period */
  promised: Decimal;
  /** usage within the promise */
  utilized: Decimal;
  /** what usage beyond the promise costs in all: beyond x factor */
  overage: Decimal;
  /** the line added for it: what the factor adds to what the usage lines charge already */
  surcharge: Decimal;
  /** the line added for what was promised and not used */
  trueUp: Decimal;
}

/** What a line of a commitment charges, and what the period came to in all. */
export interface CommitmentPart extends CommitmentResult {
  kind: 'overage' | 'true_up';
}

/**
 * What a commitment adds to a period in which usage accrued `usage` money: usage beyond the promise costs its price
 * times the factor, and with true-up the unused rest of the promise is charged. `usage + surcharge + trueUp` is what
 * the period costs. MEANING "Lots, burn order, balances": "Commitment overage and true-up are lines added at close and
 * count as fees". `share` (0 to 1) is the part of a full period that a partial one is, of which so much was promised.
 */
export function settleCommitment(commitment: Commitment, usage: Decimal, share: Decimal = ONE): CommitmentResult {
  const promised = round12(commitment.amount.times(share));
  const beyond = Decimal.max(usage.minus(promised), ZERO);
  const unused = Decimal.max(promised.minus(usage), ZERO);
  const overage = round12(beyond.times(commitment.overageFactor));
  return {
    promised,
    utilized: Decimal.min(usage, promised),
    overage,
    surcharge: overage.minus(beyond),
    trueUp: commitment.trueUp ? unused : ZERO,
  };
}

/** The money of a promised quantity: what so many units cost. 12 places. */
export function commitmentAmount(price: UnitPrice, quantity: Decimal): Decimal {
  return round12(priceOf(price, quantity));
}
