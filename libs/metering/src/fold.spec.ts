import { Decimal, emptyAccrual, emptyCover, text, type Aggregation } from '@drawdown/billing-core';
import type { UsageItem } from '@drawdown/subscriptions';
import { Purses, type PurseLot } from '@drawdown/wallets';
import { UsageFold } from './fold.js';
import { accrualKey, type OpenAccrual } from './open-accrual.js';

const d = (value: string | number) => new Decimal(value);
const at = (time: string) => new Date(`2026-01-${time}:00Z`);
const START = at('10T09:00');
const END = at('24T09:00');
const NOON = at('10T12:00');

interface ItemOptions {
  price?: string;
  allowance?: string;
  aggregation?: Aggregation;
  currency?: string;
  kind?: 'trial' | 'paid';
  settled?: boolean;
  running?: boolean;
  closed?: boolean;
}

/** A priced event name: `rows` sums its property `n` at 1.5 a unit unless told otherwise. */
function priced(eventName: string, options: ItemOptions = {}): { item: UsageItem; accrual: OpenAccrual } {
  const { currency = 'usd', kind = 'paid', settled = false, closed = false } = options;
  const item: UsageItem = {
    subscriptionId: 's1',
    customerId: 'c1',
    lineItemId: `item_${eventName}`,
    currency,
    meterId: `meter_${eventName}`,
    startedAt: START,
    rule: {
      price: { model: 'FLAT_FEE', amount: d(options.price ?? '1.5') },
      meter: {
        eventName,
        filters: [],
        aggregation: options.aggregation ?? { type: 'SUM', field: 'n' },
        resetUsage: 'BILLING_PERIOD',
      },
      allowance: options.allowance ? d(options.allowance) : null,
    },
    running: options.running ?? true,
    chained: false,
    itemStart: START,
    itemEnd: null,
    period: { id: 'p1', number: 1, kind, start: START, end: END, open: !closed },
  };
  const accrual: OpenAccrual = {
    subscriptionId: 's1',
    lineItemId: item.lineItemId,
    periodId: 'p1',
    customerId: 'c1',
    currency,
    period: { kind, start: START, end: END, closed, settled },
    state: emptyAccrual(),
    events: 0,
    quantity: d(0),
    free: d(0),
    billable: d(0),
    cover: emptyCover(),
    draws: [],
    shortNo: null,
    freeBefore: new Decimal(0),
    eventless: new Decimal(0),
    late: false,
  };
  return { item, accrual };
}

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

function world(items: { item: UsageItem; accrual: OpenAccrual }[], lots: PurseLot[], rate = '1') {
  const currencies = new Set(items.map(({ item }) => item.currency));
  const rates = new Map([...currencies].map((currency) => [`c1 ${currency}`, d(rate)]));
  const accruals = new Map(items.map(({ accrual }) => [accrualKey(accrual.lineItemId, accrual.periodId), accrual]));
  const fold = new UsageFold(
    items.map(({ item }) => item),
    accruals,
    new Purses(lots, rates),
  );
  const report = (eventName: string, n: string, time = NOON) =>
    fold.fold({ customerId: 'c1', eventName, at: time, properties: { n } }, time);
  const left = () => lots.map((one) => text(one.remaining)).join(' ');
  return { fold, report, left };
}

describe('an event', () => {
  it('burns what it costs, in burn order, and knows which lots it drew', () => {
    const { report, left } = world([priced('rows')], [lot('a', '10'), lot('b', '100')]);
    const { attribution, creditsBurned, reason } = report('rows', '20');
    expect([text(creditsBurned), reason, left()]).toEqual(['30', null, '0 80']);
    expect(attribution).toEqual([
      {
        subscription_id: 's1',
        line_item_id: 'item_rows',
        period_id: 'p1',
        meter_id: 'meter_rows',
        currency: 'usd',
        quantity: '20',
        free: '0',
        amount: '30',
        credits: '30',
        draws: [
          { lot_id: 'a', credits: '10' },
          { lot_id: 'b', credits: '20' },
        ],
      },
    ]);
  });

  it('counts on every line item it matches', () => {
    const rows = priced('rows');
    const again = priced('rows', { price: '2' });
    Object.assign(again.item, { lineItemId: 'item_again' });
    Object.assign(again.accrual, { lineItemId: 'item_again' });
    const { report, left } = world([rows, again], [lot('a', '100')]);
    expect(text(report('rows', '2').creditsBurned)).toBe('7');
    expect(left()).toBe('93');
  });

  it('is free within the allowance and says how many of its units were', () => {
    const { report } = world([priced('tables', { allowance: '5', price: '10' })], [lot('a', '100')]);
    expect(report('tables', '3').attribution[0]).toMatchObject({ free: '3', amount: '0', draws: [] });
    expect(report('tables', '4').attribution[0]).toMatchObject({ free: '2', amount: '20', credits: '20' });
  });

  it('that nothing matches, or whose property is no number, burns nothing and says why', () => {
    const { report, fold } = world([priced('rows')], [lot('a', '100')]);
    expect(report('columns', '1')).toMatchObject({ attribution: [], reason: 'no_match' });
    const bad = report('rows', 'many');
    expect(bad.reason).toBe('bad_property');
    expect(bad.attribution[0]).toMatchObject({ reason: 'bad_property', problem: 'property "n" is not a number' });
    expect(fold.coverage.changed()).toEqual([]);
  });

  it('that would carry the usage beyond what can be stored is not billed, and changes nothing', () => {
    const { report, left } = world([priced('rows')], [lot('a', '100')]);
    expect(report('rows', '9'.repeat(26))).toMatchObject({ reason: 'bad_property' });
    expect(text(report('rows', '2').creditsBurned)).toBe('3');
    expect(left()).toBe('97');
  });

  it('counts by its own time: at the start of the period, not at its end', () => {
    const { report } = world([priced('rows')], [lot('a', '100')]);
    expect(report('rows', '1', START).reason).toBeNull();
    expect(report('rows', '1', new Date(END.getTime() - 1)).reason).toBeNull();
    expect(report('rows', '1', END).reason).toBe('no_match');
    expect(report('rows', '1', new Date(START.getTime() - 1)).reason).toBe('no_match');
  });

  it('of a settled period is stored unbilled when no invoice is to come', () => {
    const { report, left } = world([priced('rows', { settled: true, running: false })], [lot('a', '100')]);
    expect(report('rows', '1').reason).toBe('period_settled');
    expect(left()).toBe('100');
  });

  it('of a settled period is late usage: drawn from what is usable now, for the next invoice', () => {
    const rows = priced('rows', { settled: true, closed: true });
    const { report, left } = world([rows], [lot('a', '1')]);
    expect(report('rows', '1')).toMatchObject({ reason: null, creditsBurned: d('1') });
    expect(left()).toBe('0');
    expect([rows.accrual.late, text(rows.accrual.cover.shortfall)]).toEqual([true, '0.5']);
  });

  it('of a settled trial draws nothing', () => {
    const rows = priced('rows', { settled: true, closed: true, kind: 'trial' });
    const { report, left } = world([rows], [lot('a', '1')]);
    expect(text(report('rows', '1').creditsBurned)).toBe('0');
    expect(left()).toBe('1');
  });

  it.each([
    [-1, '97'],
    [0, '100'],
    [1, '100'],
  ])('%i ms from the expiry of a lot leaves it %s', (offset, expected) => {
    const expiresAt = at('12T00:00');
    const { report, left } = world([priced('rows')], [lot('a', '100', { expiresAt })]);
    report('rows', '2', new Date(expiresAt.getTime() + offset));
    expect(left()).toBe(expected);
  });

  it('is not paid by a lot that takes effect when its period has ended', () => {
    const { report, left } = world([priced('rows')], [lot('a', '100', { effectiveAt: END })]);
    expect(report('rows', '2').creditsBurned.isZero()).toBe(true);
    expect(left()).toBe('100');
  });

  it('draws from wallets of its own currency only', () => {
    const items = [priced('rows'), priced('zeilen', { currency: 'eur' })];
    const { report, left } = world(items, [lot('a', '100'), lot('b', '100', { currency: 'eur' })]);
    report('zeilen', '2');
    expect(left()).toBe('100 97');
  });

  it('costs credits by the conversion rate', () => {
    const { report, left } = world([priced('rows')], [lot('a', '100', { rate: d('0.01') })], '0.01');
    expect(text(report('rows', '0.1').creditsBurned)).toBe('15');
    expect(left()).toBe('85');
  });
});

describe('a shortfall', () => {
  it('is what no lot covers, and is owed by the line item', () => {
    const rows = priced('rows');
    const { report } = world([rows], [lot('a', '20')]);
    expect(text(report('rows', '20').creditsBurned)).toBe('20');
    expect([rows.accrual.cover.covered, rows.accrual.cover.shortfall].map(text)).toEqual(['20', '10']);
  });

  it('without any wallet is the whole cost', () => {
    const rows = priced('rows');
    const { fold } = world([rows], []);
    fold.fold({ customerId: 'c1', eventName: 'rows', at: NOON, properties: { n: '2' } }, NOON);
    expect(text(rows.accrual.cover.shortfall)).toBe('3');
  });

  it('is paid down oldest first, also when it is on another item', () => {
    const [rows, tables] = [priced('rows'), priced('tables', { price: '10' })];
    const first = world([rows, tables], []);
    first.report('tables', '1', at('11T00:00'));
    first.report('rows', '2', at('12T00:00'));
    const { fold } = world([rows, tables], [lot('new', '11')]);
    fold.coverage.payDown('c1', 'usd', at('13T00:00'));
    expect([tables, rows].map(({ accrual }) => text(accrual.cover.shortfall))).toEqual(['0', '2']);
    expect([...fold.coverage.paidDown.values()].map(({ credits, amount }) => [text(credits), text(amount)])).toEqual([
      ['11', '11'],
    ]);
  });

  it.each<[string, ItemOptions]>([
    ['of a trial', { kind: 'trial' }],
    ['of a closed period', { closed: true }],
  ])('%s is never paid down', (_, options) => {
    const rows = priced('rows', options);
    world([rows], []).report('rows', '2');
    const { fold, left } = world([rows], [lot('new', '11')]);
    fold.coverage.payDown('c1', 'usd', NOON);
    expect(text(rows.accrual.cover.shortfall)).toBe('3');
    expect(left()).toBe('11');
  });
});

describe('a correction', () => {
  it('undoes the last draw first', () => {
    const { report, left, fold } = world([priced('rows')], [lot('a', '10'), lot('b', '100')]);
    report('rows', '20');
    const { creditsBurned, attribution } = report('rows', '-15');
    expect([text(creditsBurned), left()]).toEqual(['-22.5', '2.5 100']);
    expect(attribution[0]!.draws).toEqual([
      { lot_id: 'b', credits: '-20' },
      { lot_id: 'a', credits: '-2.5' },
    ]);
    expect(fold.coverage.netDraws().map(({ lotId, credits }) => [lotId, text(credits)])).toEqual([['a', '7.5']]);
  });

  it('lowers the shortfall before it returns credits', () => {
    const rows = priced('rows');
    const { report, left } = world([rows], [lot('a', '10')]);
    report('rows', '20');
    expect(text(report('rows', '-10').creditsBurned)).toBe('0');
    expect([text(rows.accrual.cover.shortfall), left()]).toEqual(['5', '0']);
  });

  it('lets what it returns pay an open shortfall of another item at once', () => {
    const [rows, tables] = [priced('rows'), priced('tables', { price: '10' })];
    const { report, left } = world([rows, tables], [lot('a', '30')]);
    report('rows', '20');
    report('tables', '1');
    expect(text(tables.accrual.cover.shortfall)).toBe('10');
    expect(text(report('rows', '-8').creditsBurned)).toBe('-12');
    expect([text(tables.accrual.cover.shortfall), left()]).toEqual(['0', '2']);
  });

  it('does not let what returns to an expired lot pay anything', () => {
    const [rows, tables] = [priced('rows'), priced('tables', { price: '10' })];
    const { report, left } = world([rows, tables], [lot('a', '30', { expiresAt: at('12T00:00') })]);
    report('rows', '20');
    report('tables', '1', at('13T00:00'));
    report('rows', '-8', at('14T00:00'));
    expect([text(tables.accrual.cover.shortfall), left()]).toEqual(['10', '12']);
  });
});
