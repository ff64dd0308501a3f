import { Decimal } from './decimal.js';
import type { UnitPrice } from './price.js';
import { validatePrice } from './price-rules.js';

const d = (value: string | number) => new Decimal(value);
const tiered = (...upTos: (number | null)[]): UnitPrice => ({
  model: 'TIERED',
  tierMode: 'SLAB',
  tiers: upTos.map((upTo) => ({ upTo: upTo === null ? null : d(upTo), unitAmount: d(1), flatAmount: null })),
});
const packaged = (divideBy: number): UnitPrice => ({
  model: 'PACKAGE',
  amount: d(2),
  divideBy: d(divideBy),
  round: 'up',
});

it.each<[string, UnitPrice]>([
  ['a flat fee', { model: 'FLAT_FEE', amount: d(0) }],
  ['a package', packaged(1000)],
  ['rising tiers', tiered(10, 20, null)],
  ['one tier without end', tiered(null)],
])('%s is right', (_, price) => expect(validatePrice(price)).toEqual([]));

it.each<[string, UnitPrice, string]>([
  ['a negative amount', { model: 'FLAT_FEE', amount: d(-1) }, 'amount: must not be negative'],
  ['no number', { model: 'FLAT_FEE', amount: d(NaN) }, 'amount: must be a number'],
  [
    'a minimum below zero',
    { model: 'FLAT_FEE', amount: d(1), minQuantity: d(-1) },
    'min_quantity: must not be negative',
  ],
  [
    'too many places',
    { model: 'FLAT_FEE', amount: d('1e-13') },
    'amount: has more than 26 integer digits or 12 decimal places',
  ],
  ['an empty package', packaged(0), 'transform_quantity.divide_by: a package holds more than 0 units'],
  ['no tiers', tiered(), 'tiers: a tiered price needs at least one tier'],
  ['overlapping tiers', tiered(20, 10, null), 'tiers[1].up_to: up_to must rise: 10 does not end above 20'],
  ['an empty tier', tiered(10, 10, null), 'tiers[1].up_to: up_to must rise: 10 does not end above 10'],
  ['a first tier of nothing', tiered(0, null), 'tiers[0].up_to: a tier ends above 0'],
  ['a last tier with an end', tiered(10, 20), 'tiers[1].up_to: the last tier has no end: leave up_to out'],
  [
    'an endless tier before another',
    tiered(null, null),
    'tiers[0].up_to: only the last tier has no end: those behind it are never reached',
  ],
])('%s is refused', (_, price, problem) => {
  expect(validatePrice(price).map(({ field, message }) => `${field}: ${message}`)).toContain(problem);
});

it('names each wrong tier amount', () => {
  const price: UnitPrice = {
    model: 'TIERED',
    tierMode: 'VOLUME',
    tiers: [
      { upTo: d(1), unitAmount: d(-1), flatAmount: d(-1) },
      { upTo: null, unitAmount: d(1), flatAmount: null },
    ],
  };
  expect(validatePrice(price).map(({ field }) => field)).toEqual(['tiers[0].unit_amount', 'tiers[0].flat_amount']);
});
