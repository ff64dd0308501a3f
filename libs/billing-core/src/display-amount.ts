import { minorDigits } from './currency.js';
import { DECIMAL_PLACES, type Decimal, text } from './decimal.js';

const formats = new Map<string, Intl.NumberFormat>();

/**
 * Money for people, such as `$1,149.00`, `¥150` or `$0.0015`: at least the digits of the currency's minor unit, and
 * every further digit the amount has. For display only; nothing reads it back. Throws `UnknownCurrency`.
 */
export function displayAmount(amount: Decimal, currency: string): string {
  const code = currency.toUpperCase();
  let format = formats.get(code);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      style: 'currency',
      currency: code,
      minimumFractionDigits: minorDigits(code),
      maximumFractionDigits: DECIMAL_PLACES,
    });
    formats.set(code, format);
  }
  return format.format(text(amount) as Intl.StringNumericLiteral);
}
