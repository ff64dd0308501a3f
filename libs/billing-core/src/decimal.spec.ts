import { Decimal, MAX_AMOUNT, ceil12, floor12, parseDecimal, round12, sum, text } from './decimal.js';

describe('parseDecimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['149', '149'],
    ['007.50', '7.5'],
    ['-12.000000000001', '-12.000000000001'],
    ['1.0000000000000000', '1'],
    [1.5, '1.5'],
    [-0, '0'],
    [1e-7, '0.0000001'],
    [1e21, '1000000000000000000000'],
    [12n, '12'],
    [new Decimal('3.25'), '3.25'],
    [MAX_AMOUNT.toString(), '99999999999999999999999999.999999999999'],
  ])('reads %p as %s', (value, expected) => {
    expect(text(parseDecimal(value)!)).toBe(expected);
  });

  it.each([
    ['', 'blank'],
    [' 5', 'a space'],
    ['5.', 'nothing behind the point'],
    ['.5', 'nothing before the point'],
    ['+5', 'a plus sign'],
    ['1e400', 'an exponent'],
    ['1e2', 'a small exponent'],
    ['0x10', 'hexadecimal'],
    ['1_000', 'a separator'],
    ['1,5', 'a comma'],
    ['NaN', 'not a number'],
    ['Infinity', 'infinity'],
    ['100000000000000000000000000', '27 integer digits'],
    ['0.0000000000001', '13 places'],
    ['0'.repeat(5000), 'an endless text'],
    [0.1 + 0.2, '17 places'],
    [1e26, '27 integer digits'],
    [Number.NaN, 'not a number'],
    [Number.POSITIVE_INFINITY, 'infinity'],
    [null, 'null'],
    [undefined, 'nothing'],
    [true, 'a boolean'],
    [['5'], 'a list'],
    [{}, 'an object'],
    [new Decimal('0.1').div(3), 'an unrounded quotient'],
    [new Decimal(Number.NaN), 'a Decimal that is none'],
  ] as [unknown, string][])('refuses %p: %s', (value) => {
    expect(parseDecimal(value)).toBeNull();
  });
});

describe('roundings', () => {
  it.each([
    ['0.0000000000005', '0.000000000001', '0', '0.000000000001'],
    ['-0.0000000000005', '-0.000000000001', '0', '0'],
    ['0.00000000000049', '0', '0', '0.000000000001'],
    ['491.93548387096774193', '491.935483870968', '491.935483870967', '491.935483870968'],
  ])('of %s at 12 places: half away from zero %s, cut %s, up %s', (value, rounded, cut, up) => {
    expect(text(round12(new Decimal(value)))).toBe(rounded);
    expect(text(floor12(new Decimal(value)))).toBe(cut);
    expect(text(ceil12(new Decimal(value)))).toBe(up);
  });
});

describe('text', () => {
  it('never writes an exponent, a zero at the end or a minus before zero', () => {
    expect(text(new Decimal('1e25'))).toBe('10000000000000000000000000');
    expect(text(new Decimal('1e-12'))).toBe('0.000000000001');
    expect(text(new Decimal('2.500'))).toBe('2.5');
    expect(text(new Decimal('-0'))).toBe('0');
  });
});

it('a sum of nothing is zero, and sums do not drift', () => {
  expect(text(sum([]))).toBe('0');
  expect(text(sum(Array.from({ length: 10 }, () => new Decimal('0.1'))))).toBe('1');
});
