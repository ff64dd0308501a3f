import { type Cover, type LotState, burn, burnOrder, emptyCover, giveBack, mayPay, payDown } from './burn-down.js';
import { Decimal, text } from './decimal.js';

const d = (value: string | number) => new Decimal(value);
const lot = (id: string, more: Partial<LotState> = {}): LotState => ({
  id,
  walletId: 'w1',
  priority: null,
  effectiveAt: new Date('2026-01-01T00:00:00Z'),
  expiresAt: null,
  purchased: false,
  createdAt: new Date('2026-01-01T00:00:00Z'),
  remaining: d(100),
  held: d(0),
  rate: d(1),
  ...more,
});
const told = (draws: { lotId: string; credits: Decimal }[]) =>
  draws.map(({ lotId, credits }) => `${lotId} ${text(credits)}`);
const cover = (covered: string, credits: string, shortfall: string): Cover => ({
  covered: d(covered),
  credits: d(credits),
  shortfall: d(shortfall),
});
const amounts = ({ covered, credits, shortfall }: Cover) => [covered, credits, shortfall].map(text);

describe('burn order', () => {
  const soon = new Date('2026-02-01T00:00:00Z');
  const later = new Date('2026-03-01T00:00:00Z');
  it.each<[string, LotState, LotState]>([
    ['a lower priority first', lot('b', { priority: 0 }), lot('a', { priority: 1 })],
    ['no priority last', lot('b', { priority: 9 }), lot('a', { expiresAt: soon })],
    ['the sooner expiry first', lot('b', { expiresAt: soon }), lot('a', { expiresAt: later })],
    ['no expiry last', lot('b', { expiresAt: later, purchased: true }), lot('a')],
    ['free before purchased', lot('b'), lot('a', { purchased: true, effectiveAt: new Date(0) })],
    ['the older first', lot('b', { effectiveAt: new Date(0) }), lot('a')],
    ['the one created earlier first', lot('b', { createdAt: new Date(0) }), lot('a')],
    ['else by id', lot('a'), lot('b')],
  ])('%s', (_, first, second) => {
    expect(burnOrder([second, first])).toEqual([first, second]);
    expect(burnOrder([first, second])).toEqual([first, second]);
  });
});

describe('a lot may pay an event', () => {
  const end = new Date('2026-02-01T00:00:00Z');
  const event = new Date('2026-01-10T00:00:00Z');
  it.each<[string, Partial<LotState>, boolean]>([
    ['before it expires', { expiresAt: new Date('2026-01-10T00:00:00.001Z') }, true],
    ['not when it expires', { expiresAt: event }, false],
    ['though it took effect after the event, in its period', { effectiveAt: new Date('2026-01-31T00:00:00Z') }, true],
    ["not when it took effect with the period's end", { effectiveAt: end }, false],
  ])('%s', (_, more, expected) => expect(mayPay(lot('a', more), event, end)).toBe(expected));
});

describe('burn', () => {
  it('draws in the order given, never what is held, and the rest is short', () => {
    const lots = [
      lot('a', { remaining: d(10) }),
      lot('b', { remaining: d(20), held: d(15) }),
      lot('c', { held: d(100) }),
    ];
    const burnt = burn(emptyCover(), d(40), lots, d(1));
    expect(told(burnt.draws)).toEqual(['a 10', 'b 5']);
    expect(amounts(burnt.cover)).toEqual(['15', '15', '25']);
  });

  it('counts credits by the rate: money = credits x rate', () => {
    expect(amounts(burn(emptyCover(), d('0.5'), [lot('a')], d('0.01')).cover)).toEqual(['0.5', '50', '0']);
    expect(amounts(burn(emptyCover(), d(3), [lot('a')], d('0.01')).cover)).toEqual(['1', '100', '2']);
  });

  it('does not drift with a rate that does not divide evenly', () => {
    let state = emptyCover();
    let drawn = d(0);
    for (let n = 0; n < 300; n++) {
      const burnt = burn(state, d('0.01'), [lot('a', { remaining: d(100).minus(drawn) })], d(3));
      state = burnt.cover;
      for (const draw of burnt.draws) drawn = drawn.plus(draw.credits);
    }
    expect(amounts(state)).toEqual(['3', '1', '0']);
    expect(text(drawn)).toBe('1');
  });

  it('nothing costs nothing, and a negative cost is refused', () => {
    expect(burn(cover('1', '1', '2'), d(0), [lot('a')], d(1))).toEqual({ cover: cover('1', '1', '2'), draws: [] });
    expect(() => burn(emptyCover(), d(-1), [lot('a')], d(1))).toThrow(RangeError);
  });
});

describe('giveBack', () => {
  const drawn = [
    { lotId: 'a', credits: d(10) },
    { lotId: 'b', credits: d(5) },
  ];
  it('lowers the shortfall first', () => {
    const back = giveBack(cover('15', '15', '25'), d(20), drawn, d(1));
    expect(amounts(back.cover)).toEqual(['15', '15', '5']);
    expect(back.returns).toEqual([]);
  });

  it('then undoes draws, last drawn first', () => {
    const back = giveBack(cover('15', '15', '25'), d(33), drawn, d(1));
    expect(amounts(back.cover)).toEqual(['7', '7', '0']);
    expect(told(back.returns)).toEqual(['b 5', 'a 3']);
  });

  it('refuses to give back more than had accrued, or than was drawn', () => {
    expect(() => giveBack(cover('15', '15', '25'), d(41), drawn, d(1))).toThrow(RangeError);
    expect(() => giveBack(cover('15', '15', '25'), d(-1), drawn, d(1))).toThrow(RangeError);
    expect(() => giveBack(cover('15', '15', '0'), d(12), drawn.slice(1), d(1))).toThrow(RangeError);
  });
});

it('new credits pay an existing shortfall down', () => {
  const paid = payDown(cover('2000', '2000', '250'), [lot('bought', { remaining: d(500) })], d(1));
  expect(told(paid.draws)).toEqual(['bought 250']);
  expect(amounts(paid.cover)).toEqual(['2250', '2250', '0']);
});
