import { type AccrualRule, type AccrualState, carryOver, freeUsedIn } from './accrual.js';
import { type Decimal, ZERO } from './decimal.js';
import { type RunningTotal, merge } from './running-total.js';

/** Usage of the same meter by the same subscription that came before, as it stands now. */
export interface PastUsage {
  rule: AccrualRule;
  state: AccrualState;
}

/** What a line item's period begins with: the total it is opened with, and free units that others have used. */
export interface Inheritance {
  carried: RunningTotal | null;
  freeUsedBefore: Decimal;
}

/**
 * What usage that begins at the start of `rule.span` inherits. `here` are the items before it in the same period,
 * `previous` all items of the period before, both oldest first.
 * A level (WEIGHTED_SUM) goes from item to item; any other total of a meter that is never reset goes from period to
 * period, and the items that a change of plan ended and began in one period share it. MEANING "Usage and accrual":
 * "`reset_usage: NEVER` carries the level into the next period"; "Periods": "the new count from zero, free units already
 * used in the window come off the new allowance". Throws RangeError when the rule lacks its span.
 */
export function inheritance(
  rule: AccrualRule,
  here: readonly PastUsage[],
  previous: readonly PastUsage[],
): Inheritance {
  if (!rule.span) throw new RangeError('what is inherited depends on the span of the line item');
  const { start } = rule.span;
  return { carried: carriedInto(rule, start, here, previous), freeUsedBefore: freeBefore(rule, start, here, previous) };
}

function carriedInto(
  rule: AccrualRule,
  start: Date,
  here: readonly PastUsage[],
  previous: readonly PastUsage[],
): RunningTotal | null {
  const { aggregation } = rule.meter;
  if (aggregation.type === 'WEIGHTED_SUM') {
    const last = here.at(-1) ?? previous.at(-1);
    return last ? known(carryOver(last.rule, last.state, start)) : null;
  }
  if (here.length > 0) return null;
  let carried: RunningTotal | null = null;
  for (const past of previous) {
    const handed = known(carryOver(past.rule, past.state, start));
    if (handed) carried = carried ? merge(aggregation, carried, handed) : handed;
  }
  return carried;
}

/** Nothing for a total of no events. */
function known(total: RunningTotal | null): RunningTotal | null {
  return total && Object.keys(total).length > 0 ? total : null;
}

function freeBefore(
  rule: AccrualRule,
  start: Date,
  here: readonly PastUsage[],
  previous: readonly PastUsage[],
): Decimal {
  const last = here.at(-1);
  if (last) return freeUsedIn(last.rule, last.state, start);
  const before = previous.at(-1);
  return before && sharesWindow(rule, before.rule) ? freeUsedIn(before.rule, before.state, start) : ZERO;
}

function sharesWindow({ window: a }: AccrualRule, { window: b }: AccrualRule): boolean {
  if (!a || !b || a.period !== b.period) return false;
  return a.period === 'NEVER' || a.anchor.getTime() === b.anchor.getTime();
}
