import {
  accrue,
  accrueUntil,
  burn,
  capture,
  Decimal,
  giveBack,
  inheritance,
  isSameTotal,
  matches,
  MAX_AMOUNT,
  mayPay,
  ONE,
  payDown,
  reopen,
  text,
  ZERO,
  type AccrualChange,
  type AccrualRule,
  type AccrualState,
  type Burn,
  type Cover,
  type Draw,
  type LotState,
  type Properties,
} from '@drawdown/billing-core';
import type { UsageItem } from '@drawdown/subscriptions';
import { unattributed, unbilled } from './attribution.js';
import { UsageChains } from './usage-chains.js';
import type { Attribution, UnbilledReason } from './usage-event.entity.js';

/** An event of a known customer, as the fold takes it. */
export interface FoldableEvent {
  readonly customerId: string;
  readonly eventName: string;
  readonly at: Date;
  readonly properties: Properties;
}

/** What a line item's usage of one period costs so far, while a transaction works on it. */
export interface OpenAccrual {
  readonly subscriptionId: string;
  readonly lineItemId: string;
  readonly periodId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly period: {
    readonly kind: 'trial' | 'paid';
    readonly start: Date;
    readonly end: Date;
    readonly closed: boolean;
    readonly settled: boolean;
  };
  state: AccrualState;
  /** Events folded so far. */
  events: number;
  quantity: Decimal;
  free: Decimal;
  billable: Decimal;
  /** Its shortfall is owed, or in a trial waived as it arises. */
  cover: Cover;
  /** Net draws, oldest first. */
  draws: Draw[];
  /** Numbers shortfalls in the order they arose, the oldest is paid first; null while it has none. */
  shortNo: number | null;
  /** Free units of its first window that usage before it has used. */
  freeBefore: Decimal;
  /** Of what accrued, what no event brought. */
  eventless: Decimal;
  /** It changed after its period was settled: the next invoice bills the difference. */
  late: boolean;
}

/** What became of an event. */
export interface Folded {
  readonly attribution: readonly Attribution[];
  readonly creditsBurned: Decimal;
  /** Null when it was billed on a line item. */
  readonly reason: UnbilledReason | null;
}

/** Credits that went from (above zero) or back to (below zero) a lot for one line item's period. */
export interface NetDraw {
  readonly lotId: string;
  readonly lineItemId: string;
  readonly periodId: string;
  readonly credits: Decimal;
}

/** A line item in its period with the rule by which it counts now, and what it has counted. */
export interface UsageBasis {
  readonly item: UsageItem;
  readonly rule: AccrualRule;
  readonly state: AccrualState;
}

/** The credits to decide with, as `Purses` of wallets. */
export interface Credits {
  lots(customerId: string, currency: string): readonly LotState[];
  rate(customerId: string, currency: string): Decimal | null;
  take(draws: readonly Draw[]): void;
  giveBack(returns: readonly Draw[]): void;
  unhold(parts: readonly Draw[]): void;
}

/** Whether an event counts on an item: at its time, if its meter matches. */
export const countsOn = (item: UsageItem, event: Omit<FoldableEvent, 'customerId'>): boolean =>
  item.itemStart <= event.at &&
  (item.itemEnd === null || event.at < item.itemEnd) &&
  item.period.start <= event.at &&
  event.at < item.period.end &&
  matches(item.rule.meter, event);

export const accrualKey = (lineItemId: string, periodId: string): string => `${lineItemId} ${periodId}`;

/**
 * Folds usage one event at a time, each taking its own difference (MEANING "Usage and accrual"); a transaction shares
 * only the statements. Works on copies and records nothing: `changed` and `netDraws` say what is to be recorded.
 */
export class UsageFold {
  private readonly items: ReadonlyMap<string, readonly UsageItem[]>;
  private readonly chains: UsageChains;
  private lastShortNo = 0;
  /** What the hold that is being captured still keeps, by currency. */
  private held: Map<string, readonly Draw[]> = new Map();
  private readonly touched = new Set<OpenAccrual>();
  private readonly net = new Map<string, NetDraw>();
  /** By `customer currency`: shortfalls that returned credits have paid. */
  readonly paidDown = new Map<string, { customerId: string; currency: string; credits: Decimal; amount: Decimal }>();

  /**
   * @param accruals by `accrualKey`: those of the items' periods, and every open shortfall of the customers.
   * @param links items before and after those that stand in a chain: no event counts on them, but what does may change them.
   */
  constructor(
    items: readonly UsageItem[],
    private readonly accruals: ReadonlyMap<string, OpenAccrual>,
    private readonly purses: Credits,
    links: readonly UsageItem[] = [],
  ) {
    this.items = Map.groupBy(items, (item) => item.customerId);
    this.chains = new UsageChains([...items.filter((item) => item.chained), ...links]);
    for (const { shortNo } of accruals.values()) this.lastShortNo = Math.max(this.lastShortNo, shortNo ?? 0);
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
    this.held = new Map(held);
    const folded = this.fold(event, asOf);
    for (const rest of this.held.values()) this.purses.unhold(rest);
    for (const currency of this.held.keys()) this.payDown(event.customerId, currency, asOf);
    this.held = new Map();
    return folded;
  }

  /**
   * Lets the customer's credits pay its open shortfalls, oldest first; a trial's and a closed period's never. A lot that
   * had expired before a shortfall's period began pays nothing of it, however late the lot came.
   */
  payDown(customerId: string, currency: string, asOf: Date): void {
    const short = [...this.accruals.values()]
      .filter((one) => one.customerId === customerId && one.currency === currency)
      .filter((one) => one.period.kind === 'paid' && !one.period.closed && one.cover.shortfall.gt(ZERO))
      .toSorted((a, b) => a.shortNo! - b.shortNo!);
    for (const accrual of short) {
      const before = accrual.cover;
      const at = asOf > accrual.period.start ? asOf : accrual.period.start;
      this.draw(accrual, payDown(before, this.payable(accrual, at, asOf), this.rateOf(accrual)));
      this.notePaidDown(accrual, before);
    }
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

  /** Whether the customer has credits that usage may draw. */
  hasCredits(customerId: string, currency: string): boolean {
    return this.purses.lots(customerId, currency).some(({ remaining, held }) => remaining.gt(held));
  }

  changed(): OpenAccrual[] {
    return [...this.touched];
  }

  netDraws(): NetDraw[] {
    return [...this.net.values()].filter((one) => !one.credits.isZero());
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
    const accrual = this.accruals.get(accrualKey(item.lineItemId, item.period.id));
    if (!accrual) throw new Error(`the accrual of ${item.lineItemId} in ${item.period.id} was not loaded`);
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
    this.touched.add(accrual);
    const draws = this.settleDelta(accrual, change.delta, at, asOf);
    return {
      ...unattributed(item),
      quantity: '0',
      free: text(free.minus(before.free)),
      amount: text(change.delta),
      credits: text(accrual.cover.credits.minus(before.credits)),
      draws: draws.map(({ lotId, credits }) => ({ lot_id: lotId, credits: text(credits) })),
    };
  }

  /** Burns an increase, gives back a decrease. @returns what left each lot, below zero what came back. */
  private settleDelta(accrual: OpenAccrual, delta: Decimal, at: Date, asOf: Date): Draw[] {
    if (delta.gte(ZERO)) {
      const burnt = this.burn(accrual, delta, at, asOf);
      this.draw(accrual, burnt);
      return burnt.draws;
    }
    const { cover, returns } = giveBack(accrual.cover, delta.neg(), accrual.draws, this.rateOf(accrual));
    this.setCover(accrual, cover);
    for (const back of returns) this.undo(accrual, back);
    this.purses.giveBack(returns);
    if (returns.length > 0) this.payDown(accrual.customerId, accrual.currency, asOf);
    return returns.map(({ lotId, credits }) => ({ lotId, credits: credits.neg() }));
  }

  private burn(accrual: OpenAccrual, cost: Decimal, at: Date, asOf: Date): Burn {
    const held = this.held.get(accrual.currency);
    const [lots, rate] = [this.payable(accrual, at, asOf), this.rateOf(accrual)];
    if (!held) return burn(accrual.cover, cost, lots, rate);
    const captured = capture(accrual.cover, cost, held, lots, rate);
    this.held.set(accrual.currency, captured.released);
    this.purses.unhold(held);
    this.purses.unhold(captured.released.map(({ lotId, credits }) => ({ lotId, credits: credits.neg() })));
    return captured;
  }

  /** Late usage draws from lots usable now, of a trial from none: it is waived (MEANING "Invoices", late usage). */
  private payable({ customerId, currency, period }: OpenAccrual, at: Date, asOf: Date): LotState[] {
    if (period.settled && period.kind === 'trial') return [];
    const [time, before] = period.settled ? [asOf, new Date(asOf.getTime() + 1)] : [at, period.end];
    return this.purses.lots(customerId, currency).filter((lot) => mayPay(lot, time, before));
  }

  /** Without a wallet there is no rate and nothing to draw: any rate leaves the whole cost short. */
  private rateOf(accrual: OpenAccrual): Decimal {
    return this.purses.rate(accrual.customerId, accrual.currency) ?? ONE;
  }

  private draw(accrual: OpenAccrual, { cover, draws }: Burn): void {
    this.setCover(accrual, cover);
    this.purses.take(draws);
    this.touched.add(accrual);
    for (const { lotId, credits } of draws) {
      const last = accrual.draws.at(-1);
      if (last?.lotId === lotId)
        accrual.draws[accrual.draws.length - 1] = { lotId, credits: last.credits.plus(credits) };
      else accrual.draws.push({ lotId, credits });
      this.addNet(accrual, lotId, credits);
    }
  }

  /** A new shortfall is the youngest, and is recorded after those before it. */
  private setCover(accrual: OpenAccrual, cover: Cover): void {
    accrual.cover = cover;
    if (cover.shortfall.isZero()) accrual.shortNo = null;
    else if (accrual.shortNo === null) {
      accrual.shortNo = ++this.lastShortNo;
      this.touched.delete(accrual);
      this.touched.add(accrual);
    }
  }

  /** Takes back from the last draw, which is of this lot. */
  private undo(accrual: OpenAccrual, { lotId, credits }: Draw): void {
    const last = accrual.draws.pop()!;
    if (credits.lt(last.credits)) accrual.draws.push({ lotId, credits: last.credits.minus(credits) });
    this.addNet(accrual, lotId, credits.neg());
  }

  private addNet({ lineItemId, periodId }: OpenAccrual, lotId: string, credits: Decimal): void {
    const key = `${lotId} ${lineItemId} ${periodId}`;
    const before = this.net.get(key)?.credits ?? ZERO;
    this.net.set(key, { lotId, lineItemId, periodId, credits: before.plus(credits) });
  }

  private notePaidDown({ customerId, currency, cover }: OpenAccrual, before: Cover): void {
    const amount = cover.covered.minus(before.covered);
    if (amount.isZero()) return;
    const key = `${customerId} ${currency}`;
    const known = this.paidDown.get(key) ?? { customerId, currency, credits: ZERO, amount: ZERO };
    const credits = known.credits.plus(cover.credits.minus(before.credits));
    this.paidDown.set(key, { ...known, credits, amount: known.amount.plus(amount) });
  }
}

/** The rule with what the accrual has inherited. */
export const ruleOf = (item: UsageItem, { freeBefore }: OpenAccrual): AccrualRule => ({
  ...item.rule,
  freeUsedBefore: freeBefore,
});
