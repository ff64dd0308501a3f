import fc from 'fast-check';
import { Decimal, sum } from './decimal.js';
import { prorate, share } from './proration.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const DAY = 86_400_000;

const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map((n) => new Decimal(n.toString()).div('1e12'));
/** A period cut at any instants into parts that tile it. */
const cutPeriod = fc
  .record({
    start: fc.integer({ min: 0, max: 20_000 * DAY }),
    length: fc.integer({ min: 1, max: 400 * DAY }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
  })
  .map(({ start, length, cuts }) => {
    const marks = [0, ...cuts.map((cut) => Math.floor(cut * length)), length].toSorted((a, b) => a - b);
    const at = (ms: number) => new Date(start + ms);
    return {
      whole: { start: at(0), end: at(length) },
      parts: marks.slice(1).map((mark, n) => ({ start: at(marks[n]!), end: at(mark) })),
    };
  });

it('shares lie in [0, 1] and sum to the whole', () => {
  fc.assert(
    fc.property(cutPeriod, ({ whole, parts }) => {
      const shares = parts.map((part) => share(part, whole));
      expect(shares.every((one) => one.gte(0) && one.lte(1))).toBe(true);
      expect(sum(shares).minus(1).abs().lt('1e-90')).toBe(true);
    }),
    RUNS,
  );
});

it('prorated amounts sum to the whole amount exactly, however often a period is cut', () => {
  fc.assert(
    fc.property(amount, cutPeriod, (whole, { whole: period, parts }) => {
      expect(sum(parts.map((part) => prorate(whole, part, period))).eq(whole)).toBe(true);
    }),
    RUNS,
  );
});
