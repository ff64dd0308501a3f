/** Stories of aggregations beyond COUNT and SUM: levels, buckets, windows of free units, usage that is never reset. */
import {
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
import type { Aggregation, ResetUsage } from './aggregate.js';
import { Decimal, text } from './decimal.js';
import type { Span } from './period.js';
import type { UnitPrice } from './price.js';

const d = (value: string | number) => new Decimal(value);
const at = (iso: string) => new Date(`2026-${iso}Z`);
const MARCH: Span = { start: at('03-01T00:00'), end: at('04-01T00:00') };
const APRIL: Span = { start: at('04-01T00:00'), end: at('05-01T00:00') };
const EACH: UnitPrice = { model: 'FLAT_FEE', amount: d(1) };

const rule = (
  aggregation: Aggregation,
  more: Partial<AccrualRule> = {},
  resetUsage: ResetUsage = 'BILLING_PERIOD',
) => ({
  price: EACH,
  allowance: null,
  span: MARCH,
  meter: { eventName: 'e', filters: [], aggregation, resetUsage },
  ...more,
});

/** Folds `[time, properties]` in the order given, and tells what each burnt. */
function story(by: AccrualRule, events: [string, Record<string, unknown>][], from: AccrualState = emptyAccrual()) {
  let state = from;
  const burnt = events.map(([time, properties], arrival) => {
    const result = accrue(by, state, { at: at(time), arrival, properties });
    if ('problem' in result) throw new Error(result.problem);
    state = result.state;
    return text(result.delta);
  });
  const { quantity, free, billable, accrued } = readAccrual(by, state);
  return { burnt, state, read: [quantity, free, billable, accrued].map(text) };
}

describe('COUNT_UNIQUE', () => {
  const by = rule({ type: 'COUNT_UNIQUE', field: 'user' });

  it('counts a value once, whether it is a text or a number', () => {
    const users = [{ user: 'a' }, { user: 'b' }, { user: 'a' }, { user: 3 }, { user: '3' }];
    const { burnt, read } = story(
      by,
      users.map((user) => ['03-02T00:00', user]),
    );
    expect(burnt).toEqual(['1', '1', '0', '1', '0']);
    expect(read[0]).toBe('3');
  });

  it('keeps no values when the caller says what was seen before', () => {
    const event = (repeated: boolean) => ({ at: MARCH.start, arrival: 0, properties: { user: 'a' }, repeated });
    const first = accrue(by, emptyAccrual(), event(false));
    if ('problem' in first) throw new Error(first.problem);
    const second = accrue(by, first.state, event(true));
    if ('problem' in second) throw new Error(second.problem);
    expect([first.quantity, second.quantity, second.total].map(text)).toEqual(['1', '0', '1']);
    expect(second.state.total).toEqual({ count: '1' });
  });

  it('a value named like a property of every object is a value', () => {
    const { read } = story(by, [
      ['03-02T00:00', { user: '__proto__' }],
      ['03-02T00:00', { user: 'constructor' }],
    ]);
    expect(read[0]).toBe('2');
  });
});

describe('WEIGHTED_SUM', () => {
  const by = rule({ type: 'WEIGHTED_SUM', field: 'gb' }, { price: { model: 'FLAT_FEE', amount: d(31) } });

  it('is level x time over the length of the period, accrued by each event and as time passes', () => {
    const { burnt, state } = story(by, [
      ['03-01T00:00', { gb: '10' }],
      ['03-02T00:00', { gb: '-10' }],
    ]);
    expect(burnt).toEqual(['0', '10']);
    expect(text(accrueUntil(by, state, MARCH.end).delta)).toBe('0');
  });

  it('accrues no further than the end of its span, and never back', () => {
    const { state } = story(by, [['03-31T00:00', { gb: '10' }]]);
    const closed = accrueUntil(by, state, APRIL.end);
    expect(text(closed.accrued)).toBe('10');
    expect(accrueUntil(by, closed.state, MARCH.start).state).toEqual(closed.state);
  });

  it('a late event counts from its own time', () => {
    const { state } = story(by, [
      ['03-11T00:00', { gb: '1' }],
      ['03-01T00:00', { gb: '2' }],
    ]);
    expect(text(readAccrual(by, state).accrued)).toBe('20');
  });

  it('a part of a period is measured by the whole', () => {
    const half = { ...by, span: { start: at('03-16T12:00'), end: MARCH.end }, whole: MARCH };
    const { state } = story(half, [['03-16T12:00', { gb: '2' }]]);
    expect(text(accrueUntil(half, state, MARCH.end).total)).toBe('1');
  });

  it('hands its level over when it is never reset', () => {
    const never = { ...by, meter: { ...by.meter, resetUsage: 'NEVER' as const } };
    const { state } = story(never, [['03-01T00:00', { gb: '3' }]]);
    const april = { ...never, span: APRIL };
    const opened = openWith(april, emptyAccrual(), carryOver(never, state, APRIL.start));
    expect(text(opened.delta)).toBe('0');
    expect(text(accrueUntil(april, opened.state, APRIL.end).total)).toBe('3');
    expect(carryOver(by, state, APRIL.start)).toBeNull();
  });

  it('needs the span of its period', () => {
    const event = { at: MARCH.start, arrival: 0, properties: { gb: '1' } };
    expect(() => accrue({ ...by, span: null }, emptyAccrual(), event)).toThrow(RangeError);
  });
});

describe('usage that is never reset', () => {
  const seats = rule({ type: 'SUM', field: 'seats' }, { allowance: d(2) }, 'NEVER');

  it('burns what is carried over as the next period opens, beyond its own free units', () => {
    const { state } = story(seats, [
      ['03-05T00:00', { seats: '5' }],
      ['03-06T00:00', { seats: '-1' }],
    ]);
    const april = { ...seats, span: APRIL };
    const opened = openWith(april, emptyAccrual(), carryOver(seats, state, APRIL.start));
    expect([opened.total, opened.free, opened.delta].map(text)).toEqual(['4', '2', '2']);
    expect(story(april, [['04-02T00:00', { seats: '1' }]], opened.state).burnt).toEqual(['1']);
  });

  it('a late event in the period before moves what was carried over', () => {
    const { state } = story(seats, [['03-05T00:00', { seats: '5' }]]);
    const april = { ...seats, span: APRIL };
    const opened = openWith(april, emptyAccrual(), carryOver(seats, state, APRIL.start)).state;
    const late = story(seats, [['03-07T00:00', { seats: '-2' }]], state).state;
    expect(text(openWith(april, opened, carryOver(seats, late, APRIL.start)).delta)).toBe('-2');
  });

  it('a maximum stays the maximum', () => {
    const max = rule({ type: 'MAX', field: 'seats' }, {}, 'NEVER');
    const { state } = story(max, [['03-05T00:00', { seats: '5' }]]);
    const opened = openWith({ ...max, span: APRIL }, emptyAccrual(), carryOver(max, state, APRIL.start));
    expect(text(opened.delta)).toBe('5');
    expect(story({ ...max, span: APRIL }, [['04-02T00:00', { seats: '3' }]], opened.state).burnt).toEqual(['0']);
  });
});

describe('buckets', () => {
  const hourly = (more: Partial<Aggregation>, rest: Partial<AccrualRule> = {}) =>
    rule({ type: 'MAX', field: 'cpu', bucketSize: 'HOUR', ...more }, rest);

  it('are priced one by one: the maximum of each hour, added up', () => {
    const { burnt, read } = story(hourly({}), [
      ['03-01T00:10', { cpu: '4' }],
      ['03-01T00:20', { cpu: '2' }],
      ['03-01T01:00', { cpu: '3' }],
      ['03-01T00:59', { cpu: '6' }],
    ]);
    expect(burnt).toEqual(['4', '0', '3', '2']);
    expect(read).toEqual(['9', '0', '9', '9']);
  });

  it('add up groups within a bucket', () => {
    const { read } = story(hourly({ groupBy: 'host' }), [
      ['03-01T00:10', { cpu: '4', host: 'a' }],
      ['03-01T00:20', { cpu: '2', host: 'b' }],
      ['03-01T00:30', { cpu: '3', host: 'a' }],
      ['03-01T00:30', { cpu: '1' }],
    ]);
    expect(read[0]).toBe('7');
  });

  it('start a tier anew in each bucket', () => {
    const tiers = [
      { upTo: d(2), unitAmount: d(0), flatAmount: null },
      { upTo: null, unitAmount: d(10), flatAmount: null },
    ];
    const by = hourly({ type: 'SUM' }, { price: { model: 'TIERED', tierMode: 'SLAB', tiers } });
    const { burnt } = story(by, [
      ['03-01T00:10', { cpu: '3' }],
      ['03-01T01:20', { cpu: '3' }],
    ]);
    expect(burnt).toEqual(['10', '10']);
  });

  it('take free units in time order, so that a late event takes them from a later bucket', () => {
    const by = hourly({ type: 'SUM' }, { allowance: d(5) });
    const { burnt, read } = story(by, [
      ['03-01T02:10', { cpu: '4' }],
      ['03-01T03:10', { cpu: '4' }],
      ['03-01T00:10', { cpu: '4' }],
    ]);
    expect(burnt).toEqual(['0', '3', '4']);
    expect(read).toEqual(['12', '5', '7', '7']);
  });

  it('of a day follow the wall clock of the zone', () => {
    const by = hourly({ bucketSize: 'DAY' }, { zone: 'America/New_York' });
    expect(
      story(by, [
        ['03-02T04:30', { cpu: '1' }],
        ['03-02T05:30', { cpu: '1' }],
      ]).read[0],
    ).toBe('2');
    expect(
      story(by, [
        ['03-02T05:30', { cpu: '1' }],
        ['03-03T04:30', { cpu: '1' }],
      ]).read[0],
    ).toBe('1');
  });
});

describe('free units by a window of their own', () => {
  const daily = rule(
    { type: 'COUNT' },
    { allowance: d(2), window: { period: 'DAILY', anchor: MARCH.start, zone: 'UTC' } },
  );
  const quarterly = (more: Partial<AccrualRule>) =>
    rule(
      { type: 'COUNT' },
      { allowance: d(5), window: { period: 'QUARTERLY', anchor: MARCH.start, zone: 'UTC' }, ...more },
    );
  const times = (count: number, day: string): [string, Record<string, unknown>][] =>
    Array.from({ length: count }, () => [`${day}T10:00`, {}]);

  it('are given for each window', () => {
    const { burnt } = story(daily, [...times(3, '03-01'), ...times(3, '03-02'), ...times(1, '03-01')]);
    expect(burnt).toEqual(['0', '0', '1', '0', '0', '1', '1']);
  });

  it('are carried over when the window is longer than the period', () => {
    const march = story(quarterly({}), times(3, '03-10'));
    const freeUsedBefore = freeUsedIn(quarterly({}), march.state, APRIL.start);
    expect(text(freeUsedBefore)).toBe('3');
    const april = quarterly({ span: APRIL, freeUsedBefore });
    expect(story(april, times(3, '04-10')).burnt).toEqual(['0', '0', '1']);
  });

  it('are given anew when the window ends inside the period', () => {
    const may: Span = { start: at('05-16T00:00'), end: at('06-16T00:00') };
    const by = quarterly({ span: may, freeUsedBefore: d(5) });
    expect(story(by, [...times(1, '05-20'), ...times(6, '06-02')]).burnt).toEqual(['1', '0', '0', '0', '0', '0', '1']);
    expect(text(freeUsedIn(by, story(by, times(2, '06-02')).state, at('06-16T00:00')))).toBe('2');
  });

  it('are given once in a life when they are never renewed', () => {
    const life = quarterly({ window: { period: 'NEVER', anchor: MARCH.start, zone: 'UTC' } });
    const { state } = story(life, times(4, '03-10'));
    const freeUsedBefore = freeUsedIn(life, state, APRIL.start);
    expect(story({ ...life, span: APRIL, freeUsedBefore }, times(3, '04-10')).burnt).toEqual(['0', '1', '1']);
  });

  it('used before a plan change come off the new allowance', () => {
    const { state } = story(rule({ type: 'COUNT' }, { allowance: d(5) }), times(4, '03-10'));
    const before = rule({ type: 'COUNT' }, { allowance: d(5) });
    const freeUsedBefore = freeUsedIn(before, state, at('03-15T00:00'));
    const after = { ...before, allowance: d(6), freeUsedBefore, span: { start: at('03-15T00:00'), end: MARCH.end } };
    expect(story(after, times(3, '03-20')).burnt).toEqual(['0', '0', '1']);
  });

  it('are priced anew when a late event of an earlier item has used some', () => {
    const by = rule({ type: 'COUNT' }, { allowance: d(5) });
    const { state } = story(by, times(5, '03-20'));
    expect(text(reprice({ ...by, freeUsedBefore: d(2) }, state).delta)).toBe('2');
  });

  it('need the span of their line item', () => {
    const event = { at: MARCH.start, arrival: 0, properties: {} };
    expect(() => accrue({ ...daily, span: null }, emptyAccrual(), event)).toThrow(RangeError);
  });
});

it('a multiplier may be finer than 12 places in the sum, never in the quantity', () => {
  const by = rule({ type: 'SUM_WITH_MULTIPLIER', field: 'n', multiplier: '0.000000000001' });
  const { burnt, read } = story(by, [
    ['03-02T00:00', { n: '0.5' }],
    ['03-02T00:00', { n: '0.5' }],
  ]);
  expect(burnt).toEqual(['0.000000000001', '0']);
  expect(read[0]).toBe('0.000000000001');
});
