import fc from 'fast-check';
import {
  type AccrualReading,
  type AccrualRule,
  type AccrualState,
  accrue,
  accrueUntil,
  carryOver,
  emptyAccrual,
  freeUsedIn,
  openWith,
  readAccrual,
  reprice,
} from './accrual.js';
import { type Aggregation, BUCKET_SIZES } from './aggregate.js';
import { Decimal, ZERO, text } from './decimal.js';
import { BILLING_PERIODS, type Span } from './period.js';
import type { UnitPrice } from './price.js';
import { recompute } from './recompute.js';
import type { UsageEvent } from './running-total.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const MARCH: Span = { start: new Date('2026-02-28T23:00:00Z'), end: new Date('2026-03-31T22:00:00Z') };
const ZONE = 'Europe/Berlin';

const d = (value: string | number) => new Decimal(value);
const amount = fc.integer({ min: 0, max: 5_000 }).map((n) => d(n).div(100));
const tiers = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), amount, fc.option(amount)), { minLength: 1, maxLength: 4 })
  .map((steps) => {
    let upTo = 0;
    return steps.map(([width, unitAmount, flatAmount], place) => {
      upTo += width;
      return { upTo: place === steps.length - 1 ? null : d(upTo), unitAmount, flatAmount };
    });
  });
const price: fc.Arbitrary<UnitPrice> = fc.oneof(
  amount.map((of): UnitPrice => ({ model: 'FLAT_FEE', amount: of })),
  fc.record({
    model: fc.constant('PACKAGE' as const),
    amount,
    divideBy: fc.integer({ min: 1, max: 9 }).map(d),
    round: fc.constantFrom('up' as const, 'down' as const),
  }),
  fc.record({
    model: fc.constant('TIERED' as const),
    tierMode: fc.constantFrom('SLAB' as const, 'VOLUME' as const),
    tiers,
  }),
);
const aggregation: fc.Arbitrary<Aggregation> = fc.oneof(
  fc.constantFrom<Aggregation>(
    { type: 'COUNT' },
    { type: 'SUM', field: 'n' },
    { type: 'AVG', field: 'n' },
    { type: 'MAX', field: 'n' },
    { type: 'LATEST', field: 'n' },
    { type: 'COUNT_UNIQUE', field: 'n' },
    { type: 'SUM_WITH_MULTIPLIER', field: 'n', multiplier: '0.333333333333' },
    { type: 'WEIGHTED_SUM', field: 'n' },
  ),
  fc.record({
    type: fc.constantFrom('MAX' as const, 'SUM' as const),
    field: fc.constant('n'),
    bucketSize: fc.constantFrom(...BUCKET_SIZES),
    groupBy: fc.constantFrom(null, 'g'),
  }),
);
const allowance = fc.oneof(fc.constantFrom(null, 'unlimited' as const), fc.integer({ min: 0, max: 60 }).map(d));
const rule: fc.Arbitrary<AccrualRule> = fc
  .record({
    aggregation,
    price,
    allowance,
    freeUsedBefore: fc.option(fc.integer({ min: 0, max: 20 }).map(d)),
    window: fc.constantFrom(null, ...BILLING_PERIODS, 'NEVER' as const),
  })
  .map(({ aggregation: of, window, ...rest }) => {
    const windowed = ['COUNT', 'SUM', 'SUM_WITH_MULTIPLIER'].includes(of.type) && !of.bucketSize && window;
    return {
      ...rest,
      meter: { eventName: 'e', filters: [], aggregation: of, resetUsage: 'BILLING_PERIOD' as const },
      window: windowed ? { period: windowed, anchor: MARCH.start, zone: ZONE } : null,
      span: MARCH,
      zone: ZONE,
    };
  });

type Told = UsageEvent & { id: number };
/** Events of March with values of both signs, some without a usable value; `arrival` is their place. */
const events = fc
  .array(
    fc.record({
      at: fc.integer({ min: MARCH.start.getTime(), max: MARCH.end.getTime() - 1 }).map((ms) => new Date(ms)),
      n: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: -30, max: 60 }).map((n) => String(n / 4)) },
        fc.constant('x'),
      ),
      g: fc.constantFrom('a', 'b', undefined),
    }),
    { maxLength: 15 },
  )
  .map((list) => list.map(({ at, n, g }, arrival): Told => ({ id: arrival, at, arrival, properties: { n, g } })));

/** Folds events one by one, each id once, and returns the state with all that was burnt. */
function fold(by: AccrualRule, list: readonly Told[], from: AccrualState = emptyAccrual()) {
  const seen = new Set<number>();
  let state = from;
  let burnt = ZERO;
  for (const event of list) {
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    const result = accrue(by, state, event);
    if ('problem' in result) continue;
    // An expectation for each event would cost more than all that is tested.
    if (!result.accrued.eq(result.state.accrued))
      throw new Error(`${text(result.accrued)} accrued, stored ${result.state.accrued}`);
    burnt = burnt.plus(result.delta);
    state = JSON.parse(JSON.stringify(result.state)) as AccrualState;
  }
  return { state, burnt };
}
const told = ({ quantity, free, billable, accrued }: AccrualReading) => [quantity, free, billable, accrued].map(text);

describe('an accrual', () => {
  it('is the same folded in any order with events delivered twice, and recomputed from all of them', () => {
    fc.assert(
      fc.property(
        rule,
        events.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
        ),
        (by, [list, delivered]) => {
          const inOrder = fold(by, list);
          const shuffled = fold(by, delivered);
          expect(told(readAccrual(by, shuffled.state))).toEqual(told(readAccrual(by, inOrder.state)));
          expect(told(readAccrual(by, inOrder.state))).toEqual(told(recompute(by, list)));
          expect(shuffled.burnt.eq(shuffled.state.accrued)).toBe(true);
          expect(told(readAccrual(by, reprice(by, shuffled.state).state))).toEqual(
            told(readAccrual(by, shuffled.state)),
          );
        },
      ),
      RUNS,
    );
  });

  it('is the same at the close of the period when time passes in between', () => {
    fc.assert(
      fc.property(rule, events, fc.integer({ min: 0, max: 15 }), (by, list, pause) => {
        const first = fold(by, list.slice(0, pause)).state;
        const waited = accrueUntil(by, first, new Date('2026-03-15T00:00:00Z')).state;
        const closed = accrueUntil(by, fold(by, list.slice(pause), waited).state, MARCH.end);
        expect(text(closed.accrued)).toBe(text(recompute(by, list, { until: MARCH.end }).accrued));
      }),
      RUNS,
    );
  });

  it('carries usage that is never reset into the next period, late events too', () => {
    fc.assert(
      fc.property(rule, events, events, fc.integer({ min: 0, max: 15 }), (base, before, after, late) => {
        const by = { ...base, meter: { ...base.meter, resetUsage: 'NEVER' as const } };
        const february: AccrualRule = {
          ...by,
          window: null,
          span: { start: new Date('2026-01-31T23:00:00Z'), end: MARCH.start },
        };
        const carriedEvents = before.map((event) => ({ ...event, at: new Date(event.at.getTime() - 32 * 86_400_000) }));
        const inTime = fold(february, carriedEvents.slice(late)).state;
        const opened = openWith(by, emptyAccrual(), carryOver(february, inTime, MARCH.start)).state;
        const used = fold(by, after, opened).state;
        const all = fold(february, carriedEvents.slice(0, late), inTime).state;
        const anew = openWith(by, used, carryOver(february, all, MARCH.start));
        const bucketed = by.meter.aggregation.bucketSize;
        const expected = recompute(by, after, { carriedEvents: bucketed ? [] : carriedEvents });
        expect(text(anew.accrued)).toBe(text(expected.accrued));
        expect(text(anew.delta)).toBe(text(anew.accrued.minus(used.accrued)));
      }),
      RUNS,
    );
  });

  it('is not changed by cutting its period in two when nothing but free units is at stake', () => {
    fc.assert(
      fc.property(rule, events, (base, list) => {
        const by: AccrualRule = {
          ...base,
          price: { model: 'FLAT_FEE', amount: d(2) },
          meter: { ...base.meter, aggregation: { type: 'COUNT' } },
        };
        const cut = new Date('2026-03-15T00:00:00Z');
        const first = fold(
          { ...by, span: { start: MARCH.start, end: cut } },
          list.filter(({ at }) => at < cut),
        ).state;
        const freeUsedBefore = freeUsedIn({ ...by, span: { start: MARCH.start, end: cut } }, first, cut);
        const second: AccrualRule = { ...by, freeUsedBefore, span: { start: cut, end: MARCH.end } };
        const rest = fold(
          second,
          list.filter(({ at }) => at >= cut),
        ).state;
        expect(text(d(first.accrued).plus(rest.accrued))).toBe(text(recompute(by, list).accrued));
      }),
      RUNS,
    );
  });
});
