import { type Meter, type Properties, quantityOf } from './aggregate.js';
import { Decimal, ZERO, round12, text } from './decimal.js';
import { type UnitPrice, priceOf } from './price.js';
import { type RunningTotal, add, quantityIn } from './running-total.js';

/** Free units of a period: so many, all (`'unlimited'`), or none (null). */
export type Allowance = Decimal | 'unlimited' | null;

/** What turns the events of one line item's period into money. */
export interface AccrualRule {
  price: UnitPrice;
  meter: Meter;
  allowance: Allowance;
}

/** What has accrued so far, as plain JSON for a jsonb column. `accrued` is stored, never recomputed. */
export interface AccrualState {
  total: RunningTotal;
  /** money, 12 places */
  accrued: string;
}

/** A usage event as an accrual sees it. */
export interface UsageEvent {
  at: Date;
  /** greater = arrived later, such as a sequence number; decides only between events of one timestamp */
  arrival: number;
  properties: Properties;
}

/** What an accrual says: units used, units that are free, units that cost, and the money they cost (12 places). */
export interface AccrualReading {
  quantity: Decimal;
  free: Decimal;
  billable: Decimal;
  accrued: Decimal;
}

export interface Accrued {
  state: AccrualState;
  /** what this event brought */
  quantity: Decimal;
  /** the quantity of the period after it */
  total: Decimal;
  free: Decimal;
  billable: Decimal;
  /** the money this event burns; negative when it lowers what had accrued */
  delta: Decimal;
  accrued: Decimal;
}

/** The accrual of a period nothing has been used in. */
export function emptyAccrual(): AccrualState {
  return { total: {}, accrued: '0' };
}

/**
 * Folds one event (that `matches` the rule's meter) into an accrual: the one rule of usage. An event burns
 * `accrued(after) - accrued(before)`, so tiers, packages, free units and corrections come out exact.
 * MEANING "Usage and accrual": "One rule". A property that is missing or no number is a `problem` and changes nothing.
 */
export function accrue(rule: AccrualRule, state: AccrualState, event: UsageEvent): Accrued | { problem: string } {
  const sample = quantityOf(rule.meter, event);
  if ('problem' in sample) return sample;
  const { at, arrival } = event;
  const total = add(rule.meter.aggregation, state.total, { at, arrival, value: sample.quantity });
  const reading = priced(rule, total);
  return {
    state: { total, accrued: text(reading.accrued) },
    quantity: sample.quantity,
    total: reading.quantity,
    free: reading.free,
    billable: reading.billable,
    delta: reading.accrued.minus(state.accrued),
    accrued: reading.accrued,
  };
}

/** What an accrual says now; `accrued` is the stored money, the rest follows from the rule. */
export function readAccrual(rule: AccrualRule, state: AccrualState): AccrualReading {
  return { ...priced(rule, state.total), accrued: new Decimal(state.accrued) };
}

function priced(rule: AccrualRule, total: RunningTotal): AccrualReading {
  const quantity = quantityIn(rule.meter.aggregation, total);
  const free = freeUnits(quantity, rule.allowance);
  const billable = Decimal.max(quantity.minus(free), ZERO);
  return { quantity, free, billable, accrued: round12(priceOf(rule.price, billable)) };
}

/** MEANING "Allowances": units up to the allowance are free, units beyond it are charged. */
function freeUnits(quantity: Decimal, allowance: Allowance): Decimal {
  if (allowance === null || quantity.lte(ZERO)) return ZERO;
  return allowance === 'unlimited' ? quantity : Decimal.min(quantity, allowance);
}
