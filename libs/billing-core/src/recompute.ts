import type { AccrualReading, AccrualRule } from './accrual.js';
import { type Aggregation, propertyOf, quantityOf, scalarText } from './aggregate.js';
import { freeUnits, windowOf } from './allowance.js';
import { bucketStart } from './bucket.js';
import { Decimal, ZERO, round12, sum } from './decimal.js';
import { priceOf } from './price.js';
import type { UsageEvent } from './running-total.js';

/** An event with the quantity it brings. */
interface Counted extends UsageEvent {
  quantity: Decimal;
}

/**
 * What a period's accrual is by definition: from all its events, in any order, without stored state. It must say the
 * same as folding them one by one (`accrue`), and serves audit and simulation. `carriedEvents` are the events of the
 * periods before when usage is never reset; `until` is the time up to which WEIGHTED_SUM has accrued (missing: the
 * latest event). Events whose property is missing or no number count for nothing. MEANING "Usage and accrual".
 * Throws RangeError when the rule lacks the span that its window or WEIGHTED_SUM needs.
 */
export function recompute(
  rule: AccrualRule,
  events: readonly UsageEvent[],
  { carriedEvents = [], until }: { carriedEvents?: readonly UsageEvent[]; until?: Date } = {},
): AccrualReading {
  const own = counted(rule, events);
  if (rule.meter.aggregation.bucketSize) return byBucket(rule, own);
  const carried = rule.meter.resetUsage === 'NEVER' ? counted(rule, carriedEvents) : [];
  const quantity = aggregate(rule, carried, own, until);
  const free = rule.window ? freeInWindows(rule, carried, own) : freeUnits(quantity, rule.allowance, usedBefore(rule));
  const billable = Decimal.max(round12(quantity).minus(round12(free)), ZERO);
  const accrued = round12(priceOf(rule.price, quantity.minus(free)));
  return { quantity: round12(quantity), free: round12(free), billable, accrued };
}

/** The events that bring a quantity, by time and then by arrival. */
function counted(rule: AccrualRule, events: readonly UsageEvent[]): Counted[] {
  const counts: Counted[] = [];
  for (const event of events) {
    const sample = quantityOf(rule.meter, event);
    if (!('problem' in sample)) counts.push({ ...event, quantity: sample.quantity });
  }
  return counts.toSorted((a, b) => a.at.getTime() - b.at.getTime() || a.arrival - b.arrival);
}

function aggregate(rule: AccrualRule, carried: Counted[], own: Counted[], until: Date | undefined): Decimal {
  const { aggregation } = rule.meter;
  if (aggregation.type === 'WEIGHTED_SUM') return levelOverTime(rule, carried, own, until);
  return plainly(aggregation, [...carried, ...own]);
}

function plainly({ type, field }: Aggregation, events: Counted[]): Decimal {
  const quantities = events.map((event) => event.quantity);
  switch (type) {
    case 'COUNT':
      return new Decimal(events.length);
    case 'COUNT_UNIQUE':
      return new Decimal(new Set(events.map(({ properties }) => scalarText(propertyOf(properties, field ?? '')))).size);
    case 'AVG':
      return events.length === 0 ? ZERO : sum(quantities).div(events.length);
    case 'MAX':
      return events.length === 0 ? ZERO : Decimal.max(...quantities);
    case 'LATEST':
      return quantities.at(-1) ?? ZERO;
    case 'SUM':
    case 'SUM_WITH_MULTIPLIER':
    case 'WEIGHTED_SUM':
      return sum(quantities);
  }
}

/** The level between two changes, times the time between them, over the whole period's length. */
function levelOverTime(rule: AccrualRule, carried: Counted[], own: Counted[], until: Date | undefined): Decimal {
  if (!rule.span) throw new RangeError('WEIGHTED_SUM needs the span of its period');
  const whole = rule.whole ?? rule.span;
  const end = until?.getTime() ?? own.at(-1)?.at.getTime() ?? rule.span.start.getTime();
  let level = sum(carried.map((event) => event.quantity));
  let area = ZERO;
  let from = rule.span.start.getTime();
  for (const { at, quantity } of own) {
    area = area.plus(level.times(at.getTime() - from));
    level = level.plus(quantity);
    from = at.getTime();
  }
  area = area.plus(level.times(end - from));
  return area.div(whole.end.getTime() - whole.start.getTime());
}

function freeInWindows(rule: AccrualRule, carried: Counted[], own: Counted[]): Decimal {
  if (!rule.window || !rule.span) throw new RangeError('an allowance window needs the span of its line item');
  const { window } = rule;
  const first = windowOf(window, rule.span.start);
  const byWindow = groupedBy(own, ({ at }) => windowOf(window, at));
  byWindow.set(first, [...carried, ...(byWindow.get(first) ?? [])]);
  const free = [...byWindow].map(([number, events]) => {
    const units = sum(events.map((event) => event.quantity));
    return freeUnits(units, rule.allowance, number === first ? usedBefore(rule) : ZERO);
  });
  return sum(free);
}

function byBucket(rule: AccrualRule, own: Counted[]): AccrualReading {
  const { aggregation } = rule.meter;
  const buckets = groupedBy(own, ({ at }) => bucketStart(at, aggregation.bucketSize!, rule.zone ?? 'UTC').getTime());
  let reading: AccrualReading = { quantity: ZERO, free: ZERO, billable: ZERO, accrued: ZERO };
  for (const [, events] of [...buckets].toSorted(([a], [b]) => a - b)) {
    const quantity = bucketQuantity(aggregation, events);
    const free = freeUnits(quantity, rule.allowance, usedBefore(rule).plus(reading.free));
    const billable = Decimal.max(quantity.minus(free), ZERO);
    reading = {
      quantity: reading.quantity.plus(quantity),
      free: reading.free.plus(free),
      billable: reading.billable.plus(billable),
      accrued: reading.accrued.plus(priceOf(rule.price, billable)),
    };
  }
  return { ...reading, accrued: round12(reading.accrued) };
}

function bucketQuantity(aggregation: Aggregation, events: Counted[]): Decimal {
  const { groupBy } = aggregation;
  const groups = groupedBy(events, ({ properties }) => (groupBy && scalarText(propertyOf(properties, groupBy))) || '');
  return sum([...groups.values()].map((members) => plainly(aggregation, members)));
}

function groupedBy<K>(events: Counted[], keyOf: (event: Counted) => K): Map<K, Counted[]> {
  const groups = new Map<K, Counted[]>();
  for (const event of events) {
    const key = keyOf(event);
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return groups;
}

function usedBefore(rule: AccrualRule): Decimal {
  return rule.freeUsedBefore ?? ZERO;
}
