import {
  allowanceWindow,
  Decimal,
  text,
  type AccrualRule,
  type Allowance,
  type BillingPeriod,
  type Meter,
  type Span,
  type UnitPrice,
  type WindowPeriod,
} from '@drawdown/billing-core';

/** An amount inside plain JSON. */
type Copied<T> = T extends Decimal
  ? string
  : T extends readonly (infer Part)[]
    ? Copied<Part>[]
    : T extends object
      ? { [Key in keyof T]: Copied<T[Key]> }
      : T;

/** What a line item's arithmetic needs, as plain JSON: frozen when the item is made. Amounts are exact text. */
export interface RuleCopy {
  readonly price: Copied<UnitPrice>;
  /** Null for a fee. */
  readonly meter: Copied<Meter> | null;
  /** Free units of a window: so many, all, or none. */
  readonly allowance: string | null;
  /** The window of the allowance; null = the billing period. */
  readonly window: WindowPeriod | null;
}

/** A rule before it is put into a period. */
export interface FrozenRule {
  readonly price: UnitPrice;
  readonly meter: Meter | null;
  readonly allowance: Allowance;
  readonly window: WindowPeriod | null;
}

/** Where a line item counts: its part of one period of its subscription. */
export interface Place {
  readonly span: Span;
  /** `whole` is the full period of which this one is a part. */
  readonly period: Span & { readonly kind: 'trial' | 'paid'; readonly whole: Span };
  readonly interval: { readonly billingPeriod: BillingPeriod; readonly count: number };
  readonly paidStart: Date;
  readonly zone: string;
}

/** Freezes a rule. */
export function copyOfRule({ price, meter, allowance, window }: FrozenRule): RuleCopy {
  return {
    price: copyOfPrice(price),
    meter: meter && copied(meter),
    allowance: copyOfAllowance(allowance),
    window,
  };
}

const copied = <T>(value: T): Copied<T> => JSON.parse(JSON.stringify(value)) as Copied<T>;

/** Freezes free units. */
export const copyOfAllowance = (allowance: Allowance): RuleCopy['allowance'] =>
  allowance instanceof Decimal ? text(allowance) : allowance;

/** Freezes a price. */
export const copyOfPrice = (price: UnitPrice): RuleCopy['price'] => copied(price);

/** What a unit of the line item costs. */
export const unitPriceOfItem = ({ rule }: { readonly rule: RuleCopy }): UnitPrice => thawedPrice(rule.price);

/** How the line item turns usage into money, in one of its periods. @throws TypeError for a fee, which has no usage. */
export function ruleOf({ price, meter, allowance, window }: FrozenRule, place: Place): AccrualRule {
  if (!meter) throw new TypeError('a fee has no meter');
  const { span, period, interval, zone } = place;
  return {
    price,
    meter,
    allowance,
    window: allowance === null ? null : allowanceWindow(window, interval, place),
    span,
    whole: period.whole,
    zone,
  };
}

/** Rules read lately, by their JSON: the items of a plan have the same one, and nothing of a rule is ever changed. */
const thawedRules = new Map<string, FrozenRule>();
const MOST_THAWED = 10_000;

/** A rule from the JSON it was frozen as. */
export function thawedRule(json: string): FrozenRule {
  const known = thawedRules.get(json);
  if (known) return known;
  const { price, meter, allowance, window } = JSON.parse(json) as RuleCopy;
  const units: Allowance = allowance === null || allowance === 'unlimited' ? allowance : new Decimal(allowance);
  const rule: FrozenRule = { price: thawedPrice(price), meter, allowance: units, window };
  if (thawedRules.size === MOST_THAWED) thawedRules.clear();
  thawedRules.set(json, rule);
  return rule;
}

function thawedPrice(price: Copied<UnitPrice>): UnitPrice {
  const minQuantity = thawed(price.minQuantity);
  switch (price.model) {
    case 'FLAT_FEE':
      return { ...price, minQuantity, amount: new Decimal(price.amount) };
    case 'PACKAGE':
      return { ...price, minQuantity, amount: new Decimal(price.amount), divideBy: new Decimal(price.divideBy) };
    case 'TIERED':
      return {
        ...price,
        minQuantity,
        tiers: price.tiers.map((tier) => ({
          upTo: thawed(tier.upTo),
          unitAmount: new Decimal(tier.unitAmount),
          flatAmount: thawed(tier.flatAmount),
        })),
      };
  }
}

const thawed = (value: string | null | undefined): Decimal | null =>
  value === null || value === undefined ? null : new Decimal(value);
