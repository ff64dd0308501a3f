import fc from 'fast-check';
import { Decimal, ZERO, sum, text } from './decimal.js';
import { type FeeLot, payFees } from './fee-credits.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const d = (value: string | number) => new Decimal(value);
const day = (n: number) => new Date(Date.UTC(2026, 0, n));
const FEBRUARY = { start: day(32), end: day(60) };
const lot = (id: string, remaining: number | string, more: Partial<FeeLot> = {}): FeeLot => ({
  id,
  walletId: 'w',
  priority: null,
  effectiveAt: day(1),
  expiresAt: null,
  purchased: false,
  createdAt: day(1),
  remaining: d(remaining),
  held: ZERO,
  rate: d(1),
  grant: false,
  ...more,
});
const fee = (key: string, due: number | string) => ({ key, due: d(due), span: FEBRUARY });
const told = (paid: ReturnType<typeof payFees>) =>
  paid.map(({ key, covered, draws }) =>
    [key, text(covered), ...draws.map(({ lotId, credits }) => `${lotId} ${text(credits)}`)].join(' '),
  );

describe('credits pay fees', () => {
  it.each<[string, FeeLot[], string[]]>([
    ['wholly', [lot('a', 200)], ['fee 149 a 149']],
    ['in burn order, over lots', [lot('a', 100), lot('b', 100)], ['fee 149 a 100 b 49']],
    ['as far as there are some', [lot('a', 9)], ['fee 9 a 9']],
    ['not with what holds keep', [lot('a', 100, { held: d(60) })], ['fee 40 a 40']],
    ['not at all without any', [], []],
    ['not from a plan grant of the period they pay for', [lot('a', 200, { grant: true, effectiveAt: day(32) })], []],
    ['from a plan grant of another', [lot('a', 200, { grant: true, effectiveAt: day(31) })], ['fee 149 a 149']],
    ['by the rate', [lot('a', 20000, { rate: d('0.01') })], ['fee 149 a 14900']],
  ])('%s', (_, lots, expected) => expect(told(payFees([fee('fee', 149)], lots, d(149)))).toEqual(expected));

  it('draws one after the other, and never more than the invoice asks', () => {
    const lots = [lot('a', 100)];
    expect(told(payFees([fee('x', 30), fee('y', 50)], lots, d(80)))).toEqual(['x 30 a 30', 'y 50 a 50']);
    expect(told(payFees([fee('x', 30), fee('y', 50)], lots, d(45)))).toEqual(['x 30 a 30', 'y 15 a 15']);
    expect(told(payFees([fee('back', -20), fee('y', 50)], lots, d(30)))).toEqual(['y 30 a 30']);
  });

  it('never take more than there is or is owed', () => {
    const cents = fc.integer({ min: 0, max: 100_000 }).map((n) => d(n).div(100));
    fc.assert(
      fc.property(fc.array(cents, { maxLength: 5 }), fc.array(cents, { maxLength: 5 }), cents, (dues, has, limit) => {
        const lots = has.map((remaining, n) => lot(`l${n}`, text(remaining)));
        const paid = payFees(
          dues.map((due, n) => fee(`f${n}`, text(due))),
          lots,
          limit,
        );
        const covered = sum(paid.map((one) => one.covered));
        const drawn = sum(paid.flatMap(({ draws }) => draws.map(({ credits }) => credits)));
        expect(text(drawn)).toBe(text(covered));
        expect(text(covered)).toBe(text(Decimal.min(sum(dues), sum(has), limit)));
      }),
      RUNS,
    );
  });
});
