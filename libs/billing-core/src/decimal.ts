import { Decimal as DecimalJs } from 'decimal.js';

/**
 * Every amount, quantity and rate of Drawdown: an exact decimal with 100 significant digits, rounding half away from
 * zero. 100 digits hold the product of two numeric(38,12) with room for a division, so only named roundings round.
 * `toString()` never uses an exponent.
 */
export const Decimal: DecimalJs.Constructor = DecimalJs.clone({
  precision: 100,
  rounding: DecimalJs.ROUND_HALF_UP,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});
export type Decimal = DecimalJs;
/** So that `Decimal.Value` (what a Decimal can be made of) has a name here too. */
export declare namespace Decimal {
  type Value = DecimalJs.Value;
}

export const ZERO: Decimal = new Decimal(0);
export const ONE: Decimal = new Decimal(1);

/** The places kept of credits, quantities, rates and unrounded money. MEANING "Decimals": `numeric(38,12)`. */
export const DECIMAL_PLACES = 12;

const INTEGER_DIGITS = 26;
/** The largest value that fits numeric(38,12): 26 integer digits, 12 places. */
export const MAX_AMOUNT: Decimal = new Decimal('9'.repeat(INTEGER_DIGITS) + '.' + '9'.repeat(DECIMAL_PLACES));

const PLAIN = /^-?\d+(\.\d+)?$/;
/** A sign, 26 digits, a point and 12 places fit in 40 characters; the rest is for harmless zeros at both ends. */
const LONGEST_TEXT = 80;

/**
 * Parses a plain decimal within numeric(38,12): a text such as `-12.50`, a finite JavaScript number, a bigint or a
 * Decimal. Answers null for anything else: NaN, Infinity, text with an exponent, blanks, hexadecimal, more than 26
 * integer digits, more than 12 places (zeros at the end do not count). `-0` is 0. Never throws.
 * MEANING "Decimals": "NaN, Infinity, exponents beyond range … refused with the field's name" (the caller names it).
 */
export function parseDecimal(value: unknown): Decimal | null {
  if (typeof value === 'string') {
    return value.length <= LONGEST_TEXT && PLAIN.test(value) ? withinRange(new Decimal(value)) : null;
  }
  if (typeof value === 'number' || typeof value === 'bigint') return withinRange(new Decimal(value.toString()));
  return DecimalJs.isDecimal(value) ? withinRange(new Decimal(value)) : null;
}

function withinRange(value: Decimal): Decimal | null {
  if (!value.isFinite() || value.e >= INTEGER_DIGITS || value.decimalPlaces() > DECIMAL_PLACES) return null;
  return value.isZero() ? ZERO : value;
}

/** Rounds to 12 places, half away from zero: the precision in which amounts are stored. MEANING "Decimals". */
export function round12(value: Decimal): Decimal {
  return value.decimalPlaces() <= DECIMAL_PLACES
    ? value
    : value.toDecimalPlaces(DECIMAL_PLACES, DecimalJs.ROUND_HALF_UP);
}

/** Cuts to 12 places towards zero: the most that `value` surely contains. */
export function floor12(value: Decimal): Decimal {
  return value.decimalPlaces() <= DECIMAL_PLACES ? value : value.toDecimalPlaces(DECIMAL_PLACES, DecimalJs.ROUND_DOWN);
}

/** The least value of 12 places that is not below `value`. */
export function ceil12(value: Decimal): Decimal {
  return value.decimalPlaces() <= DECIMAL_PLACES ? value : value.toDecimalPlaces(DECIMAL_PLACES, DecimalJs.ROUND_CEIL);
}

/** The wire form: plain digits, no zeros at the end, `0` and never `-0`. MEANING "Decimals": "decimal strings". */
export function text(value: Decimal): string {
  return value.isZero() ? '0' : value.toString();
}

/** The sum of any number of values; zero of none. Exact. */
export function sum(values: Iterable<Decimal>): Decimal {
  let total = ZERO;
  for (const value of values) total = total.plus(value);
  return total;
}
