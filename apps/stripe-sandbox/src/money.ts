import { invalidParameter, invalidRequest } from './api-error.js';

const SUPPORTED = new Set(
  (
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf ' +
    'clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils ' +
    'inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk ' +
    'mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp ' +
    'sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw'
  ).split(' '),
);
const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));
/** Kept with two decimals for compatibility, though both must be 0. */
const WHOLE_UNITS_ONLY = new Set('isk ugx'.split(' '));

const MINIMUM: Record<string, number> = {
  usd: 50, eur: 50, chf: 50, cad: 50, aud: 50, gbp: 30, jpy: 50, pln: 200, aed: 200, myr: 200, ron: 200,
  sek: 300, nok: 300, dkk: 250, czk: 1500, huf: 17500, mxn: 1000, thb: 1000, hkd: 400,
}; // prettier-ignore
export const MAXIMUM = 99_999_999;

export function checkCurrency(currency: string, param = 'currency'): string {
  const known = currency.toLowerCase();
  if (!SUPPORTED.has(known)) throw invalidParameter(`Invalid currency: ${currency}.`, param);
  return known;
}

/** Whether Stripe would take this amount (in the smallest unit) in this currency. */
export function checkAmount(amount: number, currency: string, param = 'amount'): void {
  if (amount > MAXIMUM) {
    throw invalidRequest(`Amount must be no more than ${format(MAXIMUM, currency)}`, {
      code: 'amount_too_large',
      param,
    });
  }
  const least = MINIMUM[currency] ?? 1;
  if (amount < least) {
    throw invalidRequest(`Amount must be at least ${format(least, currency)}`, { code: 'amount_too_small', param });
  }
  if (WHOLE_UNITS_ONLY.has(currency) && amount % 100 !== 0) {
    throw invalidRequest(`Amounts in ${currency} must end in 00: ${amount}`, { code: 'invalid_charge_amount', param });
  }
  if (THREE_DECIMAL.has(currency) && amount % 10 !== 0) {
    throw invalidRequest(`Amounts in ${currency} must end in 0: ${amount}`, { code: 'invalid_charge_amount', param });
  }
}

/** `1234` in `usd` as `12.34 USD`, exactly. */
export function format(amount: number, currency: string): string {
  const decimals = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
  const digits = String(Math.abs(amount)).padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  const text = decimals === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`;
  return `${amount < 0 ? '-' : ''}${text} ${currency.toUpperCase()}`;
}
