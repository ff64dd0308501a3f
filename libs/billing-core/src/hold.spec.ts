import { type AccrualRule, accrue, emptyAccrual } from './accrual.js';
import type { Aggregation } from './aggregate.js';
import { type LotState, emptyCover } from './burn-down.js';
import { Decimal, text } from './decimal.js';
import { capture, creditsFor, holdCost, reserve } from './hold.js';

const d = (value: string | number) => new Decimal(value);
const MARCH = { start: new Date('2026-03-01T00:00:00Z'), end: new Date('2026-04-01T00:00:00Z') };
const rule = (aggregation: Aggregation, more: Partial<AccrualRule> = {}): AccrualRule => ({
  price: { model: 'FLAT_FEE', amount: d(1) },
  allowance: null,
  span: MARCH,
  meter: { eventName: 'e', filters: [], aggregation, resetUsage: 'BILLING_PERIOD' },
  ...more,
});
const use = (n: string | number, day = 1) => ({
  at: new Date(MARCH.start.getTime() + (day - 1) * 86_400_000),
  arrival: day,
  properties: { n },
});
function cost(
  by: AccrualRule,
  used: ReturnType<typeof use>[],
  open: ReturnType<typeof use>[],
  asked: ReturnType<typeof use>,
) {
  let state = emptyAccrual();
  for (const event of used) {
    const result = accrue(by, state, event);
    if (!('problem' in result)) state = result.state;
  }
  const answer = holdCost(by, state, open, asked);
  return 'problem' in answer ? answer.problem : text(answer.cost);
}

describe('a hold costs what the use would burn on top of usage and open holds', () => {
  const tiers = [
    { upTo: d(10), unitAmount: d(5), flatAmount: null },
    { upTo: null, unitAmount: d(3), flatAmount: null },
  ];
  const slabs = rule({ type: 'SUM', field: 'n' }, { price: { model: 'TIERED', tierMode: 'SLAB', tiers } });
  const free = rule({ type: 'SUM', field: 'n' }, { allowance: d(5) });
  it.each<[string, AccrualRule, ReturnType<typeof use>[], ReturnType<typeof use>[], ReturnType<typeof use>, string]>([
    ['plainly', rule({ type: 'SUM', field: 'n' }), [use(3)], [], use(20), '20'],
    ['in the tier that usage has reached', slabs, [use(9)], [], use(2), '8'],
    ['in the tier that open holds have reached', slabs, [use(5)], [use(4)], use(2), '8'],
    ['nothing within the free units', free, [use(2)], [], use(3), '0'],
    ['free units kept by open holds are gone', free, [use(2)], [use(3)], use(3), '3'],
    ['never below zero', rule({ type: 'LATEST', field: 'n' }), [use(9)], [], use(4, 2), '0'],
    ['only what raises a maximum', rule({ type: 'MAX', field: 'n' }), [use(9)], [], use(12), '3'],
    ['an average moves', rule({ type: 'AVG', field: 'n' }), [use(10)], [], use(20), '5'],
    ["a level lasts to the period's end", rule({ type: 'WEIGHTED_SUM', field: 'n' }), [use(31)], [], use(62, 17), '30'],
    ['a use that is no number is a problem', free, [], [], use('many'), 'property "n" is not a number'],
    ['an open use that is no number counts nothing', free, [], [use('many')], use(6), '1'],
  ])('%s', (_, by, used, open, asked, expected) => {
    expect(cost(by, used, open, asked)).toBe(expected);
  });
});

const lot = (id: string, remaining: number, held = 0): Pick<LotState, 'id' | 'remaining' | 'held'> => ({
  id,
  remaining: d(remaining),
  held: d(held),
});
const told = (draws: { lotId: string; credits: Decimal }[]) =>
  draws.map(({ lotId, credits }) => `${lotId} ${text(credits)}`);

it('credits for money are rounded up', () => {
  expect(text(creditsFor(d(10), d(3)))).toBe('3.333333333334');
  expect(text(creditsFor(d(10), d('0.01')))).toBe('1000');
});

describe('reserve', () => {
  it('takes unheld credits in order', () => {
    const { held, short } = reserve([lot('a', 10, 4), lot('b', 10)], d(12));
    expect(told(held)).toEqual(['a 6', 'b 6']);
    expect(text(short)).toBe('0');
  });
  it('says what is short', () => {
    expect(text(reserve([lot('a', 10, 4)], d(12)).short)).toBe('6');
  });
});

describe('capture', () => {
  const held = [
    { lotId: 'a', credits: d(5) },
    { lotId: 'b', credits: d(5) },
  ];
  const captured = (cost: number, lots: ReturnType<typeof lot>[]) => {
    const { cover, draws, released } = capture(emptyCover(), d(cost), held, lots, d(1));
    return { draws: told(draws), released: told(released), short: text(cover.shortfall) };
  };

  it('of what was held takes just that, from a lot that has expired too', () => {
    expect(captured(10, [])).toEqual({ draws: ['a 5', 'b 5'], released: [], short: '0' });
  });
  it('of less releases the rest', () => {
    expect(captured(3, [lot('a', 20, 5)])).toEqual({ draws: ['a 3'], released: ['a 2', 'b 5'], short: '0' });
    expect(captured(0, [])).toEqual({ draws: [], released: ['a 5', 'b 5'], short: '0' });
  });
  it('of more takes held credits first, then others in order, and the rest is short', () => {
    const lots = [lot('c', 4), lot('a', 7, 5)];
    expect(captured(20, lots)).toEqual({ draws: ['a 7', 'b 5', 'c 4'], released: [], short: '4' });
  });
});
