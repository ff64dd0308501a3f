import fc from 'fast-check';
import { type AccrualRule, accrue, emptyAccrual } from './accrual.js';
import { Decimal, ZERO, text } from './decimal.js';
import { type TieredPrice, type UnitPrice, priceOf } from './price.js';
import { validatePrice } from './price-rules.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const d = (value: string | number) => new Decimal(value);
const cents = (max: number) => fc.integer({ min: 0, max }).map((n) => d(n).div(100));

/** Tiers that end at rising quantities, the last without end. */
const tiersOf = (flat: fc.Arbitrary<Decimal | null>) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 500 }), cents(1000), flat), { minLength: 1, maxLength: 5 })
    .map((steps) => {
      let upTo = ZERO;
      return steps.map(([width, unitAmount, flatAmount], place) => {
        upTo = upTo.plus(d(width).div(10));
        return { upTo: place === steps.length - 1 ? null : upTo, unitAmount, flatAmount };
      });
    });
const slab = tiersOf(fc.constant(null)).map((tiers): TieredPrice => ({ model: 'TIERED', tierMode: 'SLAB', tiers }));
const anyPrice: fc.Arbitrary<UnitPrice> = fc.oneof(
  cents(1000).map((amount): UnitPrice => ({ model: 'FLAT_FEE', amount })),
  fc
    .tuple(cents(1000), fc.integer({ min: 1, max: 50 }), fc.constantFrom('up' as const, 'down' as const))
    .map(([amount, units, round]): UnitPrice => ({ model: 'PACKAGE', amount, divideBy: d(units), round })),
  fc
    .tuple(tiersOf(fc.option(cents(1000))), fc.constantFrom('SLAB' as const, 'VOLUME' as const))
    .map(([tiers, tierMode]): UnitPrice => ({ model: 'TIERED', tierMode, tiers })),
);
const quantity = fc.integer({ min: 0, max: 300_000 }).map((n) => d(n).div(1000));

describe('graduated (slab) prices without flat amounts', () => {
  it('never cost less for more', () => {
    fc.assert(
      fc.property(slab, quantity, quantity, (price, a, b) => {
        const [less, more] = a.lt(b) ? [a, b] : [b, a];
        expect(priceOf(price, less).lte(priceOf(price, more))).toBe(true);
      }),
      RUNS,
    );
  });

  it('are continuous: a little more costs at most that little at the dearest tier', () => {
    fc.assert(
      fc.property(slab, quantity, fc.integer({ min: 1, max: 1000 }), (price, at, step) => {
        const little = d(step).div('1e12');
        const dearest = Decimal.max(...price.tiers.map((tier) => tier.unitAmount));
        expect(priceOf(price, at.plus(little)).minus(priceOf(price, at)).lte(dearest.times(little))).toBe(true);
      }),
      RUNS,
    );
  });
});

it('a quantity split over any number of events costs what it costs at once', () => {
  const meter = {
    eventName: 'e',
    filters: [],
    aggregation: { type: 'SUM' as const, field: 'n' },
    resetUsage: 'BILLING_PERIOD' as const,
  };
  fc.assert(
    fc.property(
      anyPrice,
      fc.option(quantity),
      fc.array(quantity, { minLength: 1, maxLength: 8 }),
      (price, allowance, parts) => {
        const rule: AccrualRule = { price, meter, allowance };
        let state = emptyAccrual();
        let burnt = ZERO;
        for (const [arrival, part] of parts.entries()) {
          const result = accrue(rule, state, { at: new Date(0), arrival, properties: { n: text(part) } });
          if ('problem' in result) throw new Error(result.problem);
          state = result.state;
          burnt = burnt.plus(result.delta);
        }
        const all = parts.reduce((one, other) => one.plus(other), ZERO);
        expect(text(burnt)).toBe(text(priceOf(price, Decimal.max(all.minus(allowance ?? 0), 0))));
      },
    ),
    RUNS,
  );
});

it('a price is valid, and never costs less than nothing', () => {
  fc.assert(
    fc.property(anyPrice, quantity, (price, of) => {
      expect(validatePrice(price)).toEqual([]);
      expect(priceOf(price, of).gte(0)).toBe(true);
    }),
    RUNS,
  );
});
