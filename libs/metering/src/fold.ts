import {
  accrue,
  accrueUntil,
  inheritance,
  isSameTotal,
  matches,
  MAX_AMOUNT,
  reopen,
  text,
  ZERO,
  type AccrualChange,
  type AccrualRule,
  type AccrualState,
  type Decimal,
  type Draw,
  type Properties,
} from '@drawdown/billing-core';
import type { UsageItem } from '@drawdown/subscriptions';
import { unattributed, unbilled } from './attribution.js';
import { Coverage, type Credits } from './coverage.js';
import { accrualKey, ruleOf, type OpenAccrual } from './open-accrual.js';
import { UsageChains } from './usage-chains.js';
import type { Attribution, UnbilledReason } from './usage-event.entity.js';

/** An event of a known customer, as the fold takes it. */
export interface FoldableEvent {
  readonly customerId: string;
  readonly eventName: string;
  readonly at: Date;
  readonly properties: Properties;
}

/** What became of an event. */
export interface Folded {
  readonly attribution: readonly Attribution[];
  readonly creditsBurned: Decimal;
  /** Null when it was billed on a line item. */
  readonly reason: UnbilledReason | null;
}

/** A line item in its period with the rule by which it counts now, and what it has counted. */
export interface UsageBasis {
  readonly item: UsageItem;
  readonly rule: AccrualRule;
  readonly state: AccrualState;
}

/** Whether an event counts on an item: at its time, if its meter matches. */
export const countsOn = (item: UsageItem, event: Omit<FoldableEvent, 'customerId'>): boolean =>
  item.itemStart <= event.at &&
  (item.itemEnd === null || event.at < item.itemEnd) &&
  item.period.start <= event.at &&
  event.at < item.period.end &&
  matches(item.rule.meter, event);

/**
 * Folds usage one event at a time, each taking its own difference (MEANING "Usage and accrual"); a transaction shares
 * only the statements. Works on copies and records nothing: its `coverage` says what is to be recorded.
 */
export class UsageFold {
  private readonly items: ReadonlyMap<string, readonly UsageItem[]>;
  private readonly chains: UsageChains;
  /** Accruals by the items that asked for them. */
  private readonly found = new Map<UsageItem, OpenAccrual>();
  /** Who pays for it. */
  readonly coverage: Coverage;

  /**
   * @param accruals by `accrualKey`: those of the items' periods, and every open shortfall of the customers.
   * @param links items before and after those that stand in a chain: no event counts on them, but what does may change them.
   */
  constructor(
    items: readonly UsageItem[],
    private readonly accruals: ReadonlyMap<string, OpenAccrual>,
    credits: Credits,
    links: readonly UsageItem[] = [],
  ) {
    this.items = Map.groupBy(items, (item) => item.customerId);
    this.chains = new UsageChains([...items.filter((item) => item.chained), ...links]);
    this.coverage = new Coverage(accruals.values(), credits);
  }

  /** @param asOf the instant as whose state this happens: returned credits pay what their lots may pay then. */
  fold(event: FoldableEvent, asOf: Date): Folded {
    const attribution = this.matching(event).flatMap((item) => this.foldOn(item, event, asOf));
    const billed = attribution.some((one) => !one.reason);
    return {
      attribution,
      creditsBurned: attribution.reduce((total, one) => total.plus(one.credits), ZERO),
      reason: billed ? null : (attribution[0]?.reason ?? 'no_match'),
    };
  }

  /**
   * Folds the event of a captured hold: it draws what the hold keeps first, and what is not needed is free again and
   * pays open shortfalls (MEANING "Authorization and holds").
   * @param held what the hold keeps, by currency, in burn order.
   */
  capture(event: FoldableEvent, asOf: Date, held: ReadonlyMap<string, readonly Draw[]>): Folded {
    return this.coverage.capturing(event.customerId, held, asOf, () => this.fold(event, asOf));
  }

  /** What an event would count on now, and by what. */
  basisOf(event: FoldableEvent): UsageBasis[] {
    return this.matching(event).flatMap((item) => {
      const accrual = this.accrualOf(item);
      if (accrual.period.closed || accrual.period.settled) return [];
      return [{ item, rule: ruleOf(item, accrual), state: accrual.state }];
    });
  }

  /** Money no credits have covered of the customer's loaded usage, over all currencies: to tell what a step adds. */
  shortfallOf(customerId: string): Decimal {
    const own = [...this.accruals.values()].filter((accrual) => accrual.customerId === customerId);
    return own.reduce((total, { cover }) => total.plus(cover.shortfall), ZERO);
  }

  private matching(event: FoldableEvent): UsageItem[] {
    return (this.items.get(event.customerId) ?? []).filter((item) => countsOn(item, event));
  }

  /**
   * Lets time pass and periods open: levels accrue until `at`, and what goes on from one period or item to the next is
   * carried over (MEANING "Usage and accrual").
   */
  settle(at: Date): void {
    for (const item of [...this.items.values()].flat()) {
      if (item.chained) this.withoutEvent(item, this.inherit(item, at));
      if (item.rule.meter.aggregation.type !== 'WEIGHTED_SUM' || item.rule.span!.start > at) continue;
      const accrual = this.accrualOf(item);
      if (accrual.period.settled) continue;
      const change = accrueUntil(ruleOf(item, accrual), accrual.state, at);
      this.withoutEvent(item, this.take(item, change, this.payableAt(accrual, at), at));
      for (const next of this.chains.after(item)) this.withoutEvent(next, this.inherit(next, at));
    }
  }

  /** What an event does on an item, and on those after it that begin with something else now. */
  private foldOn(item: UsageItem, event: FoldableEvent, asOf: Date): Attribution[] {
    const accrual = this.accrualOf(item);
    if (accrual.period.settled && !item.running) return [unbilled(item, 'period_settled')];
    if (item.chained) this.withoutEvent(item, this.inherit(item, event.at));
    const arrival = accrual.events + 1;
    const rule = ruleOf(item, accrual);
    const change = accrue(rule, accrual.state, { at: event.at, arrival, properties: event.properties });
    if ('problem' in change) return [{ ...unbilled(item, 'bad_property'), problem: change.problem }];
    if (change.total.abs().gt(MAX_AMOUNT) || change.accrued.gt(MAX_AMOUNT)) {
      return [{ ...unbilled(item, 'bad_property'), problem: "the period's usage would pass 26 digits" }];
    }
    accrual.events = arrival;
    const own = { ...this.take(item, change, event.at, asOf), quantity: text(change.quantity) };
    if (!item.chained) return [own];
    return [own, ...this.chains.after(item).flatMap((next) => this.inherit(next, asOf) ?? [])];
  }

  private accrualOf(item: UsageItem): OpenAccrual {
    const known = this.found.get(item);
    if (known) return known;
    const accrual = this.accruals.get(accrualKey(item.lineItemId, item.period.id));
    if (!accrual) throw new Error(`the accrual of ${item.lineItemId} in ${item.period.id} was not loaded`);
    this.found.set(item, accrual);
    return accrual;
  }

  /** Opens an accrual with what usage before it hands on, or anew when that has changed; null when it has not. */
  private inherit(item: UsageItem, asOf: Date): Attribution | null {
    const accrual = this.accrualOf(item);
    if (accrual.period.settled && !item.running) return null;
    const { here, previous } = this.chains.before(item);
    const past = (items: UsageItem[]) =>
      items.map((one) => ({ rule: ruleOf(one, this.accrualOf(one)), state: this.accrualOf(one).state }));
    const { carried, freeUsedBefore } = inheritance(item.rule, past(here), past(previous));
    if (freeUsedBefore.eq(accrual.freeBefore) && isSameTotal(carried, accrual.state.carried ?? null)) return null;
    accrual.freeBefore = freeUsedBefore;
    const change = reopen(ruleOf(item, accrual), accrual.state, carried);
    return { ...this.take(item, change, this.payableAt(accrual, asOf), asOf), inherited: true };
  }

  /** A change that no event brought. */
  private withoutEvent(item: UsageItem, change: Attribution | null): void {
    if (!change) return;
    const accrual = this.accrualOf(item);
    accrual.eventless = accrual.eventless.plus(change.amount);
  }

  /** The time as of which lots pay what costs without an event of its own: within the period. */
  private payableAt({ period: { start, end } }: OpenAccrual, at: Date): Date {
    if (at < start) return start;
    return at < end ? at : new Date(end.getTime() - 1);
  }

  private take(item: UsageItem, change: AccrualChange, at: Date, asOf: Date): Attribution {
    const accrual = this.accrualOf(item);
    const { state, total: quantity, free, billable } = change;
    if (accrual.period.settled && (!change.delta.isZero() || !quantity.eq(accrual.quantity))) accrual.late = true;
    const before = { free: accrual.free, credits: accrual.cover.credits };
    Object.assign(accrual, { state, quantity, free, billable });
    const draws = this.coverage.settle(accrual, change.delta, at, asOf);
    return {
      ...unattributed(item),
      quantity: '0',
      free: text(free.minus(before.free)),
      amount: text(change.delta),
      credits: text(accrual.cover.credits.minus(before.credits)),
      draws: draws.map(({ lotId, credits }) => ({ lot_id: lotId, credits: text(credits) })),
    };
  }
}
