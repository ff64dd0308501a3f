import { type AccrualRule, type AccrualState, accrue, emptyAccrual, readAccrual } from './accrual.js';
import type { AggregationType } from './aggregate.js';
import { Decimal, text } from './decimal.js';
import type { UnitPrice } from './price.js';
import type { UsageEvent } from './running-total.js';

const d = (value: string | number) => new Decimal(value);
const flat = (amount: string): UnitPrice => ({ model: 'FLAT_FEE', amount: d(amount) });

function rule(type: AggregationType, price: UnitPrice, allowance: AccrualRule['allowance'] = null): AccrualRule {
  const aggregation = { type, field: 'rows' };
  return { price, allowance, meter: { eventName: 'e', filters: [], aggregation, resetUsage: 'BILLING_PERIOD' } };
}

/** Folds events of these values, one second apart, and tells what each burnt. */
function burnt(by: AccrualRule, values: (string | number)[]): { deltas: string[]; state: AccrualState } {
  let state = emptyAccrual();
  const deltas = values.map((rows, second) => {
    const event: UsageEvent = { at: new Date(second * 1000), arrival: second, properties: { rows } };
    const result = accrue(by, state, event);
    if ('problem' in result) throw new Error(result.problem);
    state = result.state;
    return text(result.delta);
  });
  return { deltas, state };
}

describe('an event burns accrued(after) - accrued(before)', () => {
  const slabs: UnitPrice = {
    model: 'TIERED',
    tierMode: 'SLAB',
    tiers: [
      { upTo: d(10), unitAmount: d(5), flatAmount: null },
      { upTo: null, unitAmount: d(3), flatAmount: null },
    ],
  };
  const volume = { ...slabs, tierMode: 'VOLUME' as const };
  it.each<[string, AccrualRule, (string | number)[], string[]]>([
    ['COUNT by the unit', rule('COUNT', flat('10')), [1, 1], ['10', '10']],
    ['free units first', rule('COUNT', flat('10'), d(2)), [1, 1, 1, 1], ['0', '0', '10', '10']],
    ['an event half within the free units', rule('SUM', flat('1.5'), d(5)), [4, 4], ['0', '4.5']],
    ['unlimited is free', rule('SUM', flat('1.5'), 'unlimited'), [4, 4000], ['0', '0']],
    ['over the edge of a slab', rule('SUM', slabs), [9, 2], ['45', '8']],
    ['volume falls when a tier is reached', rule('SUM', volume), [10, 1], ['50', '-17']],
    ['a correction gives back', rule('SUM', flat('1.5')), [20, -5], ['30', '-7.5']],
    ['below zero is priced as zero and kept', rule('SUM', flat('1.5')), [-5, 4, 3], ['0', '0', '3']],
    [
      'a package burns when it is started',
      rule('SUM', { model: 'PACKAGE', amount: d(2), divideBy: d(10), round: 'up' }),
      [1, 9, 1],
      ['2', '0', '2'],
    ],
    [
      'thirds of a unit never add up to more',
      rule('SUM', flat('0.333333333333')),
      [1, 1, 1],
      Array(3).fill('0.333333333333'),
    ],
    ['AVG falls and rises', rule('AVG', flat('1')), [10, 20, 0], ['10', '5', '-5']],
    ['MAX only rises', rule('MAX', flat('1')), [10, 5, 12], ['10', '0', '2']],
    ['LATEST follows', rule('LATEST', flat('1')), [10, 5], ['10', '-5']],
  ])('%s', (_, by, values, deltas) => {
    expect(burnt(by, values).deltas).toEqual(deltas);
  });
});

it('reads as quantity, free, billable and accrued', () => {
  const by = rule('COUNT', flat('10'), d(5));
  const { state } = burnt(by, [1, 1, 1, 1, 1, 1]);
  const { quantity, free, billable, accrued } = readAccrual(by, state);
  expect([quantity, free, billable, accrued].map(text)).toEqual(['6', '5', '1', '10']);
});

it('a state is plain JSON', () => {
  const { state } = burnt(rule('SUM', flat('1.5')), ['0.000000000001', '99999999']);
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
});

it('a property that is no number is a problem and changes nothing', () => {
  const event = { at: new Date(0), arrival: 0, properties: { rows: 'many' } };
  expect(accrue(rule('SUM', flat('1')), emptyAccrual(), event)).toEqual({ problem: 'property "rows" is not a number' });
});

it('LATEST is the greatest timestamp, then the later arrival', () => {
  const by = rule('LATEST', flat('1'));
  let state = emptyAccrual();
  const say = (at: number, arrival: number, rows: string) => {
    const result = accrue(by, state, { at: new Date(at), arrival, properties: { rows } });
    if (!('problem' in result)) state = result.state;
    return text(readAccrual(by, state).quantity);
  };
  expect([say(10, 1, '7'), say(5, 2, '8'), say(10, 3, '9'), say(10, 2, '1')]).toEqual(['7', '7', '9', '9']);
});
