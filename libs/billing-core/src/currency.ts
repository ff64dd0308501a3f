import { Decimal } from './decimal.js';

/** ISO 4217 codes of money in use whose minor unit is a hundredth (funds, metals and test codes are left out). */
const TWO_DIGITS =
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP ' +
  'CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR ' +
  'JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO ' +
  'NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL ' +
  'THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG';

/** MGA has a fifth, not a hundredth, as its subunit; it is paid in whole ariary (Stripe: zero-decimal). */
const NO_DIGITS = 'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF';
const THREE_DIGITS = 'BHD IQD JOD KWD LYD OMR TND';

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...NO_DIGITS.split(' ').map((code) => [code, 0] as const),
  ...TWO_DIGITS.split(' ').map((code) => [code, 2] as const),
  ...THREE_DIGITS.split(' ').map((code) => [code, 3] as const),
]);

/** Stripe takes these two with two digits that must be 00. */
const SENT_TIMES_100: ReadonlySet<string> = new Set(['ISK', 'UGX']);

const MINIMUM_CHARGE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '0.50': 'USD EUR CHF CAD AUD',
    '0.30': 'GBP',
    '50': 'JPY',
    '2.00': 'PLN AED MYR RON',
    '3.00': 'SEK NOK',
    '2.50': 'DKK',
    '15': 'CZK',
    '175': 'HUF',
    '10': 'MXN THB',
    '4': 'HKD',
  }).flatMap(([amount, codes]) => codes.split(' ').map((code) => [code, amount] as const)),
);

/** The largest integer Stripe takes in one PaymentIntent: 8 digits, in Stripe's minor units. */
export const MAXIMUM_CHARGE_MINOR = 99_999_999n;

/** True for the ISO 4217 code of money in use, in upper or lower case. */
export function isCurrency(code: string): boolean {
  return MINOR_DIGITS.has(code.toUpperCase());
}

/**
 * The digits of a currency's minor unit: 0, 2 or 3 (JPY 0, USD 2, KWD 3).
 * Throws an error named `UnknownCurrency` for what is no ISO 4217 code of money in use.
 */
export function minorDigits(currency: string): number {
  const digits = MINOR_DIGITS.get(currency.toUpperCase());
  if (digits === undefined) {
    throw Object.assign(new RangeError(`unknown currency ${JSON.stringify(currency)}`), { name: 'UnknownCurrency' });
  }
  return digits;
}

/** Rounds money half away from zero to the currency's minor unit. MEANING "Invoices". Throws `UnknownCurrency`. */
export function roundMoney(value: Decimal, currency: string): Decimal {
  return value.toDecimalPlaces(minorDigits(currency), Decimal.ROUND_HALF_UP);
}

/**
 * Money as the integer Stripe takes (reference "Stripe, 6. Money"): USD 1.5 is 150n, JPY 150 is 150n. ISK and UGX are
 * sent times 100 and end in 00; three-digit currencies end in 0. Rounds half away from zero to the nearest amount that
 * can be charged, which `fromMinorUnits` turns back: only for three-digit currencies (or unrounded input) it differs
 * from `value`, by less than the unit. Throws `UnknownCurrency`.
 */
export function toMinorUnits(value: Decimal, currency: string): bigint {
  const digits = minorDigits(currency);
  const steps = value.times(new Decimal(10).pow(Math.min(digits, 2))).toDecimalPlaces(0, Decimal.ROUND_HALF_UP);
  return BigInt(steps.toFixed(0)) * stripeUnitsPerStep(currency, digits);
}

function stripeUnitsPerStep(currency: string, digits: number): bigint {
  if (SENT_TIMES_100.has(currency.toUpperCase())) return 100n;
  return digits === 3 ? 10n : 1n;
}

/** Money from Stripe's integer: 150n in USD is 1.5, in ISK 1.5 (whatever Stripe says is kept). Throws `UnknownCurrency`. */
export function fromMinorUnits(minor: bigint, currency: string): Decimal {
  const digits = SENT_TIMES_100.has(currency.toUpperCase()) ? 2 : minorDigits(currency);
  return new Decimal(minor.toString()).div(new Decimal(10).pow(digits));
}

/**
 * The least a card can be charged in this currency, in major units; null where Stripe's documentation names none (the
 * limit is then that of the settlement currency). Throws `UnknownCurrency`.
 */
export function minimumCharge(currency: string): Decimal | null {
  minorDigits(currency);
  const amount = MINIMUM_CHARGE.get(currency.toUpperCase());
  return amount === undefined ? null : new Decimal(amount);
}
