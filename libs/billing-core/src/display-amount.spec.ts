import { describe, expect, it } from '@jest/globals';
import { Decimal, displayAmount } from './index.js';

describe('money for people', () => {
  it.each([
    ['149', 'usd', '$149.00'],
    ['1149.5', 'USD', '$1,149.50'],
    ['0.0015', 'usd', '$0.0015'],
    ['0.000000000001', 'usd', '$0.000000000001'],
    ['150', 'jpy', '¥150'],
    ['1.5', 'kwd', 'KWD\u00a01.500'],
    ['99999999999999999999999999.999999999999', 'eur', '€99,999,999,999,999,999,999,999,999.999999999999'],
    ['-3', 'eur', '-€3.00'],
  ])('%s %s is shown as %s, to the last digit', (amount, currency, shown) => {
    expect(displayAmount(new Decimal(amount), currency)).toBe(shown);
  });

  it('refuses what is no currency', () => {
    expect(() => displayAmount(new Decimal(1), 'xxx')).toThrow('unknown currency');
  });
});
