import { MAXIMUM_CHARGE_MINOR, fromMinorUnits, minimumCharge, toMinorUnits } from './currency.js';
import { Decimal, ZERO, text } from './decimal.js';
import { type PaymentTerms, daysOf } from './payment-terms.js';
import { addDuration } from './period.js';

/** An amount that a card can be charged, or why it can't. */
export type Chargeable = { amount: Decimal } | { refused: 'below_minimum' | 'above_maximum'; reason: string };

/**
 * What a card is charged for `due` (money, above zero) of an invoice: the nearest amount the gateway takes (it differs
 * only in three-digit currencies, by less than the unit), unless that is below or above what it takes at all.
 * Reference "Stripe, 6. Money". Throws `UnknownCurrency`.
 */
export function chargeable(due: Decimal, currency: string): Chargeable {
  const minor = toMinorUnits(due, currency);
  const minimum = minimumCharge(currency);
  const money = (amount: Decimal) => `${text(amount)} ${currency}`;
  if (minor <= 0n || (minimum !== null && due.lt(minimum))) {
    const least = minimum === null ? 'what can be charged' : `the minimum of ${money(minimum)}`;
    return { refused: 'below_minimum', reason: `${money(due)} is below ${least}` };
  }
  if (minor > MAXIMUM_CHARGE_MINOR) {
    const most = fromMinorUnits(MAXIMUM_CHARGE_MINOR, currency);
    return { refused: 'above_maximum', reason: `${money(due)} is above the maximum of ${money(most)} of one payment` };
  }
  return { amount: fromMinorUnits(minor, currency) };
}

/** What a customer's account does for an invoice: money, none below zero. */
export interface AccountShare {
  /** Paid out of what the customer has. */
  readonly applied: Decimal;
  /** Put off: what is left is too little to charge, and is owed on the account. */
  readonly carried: Decimal;
  /** What earlier invoices had put off, asked for on top. */
  readonly collected: Decimal;
}

/**
 * How an invoice of `total` (money, above zero) and the customer's account settle. `balance` above zero is money the
 * customer has, below zero what was put off before. What no card can be charged because it is too little is put off to
 * the next invoice, as often as need be: faults reference, 17. Throws `UnknownCurrency`.
 */
export function accountShare(total: Decimal, balance: Decimal, currency: string): AccountShare {
  const applied = Decimal.min(Decimal.max(balance, ZERO), total);
  const collected = Decimal.max(balance.neg(), ZERO);
  const rest = total.minus(applied);
  if (rest.isZero()) return { applied, carried: ZERO, collected: ZERO };
  const asked = chargeable(rest.plus(collected), currency);
  return 'refused' in asked && asked.refused === 'below_minimum'
    ? { applied, carried: rest, collected: ZERO }
    : { applied, carried: ZERO, collected };
}

/** What is left to pay and what came too much; never both, never below zero. */
export interface Balance {
  remaining: Decimal;
  overpaid: Decimal;
}

/**
 * Compares what came with what is due, both money. A rest smaller than anything the gateway takes is paid: it comes
 * from `chargeable`'s rounding of three-digit currencies. Throws `UnknownCurrency`.
 */
export function balanceDue(due: Decimal, paid: Decimal, currency: string): Balance {
  const difference = due.minus(paid);
  const settled = toMinorUnits(difference.abs(), currency) === 0n;
  return {
    remaining: settled ? ZERO : Decimal.max(difference, ZERO),
    overpaid: settled ? ZERO : Decimal.max(difference.neg(), ZERO),
  };
}

/** Payment is due so many days after finalization when the subscription has no terms of its own. */
const DEFAULT_DUE_DAYS = 7;

/** When an invoice falls due: the days of its terms (null = 7) after finalization, on the wall clock of the zone. */
export function dueDate(finalizedAt: Date, terms: PaymentTerms | null, zone: string): Date {
  return addDuration(finalizedAt, 'DAY', terms === null ? DEFAULT_DUE_DAYS : daysOf(terms), zone);
}

const MINUTE_MS = 60_000;
const FIRST_ASK_MS = 2 * MINUTE_MS;
const UNKNOWN_CAP_MS = 15 * MINUTE_MS;
const PROCESSING_CAP_MS = 360 * MINUTE_MS;

/**
 * How long to wait before the gateway is asked (again) what became of a charge: 2 minutes, doubling with each time it
 * was asked, up to 15 minutes; up to 6 hours for one the gateway itself calls in progress. Promise P2 of the faults
 * reference: a payment taken is booked within 15 minutes of recovery.
 */
export function askAgainAfterMs(timesAsked: number, processing: boolean): number {
  return Math.min(FIRST_ASK_MS * 2 ** Math.min(timesAsked, 16), processing ? PROCESSING_CAP_MS : UNKNOWN_CAP_MS);
}
