import { Decimal, emptyAccrual, emptyCover, text, type Draw } from '@drawdown/billing-core';
import { Purses, type PurseLot } from '@drawdown/wallets';
import { Coverage } from './coverage.js';
import type { OpenAccrual } from './open-accrual.js';

const d = (value: string | number) => new Decimal(value);
const START = new Date('2026-01-10T09:00:00Z');
const END = new Date('2026-02-10T09:00:00Z');
const NOON = new Date('2026-01-12T12:00:00Z');
const LATER = new Date('2026-01-12T13:00:00Z');

const accrual = (lineItemId: string, short = '0'): OpenAccrual => ({
  subscriptionId: 's1',
  lineItemId,
  periodId: 'p1',
  customerId: 'c1',
  currency: 'usd',
  period: { kind: 'paid', start: START, end: END, closed: false, settled: false },
  state: emptyAccrual(),
  events: 0,
  quantity: d(0),
  free: d(0),
  billable: d(0),
  cover: { ...emptyCover(), shortfall: d(short) },
  draws: [],
  shortNo: short === '0' ? null : 1,
  freeBefore: d(0),
  eventless: d(0),
  late: false,
});

const lot = (id: string, remaining: string, more: Partial<PurseLot> = {}): PurseLot => ({
  id,
  walletId: 'w1',
  customerId: 'c1',
  currency: 'usd',
  usable: true,
  priority: null,
  effectiveAt: START,
  expiresAt: null,
  purchased: false,
  createdAt: START,
  remaining: d(remaining),
  held: d(0),
  rate: d(1),
  ...more,
});

const part = (lotId: string, credits: string): Draw => ({ lotId, credits: d(credits) });

/** A hold that keeps these parts, and is captured with a use that costs so much. */
function captured(lots: PurseLot[], parts: Draw[], cost: string, others: OpenAccrual[] = []) {
  const used = accrual('used');
  const purses = new Purses(lots, new Map([['c1 usd', d(1)]]));
  purses.hold(parts);
  const coverage = new Coverage([used, ...others], purses);
  coverage.capturing('c1', new Map([['usd', parts]]), LATER, () => coverage.settle(used, d(cost), NOON, LATER));
  return {
    used,
    coverage,
    draws: used.draws.map(({ lotId, credits }) => `${lotId} ${text(credits)}`),
    lots: lots.map(({ remaining, held }) => `${text(remaining)} held ${text(held)}`),
  };
}

describe('what a captured hold keeps', () => {
  it('is drawn first, and then what the burn order says', () => {
    const lots = [lot('a', '10'), lot('b', '10'), lot('c', '10')];
    expect(captured(lots, [part('b', '4')], '7')).toMatchObject({
      draws: ['b 4', 'a 3'],
      lots: ['7 held 0', '6 held 0', '10 held 0'],
    });
  });

  it('is drawn from a lot that has expired since; more is not', () => {
    const lots = [lot('over', '10', { expiresAt: NOON }), lot('a', '1')];
    const { draws, used } = captured(lots, [part('over', '4')], '7');
    expect([draws, text(used.cover.shortfall)]).toEqual([['over 4', 'a 1'], '2']);
  });

  it('is free again where it was not needed, and pays what others are short of', () => {
    const short = accrual('short', '5');
    const { lots, coverage } = captured([lot('a', '10')], [part('a', '10')], '2', [short]);
    expect([lots, text(short.cover.shortfall)]).toEqual([['3 held 0'], '0']);
    expect([...coverage.paidDown.values()].map(({ credits }) => text(credits))).toEqual(['5']);
  });

  it('leaves what other holds keep of the same lot', () => {
    const lots = [lot('a', '10', { held: d(3) })];
    const { draws, used } = captured(lots, [part('a', '4')], '9');
    expect([draws, lots.map(({ held }) => text(held)), text(used.cover.shortfall)]).toEqual([['a 7'], ['3'], '2']);
  });
});

describe('a shortfall', () => {
  it('that is settled and arises again is younger than the others', () => {
    const [first, second] = [accrual('first', '5'), accrual('second', '5')];
    second.shortNo = 2;
    const purses = new Purses([lot('a', '5')], new Map([['c1 usd', d(1)]]));
    const coverage = new Coverage([first, second], purses);
    coverage.settle(first, d(-5), NOON, NOON);
    coverage.settle(first, d(10), NOON, NOON);
    expect(first.shortNo).toBeGreaterThan(2);
    purses.giveBack([part('a', '5')]);
    coverage.payDown('c1', 'usd', NOON);
    expect([first, second].map(({ cover }) => text(cover.shortfall))).toEqual(['5', '0']);
  });
});
