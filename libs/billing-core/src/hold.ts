import { type AccrualRule, type AccrualState, accrue, accrueUntil } from './accrual.js';
import { type Burn, type BurnableLot, type Cover, type Draw, burn } from './burn-down.js';
import { Decimal, ZERO, ceil12 } from './decimal.js';
import type { UsageEvent } from './running-total.js';

/**
 * The money a hold costs on one meter: what the use would burn on top of the usage and the uses of open holds, never
 * below zero. A use counts as an event at its time, lasting to the period's end (WEIGHTED_SUM). MEANING "Authorization
 * and holds": "accrued(usage + uses of open holds + this) - accrued(usage + uses of open holds), never below zero".
 * A property that is missing or no number is a `problem`; a problem of an open hold's use is that use counting nothing.
 */
export function holdCost(
  rule: AccrualRule,
  state: AccrualState,
  open: readonly UsageEvent[],
  use: UsageEvent,
): { cost: Decimal; quantity: Decimal } | { problem: string } {
  const before = withUses(rule, state, open);
  const after = accrue(rule, before, use);
  if ('problem' in after) return after;
  const cost = accruedAtEnd(rule, after.state).minus(accruedAtEnd(rule, before));
  return { cost: Decimal.max(cost, ZERO), quantity: after.quantity };
}

/** The accrual as it would be with these uses: what authorization reads its limits from. */
export function withUses(rule: AccrualRule, state: AccrualState, uses: readonly UsageEvent[]): AccrualState {
  let next = state;
  for (const use of uses) {
    const used = accrue(rule, next, use);
    if (!('problem' in used)) next = used.state;
  }
  return next;
}

function accruedAtEnd(rule: AccrualRule, state: AccrualState): Decimal {
  return rule.span ? accrueUntil(rule, state, rule.span.end).accrued : new Decimal(state.accrued);
}

/** The credits that surely pay so much money: rounded up to 12 places, so that a capture of it never falls short. */
export function creditsFor(money: Decimal, rate: Decimal): Decimal {
  return ceil12(money.div(rate));
}

/**
 * Reserves credits from lots in the order given (see `burnOrder`), never more than a lot's remaining less held. The
 * caller adds the parts to the lots' `held`. `short` is what no lot had: above zero, authorization refuses. MEANING
 * "Authorization and holds": "what usable, unheld credits don't cover is refused".
 */
export function reserve(lots: readonly BurnableLot[], credits: Decimal): { held: Draw[]; short: Decimal } {
  const { cover, draws } = burn({ covered: ZERO, credits: ZERO, shortfall: ZERO }, credits, lots, new Decimal(1));
  return { held: draws, short: cover.shortfall };
}

/**
 * Burns the cost of a captured use: its held credits first (past their expiry too), then `lots` in the order given,
 * whose `held` still includes this hold; what is held and not needed is released. The caller takes the draws off the
 * lots' `remaining` and all of `held` off their `held`. MEANING "Authorization and holds": "draws its held lots first;
 * more than held is taken as far as credits allow, the rest is shortfall; less is released".
 */
export function capture(
  cover: Cover,
  cost: Decimal,
  held: readonly Draw[],
  lots: readonly BurnableLot[],
  rate: Decimal,
): Burn & { released: Draw[] } {
  const reserved = held.map(({ lotId, credits }) => ({ id: lotId, remaining: credits, held: ZERO }));
  const { cover: after, draws } = burn(cover, cost, [...reserved, ...lots], rate);
  const released = held.map(({ lotId, credits }, place) => {
    const drawn = draws[place]?.lotId === lotId ? draws[place].credits : ZERO;
    return { lotId, credits: Decimal.max(credits.minus(drawn), ZERO) };
  });
  return { cover: after, draws: byLot(draws), released: released.filter(({ credits }) => credits.gt(ZERO)) };
}

/** One draw per lot, in the order of their first. */
function byLot(draws: readonly Draw[]): Draw[] {
  const lots = new Map<string, Decimal>();
  for (const { lotId, credits } of draws) lots.set(lotId, credits.plus(lots.get(lotId) ?? ZERO));
  return [...lots].map(([lotId, credits]) => ({ lotId, credits }));
}
