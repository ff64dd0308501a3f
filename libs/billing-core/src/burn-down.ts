import { Decimal, ONE, ZERO, ceil12, floor12, round12 } from './decimal.js';

/** Credits granted at one time, as the burn sees them. A lot has `remaining` credits, of which `held` are reserved. */
export interface LotState {
  id: string;
  walletId: string;
  /** lower burns first; null burns after all numbers */
  priority: number | null;
  effectiveAt: Date;
  /** unusable for events at or after this instant; null = never expires */
  expiresAt: Date | null;
  purchased: boolean;
  createdAt: Date;
  remaining: Decimal;
  held: Decimal;
  /** money = credits x rate */
  rate: Decimal;
}

/**
 * What a line item's accrued money of one period is covered by. `covered + shortfall` is what accrued, and
 * `credits = round12(covered / rate)` always, so that nothing drifts.
 */
export interface Cover {
  /** money that credits paid */
  covered: Decimal;
  /** credits drawn for it */
  credits: Decimal;
  /** money no lot covered */
  shortfall: Decimal;
}

/** Credits taken from a lot or given back to it; always above zero. */
export interface Draw {
  lotId: string;
  credits: Decimal;
}

/** A cover after burning, and what was drawn for it in burn order. */
export interface Burn {
  cover: Cover;
  draws: Draw[];
}

/** What burning needs of a lot. */
export type BurnableLot = Pick<LotState, 'id' | 'remaining' | 'held'>;

/** The cover of a line item that has burnt nothing. */
export function emptyCover(): Cover {
  return { covered: ZERO, credits: ZERO, shortfall: ZERO };
}

/**
 * Lots in the order in which they are burnt. MEANING "Lots, burn order, balances": "priority (lower first, none last),
 * expiry (sooner first, none last), free before purchased, older first, id". Older = took effect earlier, then was
 * created earlier. A total order: it does not depend on the order given.
 */
export function burnOrder<L extends Omit<LotState, 'remaining' | 'held' | 'rate' | 'walletId'>>(
  lots: readonly L[],
): L[] {
  return lots.toSorted(
    (a, b) =>
      noneLast(a.priority, b.priority) ||
      noneLast(a.expiresAt?.getTime() ?? null, b.expiresAt?.getTime() ?? null) ||
      Number(a.purchased) - Number(b.purchased) ||
      a.effectiveAt.getTime() - b.effectiveAt.getTime() ||
      a.createdAt.getTime() - b.createdAt.getTime() ||
      (a.id < b.id ? -1 : Number(a.id > b.id)),
  );
}

function noneLast(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}

/**
 * Whether a lot may pay an event. MEANING "Lots, burn order, balances": "if it is not expired at the event's time and
 * took effect before the end of the event's period".
 */
export function mayPay(lot: Pick<LotState, 'effectiveAt' | 'expiresAt'>, eventAt: Date, periodEnd: Date): boolean {
  return (lot.expiresAt === null || eventAt < lot.expiresAt) && lot.effectiveAt < periodEnd;
}

/**
 * Burns `cost` (money, 0 or more): draws credits from `lots` in the order given (see `burnOrder`), never more than a
 * lot's remaining less held, and adds the rest to the shortfall. `rate` is above 0. Burning a then b is burning a + b.
 * Lots cover no more money than their credits are worth, so with a rate that does not divide evenly the last 1e-12 of
 * money may fall short. The caller takes the draws off its lots. MEANING "Lots, burn order, balances": "What no lot
 * covers is shortfall". Throws RangeError for a negative cost.
 */
export function burn(cover: Cover, cost: Decimal, lots: readonly BurnableLot[], rate: Decimal): Burn {
  if (cost.lt(ZERO)) throw new RangeError('a burn costs zero or more; a decrease is given back');
  if (cost.isZero()) return { cover, draws: [] };
  const owed = cover.covered.plus(cost);
  const found = gather(lots, ceil12(inCredits(owed, rate)).minus(cover.credits));
  const worth = floor12(cover.credits.plus(found.credits).times(rate));
  const covered = Decimal.max(cover.covered, Decimal.min(worth, owed));
  const credits = round12(inCredits(covered, rate));
  return {
    cover: { covered, credits, shortfall: cover.shortfall.plus(owed.minus(covered)) },
    draws: lastDrawnFirst(found.draws, cover.credits.plus(found.credits).minus(credits)).kept,
  };
}

/** Money as credits, exact; most wallets have the rate 1, and a division is what a burn costs most. */
function inCredits(money: Decimal, rate: Decimal): Decimal {
  return rate.eq(ONE) ? money : money.div(rate);
}

/** Unheld credits of the lots in their order, up to `wanted`. */
function gather(lots: readonly BurnableLot[], wanted: Decimal): { draws: Draw[]; credits: Decimal } {
  const draws: Draw[] = [];
  let credits = ZERO;
  for (const lot of lots) {
    if (credits.gte(wanted)) break;
    const taken = Decimal.min(wanted.minus(credits), lot.remaining.minus(lot.held));
    if (taken.lte(ZERO)) continue;
    draws.push({ lotId: lot.id, credits: taken });
    credits = credits.plus(taken);
  }
  return { draws, credits };
}

/**
 * A decrease of accrued money by `amount` (0 or more): lowers the shortfall first, then undoes draws, last drawn first.
 * `drawn` are this item's net draws, oldest first. The caller adds the returns to its lots.
 * MEANING "Usage and accrual": "A decrease first lowers the item's shortfall, then undoes draws, last drawn first".
 * Throws RangeError when more is given back than had accrued, or when the draws do not hold the credits.
 */
export function giveBack(
  cover: Cover,
  amount: Decimal,
  drawn: readonly Draw[],
  rate: Decimal,
): { cover: Cover; returns: Draw[] } {
  const fromShortfall = Decimal.min(amount, cover.shortfall);
  const covered = cover.covered.minus(amount.minus(fromShortfall));
  if (amount.lt(ZERO) || covered.lt(ZERO)) throw new RangeError('no more can be given back than had accrued');
  const credits = round12(inCredits(covered, rate));
  const { undone, missing } = lastDrawnFirst(drawn, cover.credits.minus(credits));
  if (missing.gt(ZERO)) throw new RangeError('the draws do not add up to the credits of their cover');
  return { cover: { covered, credits, shortfall: cover.shortfall.minus(fromShortfall) }, returns: undone };
}

/**
 * Lets `lots` pay an existing shortfall. MEANING "Lots, burn order, balances": "no line item keeps a shortfall of an
 * open period that an unheld lot may pay".
 */
export function payDown(cover: Cover, lots: readonly BurnableLot[], rate: Decimal): Burn {
  return burn({ ...cover, shortfall: ZERO }, cover.shortfall, lots, rate);
}

/** Takes `credits` back out of draws, from the last one on. */
function lastDrawnFirst(draws: readonly Draw[], credits: Decimal): { kept: Draw[]; undone: Draw[]; missing: Decimal } {
  const kept = [...draws];
  const undone: Draw[] = [];
  let missing = credits;
  while (missing.gt(ZERO) && kept.length > 0) {
    const last = kept.pop()!;
    const back = Decimal.min(missing, last.credits);
    undone.push({ lotId: last.lotId, credits: back });
    if (back.lt(last.credits)) kept.push({ lotId: last.lotId, credits: last.credits.minus(back) });
    missing = missing.minus(back);
  }
  return { kept, undone, missing };
}
