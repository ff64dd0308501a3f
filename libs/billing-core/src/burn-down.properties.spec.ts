import fc from 'fast-check';
import { type BurnableLot, type Cover, type Draw, burn, emptyCover, giveBack, payDown } from './burn-down.js';
import { Decimal, ZERO, round12, sum } from './decimal.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };

/** Amounts of 12 places, small ones too: the crumbs are where a rate that does not divide shows. */
const amount = fc
  .oneof(fc.bigInt({ min: 0n, max: 100n }), fc.bigInt({ min: 0n, max: 10n ** 16n }))
  .map((n) => new Decimal(n.toString()).div('1e12'));
const rate = fc
  .constantFrom('1', '0.01', '0.001', '3', '0.07', '7.77', '1000', '0.333333333333')
  .map((r) => new Decimal(r));
const lots = fc
  .array(fc.record({ remaining: amount, held: amount }), { maxLength: 6 })
  .map((list) =>
    list.map((one, n): BurnableLot => ({ id: `l${n}`, ...one, held: Decimal.min(one.held, one.remaining) })),
  );

const drawnCredits = (draws: readonly Draw[]) => sum(draws.map((draw) => draw.credits));
function afterDraws(before: readonly BurnableLot[], draws: readonly Draw[]): BurnableLot[] {
  return before.map((lot) => ({
    ...lot,
    remaining: lot.remaining.minus(drawnCredits(draws.filter((draw) => draw.lotId === lot.id))),
  }));
}
function byLot(draws: readonly Draw[]): Record<string, string> {
  const ids = [...new Set(draws.map((draw) => draw.lotId))].toSorted();
  return Object.fromEntries(ids.map((id) => [id, drawnCredits(draws.filter((draw) => draw.lotId === id)).toString()]));
}
const texts = (cover: Cover) => [cover.covered, cover.credits, cover.shortfall].map(String);

describe('burn-down', () => {
  it('covers and falls short by exactly the cost; credits are round12(covered / rate); no lot goes below its holds', () => {
    fc.assert(
      fc.property(lots, rate, fc.array(amount, { maxLength: 8 }), (all, by, costs) => {
        let state = emptyCover();
        let open = all;
        let drawn = ZERO;
        for (const cost of costs) {
          const { cover, draws } = burn(state, cost, open, by);
          expect(cover.covered.plus(cover.shortfall).eq(state.covered.plus(state.shortfall).plus(cost))).toBe(true);
          expect(draws.every((draw) => draw.credits.gt(0))).toBe(true);
          open = afterDraws(open, draws);
          drawn = drawn.plus(drawnCredits(draws));
          state = cover;
        }
        expect(state.credits.eq(round12(state.covered.div(by)))).toBe(true);
        expect(state.credits.eq(drawn)).toBe(true);
        expect(open.every((lot) => lot.remaining.gte(lot.held))).toBe(true);
      }),
      RUNS,
    );
  });

  it('of a, then b, is the burn-down of a + b', () => {
    fc.assert(
      fc.property(lots, rate, amount, amount, amount, (all, by, before, a, b) => {
        const start = burn(emptyCover(), before, [{ id: 'old', remaining: before, held: ZERO }], by).cover;
        const first = burn(start, a, all, by);
        const second = burn(first.cover, b, afterDraws(all, first.draws), by);
        const once = burn(start, a.plus(b), all, by);
        expect(texts(second.cover)).toEqual(texts(once.cover));
        expect(byLot([...first.draws, ...second.draws])).toEqual(byLot(once.draws));
      }),
      RUNS,
    );
  });

  it('leaves a shortfall only when no unheld credits are left that are worth 1e-12 of money', () => {
    fc.assert(
      fc.property(lots, rate, amount, (all, by, cost) => {
        const { cover, draws } = burn(emptyCover(), cost, all, by);
        const left = sum(afterDraws(all, draws).map((lot) => lot.remaining.minus(lot.held)));
        if (cover.shortfall.gt(0)) expect(left.times(by).lt('2e-12')).toBe(true);
      }),
      RUNS,
    );
  });

  it('is undone by giving back: everything returns to the lots it came from', () => {
    fc.assert(
      fc.property(lots, rate, amount, amount, (all, by, cost, back) => {
        const { cover, draws } = burn(emptyCover(), cost, all, by);
        const part = giveBack(cover, Decimal.min(back, cost), draws, by);
        expect(part.cover.credits.eq(round12(part.cover.covered.div(by)))).toBe(true);
        expect(drawnCredits(part.returns).eq(cover.credits.minus(part.cover.credits))).toBe(true);
        const whole = giveBack(cover, cost, draws, by);
        expect(texts(whole.cover)).toEqual(['0', '0', '0']);
        expect(byLot(whole.returns)).toEqual(byLot(draws));
      }),
      RUNS,
    );
  });

  it('later credits pay down what the same credits would have paid at once', () => {
    fc.assert(
      fc.property(lots, rate, amount, (all, by, cost) => {
        const short = burn(emptyCover(), cost, [], by).cover;
        expect(texts(payDown(short, all, by).cover)).toEqual(texts(burn(emptyCover(), cost, all, by).cover));
      }),
      RUNS,
    );
  });
});
