import {
  accrue,
  creditsFor,
  Decimal,
  holdCost,
  matches,
  mayPay,
  ONE,
  reserve,
  sum,
  withUses,
  ZERO,
  type AccrualRule,
  type AccrualState,
  type Draw,
  type LotState,
  type Properties,
  type UsageEvent,
} from '@drawdown/billing-core';
import { coreMeter, type Feature, type Meter } from '@drawdown/features';
import { Problem } from '@drawdown/platform';
import type { AggregatedFeature } from '@drawdown/subscriptions';
import type { OpenUse, Purses } from '@drawdown/wallets';
import type { Counted } from './limited-use.js';
import type { UsageBasis, UsageFold } from './fold.js';
import { accrualKey } from './open-accrual.js';

/** Why a customer may not. */
export const REFUSALS = [
  'no_running_subscription',
  'not_entitled',
  'feature_disabled',
  'limit_reached',
  'wallet_debt',
  'insufficient_credits',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What a customer asks for: credits, a use named by its event, or a feature. */
export type Wanted =
  | { readonly kind: 'credits'; readonly credits: Decimal; readonly currency: string | null }
  | { readonly kind: 'use'; readonly eventName: string; readonly properties: Properties }
  | {
      readonly kind: 'feature';
      readonly feature: Feature;
      readonly meter: Meter | null;
      readonly properties: Properties;
    };

export interface Verdict {
  /** Null when it may. */
  readonly reason: Refusal | null;
  readonly currency: string | null;
  /** The event it would be; null for plain credits and features without a meter. */
  readonly use: { readonly eventName: string; readonly properties: Properties } | null;
  /** What of which lot pays it, in burn order; already taken out of what the next one may have. */
  readonly parts: readonly Draw[];
}

/** What a customer's subscriptions give it. */
export interface Standing {
  /** Currency of the oldest running subscription; null when none runs. */
  readonly currency: string | null;
  readonly features: readonly AggregatedFeature[];
  /** By meter: what was used of those that have no price. */
  readonly counted: ReadonlyMap<string, Counted>;
  readonly pricedMeters: ReadonlySet<string>;
}

/**
 * Decides what customers may do, one request after the other on copies in memory, each seeing what those before it have
 * been allowed (MEANING "Authorization and holds"). Records nothing.
 */
export class Authorizer {
  private readonly open = new Map<string, OpenEvent[]>();
  /** Accruals and counts with the uses of open holds. */
  private readonly withOpen = new Map<string, CountedUses>();

  constructor(
    private readonly fold: UsageFold,
    private readonly purses: Purses,
    private readonly standings: ReadonlyMap<string, Standing>,
    uses: readonly OpenUse[],
    private readonly now: Date,
  ) {
    for (const { customerId, use, at } of uses) this.addOpen(customerId, use, at);
  }

  /** @throws Problem 400 when the use lacks what its meter needs, or the currency is open. */
  ask(customerId: string, wanted: Wanted): Verdict {
    if (wanted.kind === 'credits') return this.askCredits(customerId, wanted);
    const { currency, features } = this.standings.get(customerId)!;
    if (currency === null) return no('no_running_subscription', this.walletCurrency(customerId));
    if (wanted.kind === 'use') return this.askUse(customerId, wanted);
    if (wanted.meter) return this.askUse(customerId, useOf(wanted.meter, wanted.properties));
    const given = features.find(({ feature }) => feature.id === wanted.feature.id);
    const reason = given ? (given.entitlement.isEnabled ? null : 'feature_disabled') : 'not_entitled';
    return { reason, currency, use: null, parts: [] };
  }

  /** What was allowed is kept: the next one counts its use too. */
  keep(customerId: string, { use }: Verdict): void {
    if (!use) return;
    const added = this.addOpen(customerId, use, this.now);
    for (const counted of this.withOpen.values()) {
      if (counted.customerId !== customerId || !counted.counts(added)) continue;
      counted.state = withUses(counted.rule, counted.state, [added]);
    }
  }

  /** What was allowed is not kept. */
  drop({ parts }: Verdict): void {
    this.purses.unhold(parts);
  }

  /** Credits the customer can spend now in a currency. */
  balance(customerId: string, currency: string): Decimal {
    return sum(this.spendable(customerId, currency).map((lot) => Decimal.max(lot.remaining.minus(lot.held), ZERO)));
  }

  private askCredits(customerId: string, { credits, currency: named }: Wanted & { kind: 'credits' }): Verdict {
    const currency = named ?? this.onlyCurrency(customerId);
    if (currency && this.purses.owes(customerId, currency)) return no('wallet_debt', currency);
    const { held, short } = reserve(currency ? this.spendable(customerId, currency) : [], credits);
    if (!currency || short.gt(ZERO)) return no('insufficient_credits', currency);
    this.purses.hold(held);
    return { reason: null, currency, use: null, parts: held };
  }

  private askUse(customerId: string, use: { eventName: string; properties: Properties }): Verdict {
    const event = { customerId, eventName: use.eventName, properties: use.properties, at: this.now };
    const bases = this.fold.basisOf(event);
    const { currency: usual, features, pricedMeters } = this.standings.get(customerId)!;
    const currency = bases[0]?.item.currency ?? usual;
    const unpriced = features.filter(
      ({ meter }) => meter && !pricedMeters.has(meter.id) && matches(coreMeter(meter), event),
    );
    const enabled = unpriced.filter(({ entitlement }) => entitlement.isEnabled);
    if (bases.length === 0 && enabled.length === 0) {
      return no(unpriced.length > 0 ? 'feature_disabled' : 'not_entitled', currency);
    }
    if (enabled.some((given) => this.isOverLimit(customerId, given, event))) return no('limit_reached', currency);
    const owed = bases.find(({ item }) => this.purses.owes(customerId, item.currency));
    if (owed) return no('wallet_debt', owed.item.currency);
    const parts = this.reserveAll(customerId, bases, event);
    if (!parts) return no('insufficient_credits', currency);
    return { reason: null, currency, use: { eventName: use.eventName, properties: use.properties }, parts };
  }

  /** Hard limits of features that have no price; open holds count. */
  private isOverLimit(customerId: string, { meter, entitlement }: AggregatedFeature, use: Use): boolean {
    const counted = this.standings.get(customerId)!.counted.get(meter!.id);
    if (!counted || entitlement.usageLimit === null || entitlement.isSoftLimit) return false;
    const { rule, state } = counted;
    const before = this.withOpenUses(`${customerId} ${meter!.id}`, customerId, rule, state, () => true);
    const after = accrue(rule, before, asEvent(use));
    if ('problem' in after) throw Problem.invalid('properties', `can't be counted: ${after.problem}`);
    return after.total.gt(entitlement.usageLimit);
  }

  /** What pays the use on all its line items; null, and nothing taken, when credits don't cover it. */
  private reserveAll(customerId: string, bases: readonly UsageBasis[], use: Use): Draw[] | null {
    const parts: Draw[] = [];
    for (const { item, rule, state } of bases) {
      const key = accrualKey(item.lineItemId, item.period.id);
      const inSpan = ({ at }: UsageEvent) =>
        item.itemStart <= at && item.period.start <= at && at < (item.itemEnd ?? item.period.end);
      const before = this.withOpenUses(key, customerId, rule, state, inSpan);
      const asked = holdCost(rule, before, [], asEvent(use));
      if ('problem' in asked) throw Problem.invalid('properties', `can't be priced: ${asked.problem}`);
      if (!this.purses.isPrepaid(customerId, item.currency)) continue;
      const rate = this.purses.rate(customerId, item.currency) ?? ONE;
      const lots = this.purses.lots(customerId, item.currency).filter((lot) => mayPay(lot, this.now, item.period.end));
      const { held, short } = reserve(lots, creditsFor(asked.cost, rate));
      this.purses.hold(held);
      parts.push(...held);
      if (short.lte(ZERO)) continue;
      this.purses.unhold(parts);
      return null;
    }
    return oncePerLot(parts);
  }

  private withOpenUses(
    key: string,
    customerId: string,
    rule: AccrualRule,
    state: AccrualState,
    counts: (use: UsageEvent) => boolean,
  ): AccrualState {
    const known = this.withOpen.get(key);
    if (known) return known.state;
    const isOf = (use: OpenEvent) => counts(use) && matches(rule.meter, use);
    const uses = (this.open.get(customerId) ?? []).filter(isOf);
    const counted = { customerId, rule, counts: isOf, state: withUses(rule, state, uses) };
    this.withOpen.set(key, counted);
    return counted.state;
  }

  private addOpen(customerId: string, use: { eventName: string; properties: Properties }, at: Date): OpenEvent {
    const open = this.open.get(customerId) ?? [];
    const added = { ...asEvent({ ...use, at }), arrival: FIRST_ARRIVAL + open.length, eventName: use.eventName };
    open.push(added);
    this.open.set(customerId, open);
    return added;
  }

  private spendable(customerId: string, currency: string): LotState[] {
    const next = new Date(this.now.getTime() + 1);
    return this.purses.lots(customerId, currency).filter((lot) => mayPay(lot, this.now, next));
  }

  /** Of plain credits: any, as long as all are worth the same. @throws Problem 400 where rates differ. */
  private onlyCurrency(customerId: string): string | null {
    const currencies = this.purses.currencies(customerId);
    const [first] = currencies;
    const rate = first && this.purses.rate(customerId, first)!;
    if (currencies.some((currency) => !this.purses.rate(customerId, currency)!.eq(rate!))) {
      throw Problem.invalid('currency', `must say which credits are meant: ${currencies.join(', ')}`);
    }
    return this.walletCurrency(customerId);
  }

  private walletCurrency(customerId: string): string | null {
    const usual = this.standings.get(customerId)?.currency ?? null;
    const currencies = this.purses.currencies(customerId).toSorted();
    return usual && currencies.includes(usual) ? usual : (currencies[0] ?? usual);
  }
}

type OpenEvent = UsageEvent & { readonly eventName: string };

interface CountedUses {
  readonly customerId: string;
  readonly rule: AccrualRule;
  readonly counts: (use: OpenEvent) => boolean;
  state: AccrualState;
}

type Use = { readonly eventName: string; readonly properties: Properties; readonly at: Date };

/** Open uses arrive after everything that was used, the one that is asked for after them. */
const FIRST_ARRIVAL = 2 ** 40;
const asEvent = ({ at, properties }: Omit<Use, 'eventName'>): UsageEvent => ({
  at,
  arrival: 2 ** 50,
  properties,
});

const no = (reason: Refusal, currency: string | null): Verdict => ({ reason, currency, use: null, parts: [] });

/** A use asked by its feature is an event the meter counts: what its filters ask for is filled in where it is left out. */
function useOf(meter: Meter, properties: Properties): { eventName: string; properties: Properties } {
  const filled = Object.fromEntries(meter.filters.flatMap(({ key, values }) => (values[0] ? [[key, values[0]]] : [])));
  return { eventName: meter.eventName, properties: { ...filled, ...properties } };
}

function oncePerLot(parts: readonly Draw[]): Draw[] {
  const lots = new Map<string, Decimal>();
  for (const { lotId, credits } of parts) lots.set(lotId, credits.plus(lots.get(lotId) ?? ZERO));
  return [...lots].map(([lotId, credits]) => ({ lotId, credits }));
}
