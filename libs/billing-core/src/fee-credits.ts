import { type Draw, type LotState, burn, emptyCover } from './burn-down.js';
import { Decimal, ZERO } from './decimal.js';

/** A lot of a wallet that may pay fees, usable now. */
export interface FeeLot extends LotState {
  /** it came with a plan */
  grant: boolean;
}

/** A fee as it is owed: money in whole minor units. */
export interface OwedFee {
  key: string;
  due: Decimal;
  /** the period it pays for; null = none */
  span: { start: Date; end: Date } | null;
}

/** What credits pay of a fee: money at full precision, and what is drawn for it in burn order. */
export interface PaidFee {
  key: string;
  covered: Decimal;
  draws: Draw[];
}

/**
 * Pays fees with credits, in the order given, from lots in burn order, never more than `limit` (what the invoice asks:
 * money it gives back is not drawn again). MEANING "Lots, burn order, balances": fees are paid "in the same order, from
 * lots usable then and unheld, never from a plan grant of the period the fee pays for". Fees nothing pays are left out.
 */
export function payFees(fees: readonly OwedFee[], lots: readonly FeeLot[], limit: Decimal): PaidFee[] {
  const open = lots.map((lot) => ({ ...lot }));
  const paid: PaidFee[] = [];
  let left = limit;
  for (const { key, due, span } of fees) {
    const cost = Decimal.min(due, left);
    const usable = open.filter((lot) => !isOwnGrant(lot, span));
    if (cost.lte(ZERO) || usable.length === 0) continue;
    const { cover, draws } = burn(emptyCover(), cost, usable, usable[0]!.rate);
    for (const { lotId, credits } of draws) {
      const lot = open.find(({ id }) => id === lotId)!;
      lot.remaining = lot.remaining.minus(credits);
    }
    if (cover.covered.gt(ZERO)) paid.push({ key, covered: cover.covered, draws });
    left = left.minus(cover.covered);
  }
  return paid;
}

function isOwnGrant({ grant, effectiveAt }: FeeLot, span: OwedFee['span']): boolean {
  return grant && span !== null && effectiveAt >= span.start && effectiveAt < span.end;
}
