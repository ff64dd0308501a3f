import fc from 'fast-check';
import { roundMoney } from './currency.js';
import { Decimal, ZERO, text } from './decimal.js';
import { changeFee, pausedCredit } from './plan-change.js';
import { prorate } from './proration.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const DAY = 86_400_000;
const fee = fc.bigInt({ min: 0n, max: 10n ** 17n }).map((n) => new Decimal(n.toString()).div('1e12'));
const period = fc
  .tuple(fc.integer({ min: 0, max: 20_000 * DAY }), fc.integer({ min: 1, max: 400 * DAY }))
  .map(([start, length]) => ({ start: new Date(start), end: new Date(start + length) }));
const within = ({ start, end }: { start: Date; end: Date }, share: number) =>
  new Date(start.getTime() + Math.floor((end.getTime() - start.getTime()) * share));
const share = fc.double({ min: 0, max: 1, noNaN: true });

it('a change and a change back at the same instant net zero, in exact money and in cents', () => {
  fc.assert(
    fc.property(fee, fee, period, share, (from, to, whole, moment) => {
      const at = within(whole, moment);
      const there = changeFee({ from, to }, at, whole, whole);
      const back = changeFee({ from: to, to: from }, at, whole, whole);
      expect(text(there.net.plus(back.net))).toBe('0');
      const cents = [there.credit.neg(), there.charge, back.credit.neg(), back.charge].map((money) =>
        roundMoney(money, 'USD'),
      );
      expect(text(cents.reduce((sum, money) => sum.plus(money), ZERO))).toBe('0');
    }),
    RUNS,
  );
});

it('however often a plan changes, the period costs each fee for its own time, to the last place', () => {
  fc.assert(
    fc.property(
      fc.array(fee, { minLength: 1, maxLength: 6 }),
      period,
      fc.array(share, { minLength: 5, maxLength: 5 }),
      (fees, whole, moments) => {
        const cuts = moments.slice(0, fees.length - 1).map((moment) => within(whole, moment));
        const marks = [whole.start, ...cuts.toSorted((a, b) => a.getTime() - b.getTime()), whole.end];
        let paid = fees[0]!;
        let due = ZERO;
        for (const [place, next] of fees.entries()) {
          if (place > 0)
            paid = paid.plus(changeFee({ from: fees[place - 1]!, to: next }, marks[place]!, whole, whole).net);
          due = due.plus(prorate(next, { start: marks[place]!, end: marks[place + 1]! }, whole));
        }
        expect(text(paid)).toBe(text(due));
      },
    ),
    RUNS,
  );
});

it('a pause gives back what the time before and after it does not cost', () => {
  fc.assert(
    fc.property(fee, period, share, share, (of, whole, a, b) => {
      const [start, end] = [within(whole, Math.min(a, b)), within(whole, Math.max(a, b))];
      const kept = prorate(of, { start: whole.start, end: start }, whole).plus(
        prorate(of, { start: end, end: whole.end }, whole),
      );
      expect(text(of.minus(pausedCredit(of, { start, end }, whole, whole)))).toBe(text(kept));
    }),
    RUNS,
  );
});
