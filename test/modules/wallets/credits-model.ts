import { Decimal } from '@drawdown/billing-core';
import { added, CreditsPurse, type Hold, type Lot, type Part, ZERO } from './credits-purse.js';
import type { Tariff, Use } from './credits-tariff.js';

const HOUR = 3_600_000;
const MAX_AHEAD = 5 * 60_000;
export const GRANTED = '20';

/** Boundaries of the model's only subscription: the 10th of every month, 00:00 UTC. */
export const boundary = (number: number): number => Date.UTC(2026, number, 10);
export const START: number = boundary(0);
const periodOf = (at: number): number => {
  let number = 0;
  while (boundary(number + 1) <= at) number++;
  return number;
};

interface Accrual {
  readonly tariff: Tariff;
  readonly period: number;
  readonly uses: Use[];
  cost: Decimal;
  covered: Decimal;
  credits: Decimal;
  short: Decimal;
  /** Numbers shortfalls in the order they arose. */
  shortSince: number | null;
  readonly drawn: Part[];
}

export interface NewLot {
  readonly wallet: number;
  readonly credits: Decimal;
  readonly priority: number | null;
  readonly purchased: boolean;
  readonly until: number | null;
}
export interface ModelEvent {
  readonly id: string;
  readonly event: string;
  readonly value: string;
  readonly at: number;
}

const places12 = (value: Decimal, rounding: 1 | 2 | 4) => value.toDecimalPlaces(12, rounding);
/** Money is kept at 12 places. */
const costOf = (tariff: Tariff, uses: readonly Use[]) => places12(tariff.cost(uses), Decimal.ROUND_HALF_UP);

/**
 * MEANING's credits written down a second time, as plainly as it can be: every cost is reckoned anew from all uses, every
 * list is walked from its start. One customer, one subscription of months, one currency, 20 credits granted a month.
 */
export class CreditsModel {
  now = START;
  readonly purse = new CreditsPurse();
  readonly events = new Map<string, ModelEvent>();
  private readonly accruals = new Map<string, Accrual>();
  private shortfalls = 0;
  /** So many periods have been closed. */
  private closed = 0;

  /** @param rate money per credit. @param tariffs in the order in which an event counts on them. */
  constructor(
    readonly rate: Decimal,
    private readonly tariffs: readonly Tariff[],
  ) {
    this.grant(0);
  }

  /** The wallet of `POST /wallets`: the one a grant has opened is completed while it is the only one. */
  openWallet(paysUsage: boolean): void {
    const open = this.purse.wallets.filter((wallet) => wallet.open);
    if (open.length === 1 && open[0]!.openedByGrant) Object.assign(open[0]!, { openedByGrant: false, paysUsage });
    else this.purse.wallets.push({ open: true, paysUsage, openedByGrant: false });
    this.payDown();
  }

  addLot({ credits, ...lot }: NewLot): void {
    this.purse.lots.push({ ...lot, from: this.now, remaining: credits, writtenOff: false });
    this.payDown();
  }

  /** @returns credits burnt, reason; 'duplicate' for an id that is known. */
  report(event: ModelEvent): { burned: Decimal; reason: string | null } | { differs: boolean } {
    const known = this.events.get(event.id);
    if (known) return { differs: JSON.stringify(known) !== JSON.stringify(event) };
    this.events.set(event.id, event);
    if (!this.tariffs.some((tariff) => tariff.event === event.event)) return { burned: ZERO, reason: 'no_match' };
    if (event.value === 'many') return { burned: ZERO, reason: 'bad_property' };
    const at = event.at > this.now && event.at <= this.now + MAX_AHEAD ? this.now : event.at;
    return { burned: this.use(event.event, at, new Decimal(event.value), []), reason: null };
  }

  /** All of it or nothing: null when the wallet has too little. */
  debit(wallet: number, credits: Decimal): boolean {
    const lots = this.purse.usable(this.now, this.now + 1).filter((lot) => lot.wallet === wallet);
    const parts = this.purse.free(lots);
    if (!this.purse.wallets[wallet]!.open || added(parts).lt(credits)) return false;
    this.purse.take(parts, credits);
    return true;
  }

  /** What was bought is given back with its money: all of it or nothing, and nothing that a hold keeps. */
  takeBack(lot: Lot, credits: Decimal): boolean {
    if (lot.remaining.minus(this.purse.held(lot)).lt(credits)) return false;
    lot.remaining = lot.remaining.minus(credits);
    return true;
  }

  terminate(wallet: number): void {
    this.purse.wallets[wallet]!.open = false;
    for (const lot of this.purse.lots) if (lot.wallet === wallet) lot.writtenOff = true;
    this.purse.dropWrittenOff();
  }

  authorizeUse(event: string, value: Decimal, until: number): { allowed: boolean; held: Decimal } {
    const parts: Part[] = [];
    for (const tariff of this.of(event)) {
      const wanted = this.priceOfUse(tariff, event, value);
      if (!this.purse.wallets.some(({ open, paysUsage }) => open && paysUsage)) continue;
      const lots = this.purse.usageLots(this.now, boundary(periodOf(this.now) + 1));
      const more = this.purse.reserve(this.purse.free(lots, parts), wanted);
      if (!more) return { allowed: false, held: ZERO };
      parts.push(...more);
    }
    this.purse.holds.push({ status: 'open', at: this.now, until, use: { event, value }, parts });
    return { allowed: true, held: added(parts) };
  }

  authorizeCredits(credits: Decimal, until: number): boolean {
    const parts = this.purse.reserve(this.spendableParts(), credits);
    if (parts) this.purse.holds.push({ status: 'open', at: this.now, until, use: null, parts });
    return parts !== null;
  }

  release(hold: Hold): void {
    this.end(hold, 'released');
  }

  captureUse(hold: Hold, value: Decimal): { captured: Decimal; short: Decimal } {
    const before = this.shortOfAll();
    const captured = this.use(hold.use!.event, hold.at, value, hold.parts);
    this.end(hold, 'captured');
    return { captured, short: Decimal.max(this.shortOfAll().minus(before), ZERO) };
  }

  captureCredits(hold: Hold, credits: Decimal): Decimal {
    const parts = [...hold.parts, ...this.spendableParts()];
    const captured = Decimal.min(credits, added(parts));
    this.purse.take(parts, captured);
    this.end(hold, 'captured');
    return captured;
  }

  /** Everything that happens on the way, instant by instant, in the order of one instant. */
  advance(to: number): void {
    for (;;) {
      const next = this.instants().filter((at) => at > this.now && at <= to);
      if (next.length === 0) break;
      this.now = Math.min(...next);
      for (const hold of this.purse.open()) if (hold.until <= this.now) this.end(hold, 'expired');
      if (periodOf(this.now) > this.closed) this.grant((this.closed = periodOf(this.now)));
      for (const lot of this.purse.lots) if (this.isToWriteOff(lot)) lot.writtenOff = true;
      this.purse.dropWrittenOff();
    }
    this.now = to;
  }

  spendable(): Decimal {
    return added(this.spendableParts());
  }

  /** Everything that must be found in the database. */
  state() {
    const short = (value: Decimal) => value.toFixed();
    return {
      lots: this.purse.lots.map((lot) => [short(lot.remaining), short(this.purse.held(lot)), lot.writtenOff]),
      wallets: this.purse.balances(this.now),
      accruals: Object.fromEntries(
        [...this.accruals].map(([key, { cost, covered, credits, short: owed }]) => [
          key,
          [cost, covered, credits, owed].map(short),
        ]),
      ),
      holds: this.purse.holds.map(({ status }) => status),
    };
  }

  private spendableParts(): Part[] {
    return this.purse.free(this.purse.usageLots(this.now, this.now + 1));
  }

  private of(event: string): Tariff[] {
    return this.tariffs.filter((tariff) => tariff.event === event);
  }

  /** An event on all that it counts on: each takes the difference of what all uses cost with it and without. */
  private use(event: string, at: number, value: Decimal, held: Part[]): Decimal {
    let burned = ZERO;
    for (const tariff of this.of(event)) {
      const accrual = this.accrual(tariff, periodOf(at));
      const before = accrual.credits;
      accrual.uses.push({ at, value });
      const cost = costOf(tariff, accrual.uses);
      const more = cost.minus(accrual.cost);
      accrual.cost = cost;
      if (more.gte(ZERO)) this.pay(accrual, more, [...held, ...this.payable(accrual, at)]);
      else this.giveBack(accrual, more.neg());
      burned = burned.plus(accrual.credits).minus(before);
      if (more.lt(ZERO)) this.payDown();
    }
    return burned;
  }

  private accrual(tariff: Tariff, period: number): Accrual {
    const key = `${tariff.name} ${period}`;
    const nothing = { cost: ZERO, covered: ZERO, credits: ZERO, short: ZERO, shortSince: null };
    const accrual = this.accruals.get(key) ?? { tariff, period, uses: [], drawn: [], ...nothing };
    this.accruals.set(key, accrual);
    return accrual;
  }

  /** Late usage of a settled period draws from lots usable now. */
  private payable({ period }: Accrual, at: number): Part[] {
    const end = boundary(period + 1);
    const settled = end + HOUR <= this.now;
    return this.purse.free(settled ? this.purse.usageLots(this.now, this.now + 1) : this.purse.usageLots(at, end));
  }

  private pay(accrual: Accrual, more: Decimal, parts: Part[]): void {
    const owed = accrual.covered.plus(more);
    const worth = places12(accrual.credits.plus(added(parts)).times(this.rate), Decimal.ROUND_DOWN);
    accrual.covered = Decimal.max(accrual.covered, Decimal.min(owed, worth));
    const credits = places12(accrual.covered.div(this.rate), Decimal.ROUND_HALF_UP);
    accrual.drawn.push(...this.purse.take(parts, credits.minus(accrual.credits)));
    accrual.credits = credits;
    this.setShort(accrual, accrual.short.plus(owed.minus(accrual.covered)));
  }

  /** What was drawn last comes back first. */
  private giveBack(accrual: Accrual, less: Decimal): void {
    const unpaid = Decimal.min(less, accrual.short);
    accrual.covered = accrual.covered.minus(less.minus(unpaid));
    const credits = places12(accrual.covered.div(this.rate), Decimal.ROUND_HALF_UP);
    let back = accrual.credits.minus(credits);
    accrual.credits = credits;
    for (const draw of accrual.drawn.toReversed()) {
      const part = Decimal.min(back, draw.credits);
      draw.credits = draw.credits.minus(part);
      draw.lot.remaining = draw.lot.remaining.plus(part);
      back = back.minus(part);
    }
    this.setShort(accrual, accrual.short.minus(unpaid));
    this.purse.dropWrittenOff();
  }

  private setShort(accrual: Accrual, short: Decimal): void {
    accrual.short = short;
    if (short.isZero()) accrual.shortSince = null;
    else accrual.shortSince ??= ++this.shortfalls;
  }

  /** No line item keeps a shortfall of an open period that an unheld lot may pay, oldest first. */
  private payDown(): void {
    const owing = [...this.accruals.values()].filter((one) => one.shortSince && one.period >= this.closed);
    for (const accrual of owing.toSorted((a, b) => a.shortSince! - b.shortSince!)) {
      const { short } = accrual;
      accrual.short = ZERO;
      this.pay(accrual, short, this.payable(accrual, this.now));
    }
  }

  private priceOfUse(tariff: Tariff, event: string, value: Decimal): Decimal {
    const period = periodOf(this.now);
    const uses = this.accruals.get(`${tariff.name} ${period}`)?.uses ?? [];
    const kept = this.purse
      .open()
      .flatMap(({ use, at }) => (use?.event === event && periodOf(at) === period ? [{ at, ...use }] : []));
    const now = [...uses, ...kept];
    const before = now.length === 0 ? ZERO : costOf(tariff, now);
    const cost = Decimal.max(costOf(tariff, [...now, { at: this.now, value }]).minus(before), ZERO);
    return places12(cost.div(this.rate), Decimal.ROUND_CEIL);
  }

  private end(hold: Hold, status: Hold['status']): void {
    hold.status = status;
    this.purse.dropWrittenOff();
    this.payDown();
  }

  private grant(period: number): void {
    if (!this.purse.wallets.some(({ open }) => open)) {
      this.purse.wallets.push({ open: true, paysUsage: true, openedByGrant: true });
    }
    const wallet = this.purse.wallets.findIndex(({ open }) => open);
    const until = boundary(period + 1);
    this.addLot({ wallet, credits: new Decimal(GRANTED), priority: null, purchased: false, until });
  }

  /** One late-usage window after its expiry, and not while a draft covers a time before it. */
  private isToWriteOff({ until, writtenOff }: Lot): boolean {
    if (until === null || writtenOff || until + HOUR > this.now) return false;
    const current = boundary(periodOf(this.now));
    const drafted = current > START && this.now < current + HOUR;
    return !(drafted && boundary(periodOf(this.now) - 1) < until);
  }

  private instants(): number[] {
    const next = [periodOf(this.now), periodOf(this.now) + 1].flatMap((number) => [
      boundary(number),
      boundary(number) + HOUR,
    ]);
    return [
      ...next,
      ...this.purse.open().map(({ until }) => until),
      ...this.purse.lots.flatMap(({ until }) => (until ? [until + HOUR] : [])),
    ];
  }

  private shortOfAll(): Decimal {
    return [...this.accruals.values()].reduce((total, { short }) => total.plus(short), ZERO);
  }
}
