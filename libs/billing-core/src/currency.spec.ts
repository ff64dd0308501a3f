import {
  MAXIMUM_CHARGE_MINOR,
  fromMinorUnits,
  isCurrency,
  minimumCharge,
  minorDigits,
  roundMoney,
  toMinorUnits,
} from './currency.js';
import { Decimal, text } from './decimal.js';

describe('minor digits', () => {
  it.each([
    ['USD', 2],
    ['eur', 2],
    ['JPY', 0],
    ['ISK', 0],
    ['MGA', 0],
    ['KWD', 3],
    ['iqd', 3],
  ])('of %s are %d', (currency, digits) => expect(minorDigits(currency)).toBe(digits));

  it.each(['', 'US', 'DEM', 'XAU', 'XXX', 'EURO', 'constructor'])('%p is no currency', (code) => {
    expect(isCurrency(code)).toBe(false);
    expect(() => minorDigits(code)).toThrow(expect.objectContaining({ name: 'UnknownCurrency' }));
  });
});

describe('roundMoney', () => {
  it.each([
    ['36.649193548387', 'USD', '36.65'],
    ['0.005', 'USD', '0.01'],
    ['-0.005', 'USD', '-0.01'],
    ['0.5', 'JPY', '1'],
    ['1.2345', 'KWD', '1.235'],
  ])('%s %s is %s', (value, currency, rounded) => expect(text(roundMoney(new Decimal(value), currency))).toBe(rounded));
});

describe("Stripe's integers", () => {
  it.each([
    ['149', 'USD', 14900n],
    ['0.5', 'usd', 50n],
    ['150', 'JPY', 150n],
    ['150', 'ISK', 15000n],
    ['5', 'UGX', 500n],
    ['1.23', 'KWD', 1230n],
    ['1.234', 'KWD', 1230n],
    ['1.235', 'KWD', 1240n],
    ['-2.5', 'EUR', -250n],
    ['12345678901234567890.12', 'USD', 1234567890123456789012n],
  ])('%s %s is sent as %s', (value, currency, minor) => expect(toMinorUnits(new Decimal(value), currency)).toBe(minor));

  it.each([
    [14900n, 'USD', '149'],
    [150n, 'JPY', '150'],
    [15000n, 'ISK', '150'],
    [1230n, 'KWD', '1.23'],
  ])('%s in %s is %s', (minor, currency, value) => expect(text(fromMinorUnits(minor, currency))).toBe(value));

  it('knows the least and the most of a charge', () => {
    expect(minimumCharge('usd')?.toString()).toBe('0.5');
    expect(minimumCharge('HUF')?.toString()).toBe('175');
    expect(minimumCharge('BRL')).toBeNull();
    expect(() => minimumCharge('ABC')).toThrow('unknown currency "ABC"');
    expect(MAXIMUM_CHARGE_MINOR).toBe(99_999_999n);
  });
});
