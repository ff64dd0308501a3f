import { describe, expect, it } from '@jest/globals';
import { type BillInput, type BilledPeriod, composeBill, composeChange, settlesUsage } from './bill.js';
import { Decimal, ONE, ZERO, text } from './decimal.js';
import type { BillableItem } from './fee-lines.js';

const at = (day: string) => new Date(`2026-${day}Z`);
const flat = (amount: string) => ({ model: 'FLAT_FEE' as const, amount: new Decimal(amount) });

const item = (over: Partial<BillableItem>): BillableItem => ({
  id: 'fee',
  type: 'FIXED',
  cadence: 'ADVANCE',
  price: flat('149'),
  quantity: ONE,
  start: at('01-10T09:00'),
  end: null,
  ...over,
});
const fee = item({});
const rows = item({ id: 'rows', type: 'USAGE', cadence: 'ARREAR', price: flat('1.5') });

const period = (id: string, start: string, end: string, over: Partial<BilledPeriod> = {}): BilledPeriod => {
  const span = { start: at(start), end: at(end) };
  return { id, kind: 'paid', whole: span, ...span, ...over };
};
const january = { start: at('01-01T00:00'), end: at('02-01T00:00') };
const trial = period('trial', '01-10T09:00', '01-24T09:00', { kind: 'trial' });

const bill = (over: Partial<BillInput>) => {
  const draft = composeBill({
    items: [fee, rows],
    next: null,
    ended: null,
    usage: [],
    prorated: false,
    currency: 'usd',
    ...over,
  });
  return {
    lines: draft.lines.map((line) => [
      line.key,
      text(line.gross),
      text(line.waived),
      text(line.credits),
      text(line.due),
    ]),
    total: text(draft.total),
  };
};

const used = (quantity: string, accrued: string, covered: string, waived = '0') => ({
  lineItemId: 'rows',
  quantity: new Decimal(quantity),
  free: ZERO,
  accrued: new Decimal(accrued),
  covered: new Decimal(covered),
  waived: new Decimal(waived),
});

describe('the bill of a subscription', () => {
  it('asks the advance fee of the first period at the start', () => {
    const next = period('p1', '01-10T09:00', '02-10T09:00');
    expect(bill({ next })).toEqual({ lines: [['fee:p1', '149', '0', '0', '149']], total: '149' });
  });

  it('asks the next fee and the usage that credits did not cover, 399 in the example', () => {
    const next = period('p2', '02-24T09:00', '03-24T09:00');
    const ended = period('p1', '01-24T09:00', '02-24T09:00');
    expect(bill({ next, ended, usage: [used('1500', '2250', '2000')] })).toEqual({
      lines: [
        ['fee:p2', '149', '0', '0', '149'],
        ['rows:p1', '2250', '0', '2000', '250'],
      ],
      total: '399',
    });
  });

  it('shows the usage of a trial with its uncovered part waived', () => {
    const next = period('p1', '01-24T09:00', '02-24T09:00');
    expect(bill({ next, ended: trial, usage: [used('100', '150', '100', '50')] })).toEqual({
      lines: [
        ['fee:p1', '149', '0', '0', '149'],
        ['rows:trial', '150', '50', '100', '0'],
      ],
      total: '149',
    });
  });

  it.each([
    ['01-24T09:00', true, '36.65'],
    ['01-10T00:00', true, '105.74'],
    ['01-24T09:00', false, '149'],
  ])('asks for a first partial period from %s, prorated: %s, %s', (start, prorated, due) => {
    const next = period('p1', start, '02-01T00:00', { whole: january });
    expect(bill({ items: [item({ start: at(start) })], next, prorated }).total).toBe(due);
  });

  it('asks arrears fees of the period that ended, and none of a trial', () => {
    const items = [item({ cadence: 'ARREAR', quantity: new Decimal(3) })];
    const ended = period('p1', '01-24T09:00', '02-24T09:00');
    expect(bill({ items, ended }).lines).toEqual([['fee:p1', '447', '0', '0', '447']]);
    expect(bill({ items, ended: trial }).lines).toEqual([]);
  });

  it('asks no fee of an item that ended before the period, or begins after it', () => {
    const next = period('p2', '02-24T09:00', '03-24T09:00');
    expect(bill({ items: [item({ end: at('02-24T09:00') })], next }).lines).toEqual([]);
    expect(bill({ items: [item({ start: at('03-24T09:00') })], next }).lines).toEqual([]);
  });

  it('leaves out usage items nothing was used of', () => {
    const ended = period('p1', '01-24T09:00', '02-24T09:00');
    expect(bill({ ended, usage: [used('0', '0', '0')] }).lines).toEqual([]);
  });

  it('lists usage in the order of the items, and refuses usage of none of them', () => {
    const ended = period('p1', '01-24T09:00', '02-24T09:00');
    const tables = item({ ...rows, id: 'tables' });
    const both = [{ ...used('1', '10', '0'), lineItemId: 'tables' }, used('2', '3', '0')];
    expect(bill({ items: [rows, tables], ended, usage: both }).lines.map(([key]) => key)).toEqual([
      'rows:p1',
      'tables:p1',
    ]);
    expect(() => bill({ items: [rows], ended, usage: both })).toThrow('tables, which is no item');
  });

  it('waits for late usage only when the period that ended had usage items', () => {
    expect(settlesUsage([fee, rows], trial)).toBe(true);
    expect(settlesUsage([fee], trial)).toBe(false);
    expect(settlesUsage([fee, rows], null)).toBe(false);
    expect(settlesUsage([item({ ...rows, start: at('02-01T00:00') })], trial)).toBe(false);
    expect(settlesUsage([item({ ...rows, start: trial.end })], trial)).toBe(false);
    expect(settlesUsage([rows], period('p1', '01-10T09:00', '01-10T09:00', { whole: trial.whole }))).toBe(true);
  });
});

describe('what was paid for the time ahead', () => {
  const whole = { start: at('04-01T00:00'), end: at('05-01T00:00') };
  const cut = period('p1', '04-01T00:00', '04-01T00:30', { whole, restCredited: true });
  const hundred = item({ price: flat('100'), start: whole.start });
  const dues = (over: Partial<BillInput>) =>
    bill({ items: [hundred], prorated: true, ...over }).lines.map((line) => line[4]);

  it('is asked for the period as it was to be, though it was cut before its bill is composed', () => {
    expect(dues({ next: cut })).toEqual(['100']);
    expect(dues({ next: { ...cut, restCredited: false } })).toEqual(['100']);
    expect(dues({ ended: cut })).toEqual(['-99.93']);
  });

  it('is not given back where its invoice was voided', () => {
    expect(dues({ ended: { ...cut, dropped: true } })).toEqual([]);
    const change = { ended: [hundred], begun: [hundred], at: at('04-16T00:00'), prorated: true, currency: 'usd' };
    const open = period('p1', '04-01T00:00', '05-01T00:00', { dropped: true });
    expect(composeChange({ ...change, period: open }).lines.map(({ due }) => text(due))).toEqual(['50']);
  });

  it('is given back also of an item that a change without proration had left paid', () => {
    const left = item({ ...hundred, end: at('04-06T00:00'), feeUntil: whole.end });
    const ended = { ...cut, end: at('04-16T00:00') };
    expect(dues({ items: [left], ended })).toEqual(['-50']);
  });

  it('is not asked again of a part after a pause that gave nothing back, and its share is of all that was paid for', () => {
    const paidBefore = [{ start: whole.start, end: at('04-11T00:00') }];
    const rest = period('p2', '04-16T00:00', '05-01T00:00', { whole });
    expect(dues({ next: rest, paidBefore })).toEqual([]);
    expect(dues({ next: rest, paidBefore, items: [item({ ...hundred, start: at('04-16T00:00') })] })).toEqual(['50']);
    const ended = { ...rest, end: at('04-21T00:00'), restCredited: true };
    expect(dues({ ended, charged: paidBefore, prorated: false })).toEqual(['-33.33']);
  });
});

describe('a fee that is asked once', () => {
  const setup = item({ id: 'setup', price: flat('50'), once: true });
  const first = period('p1', '01-24T09:00', '02-24T09:00');
  const second = period('p2', '02-24T09:00', '03-24T09:00');
  const keys = (over: Partial<BillInput>) => bill({ items: [setup], ...over }).lines.map(([key]) => key);

  it('is asked in the first paid period since it is owed, in full, and in no later one', () => {
    expect(keys({ next: first, ended: trial })).toEqual(['setup:p1']);
    expect(keys({ next: second, ended: first })).toEqual([]);
    expect(keys({ next: second, ended: null, began: [first.start] })).toEqual([]);
    const later = item({ ...setup, start: at('02-01T00:00'), feeFrom: second.start });
    expect(keys({ items: [later], next: second, ended: first })).toEqual(['setup:p2']);
    const partial = { ...first, whole: { start: at('01-01T00:00'), end: first.end } };
    expect(bill({ items: [setup], next: partial, prorated: true }).total).toBe('50');
  });

  it('is not asked of what ended before, nor where a change has charged it', () => {
    expect(keys({ items: [item({ ...setup, end: at('01-20T00:00') })], next: first, ended: trial })).toEqual([]);
    const charged = item({ ...setup, start: at('02-01T00:00'), feeUntil: at('02-01T00:00') });
    expect(keys({ items: [charged], next: second, ended: first })).toEqual([]);
  });

  it('is charged in full by a change inside a period, and never given back', () => {
    const change = { at: at('02-10T00:00'), period: first, prorated: true, currency: 'usd' };
    const begun = composeChange({ ...change, ended: [], begun: [setup] });
    expect(begun.lines.map(({ due }) => text(due))).toEqual(['50']);
    expect(composeChange({ ...change, ended: [setup], begun: [] }).lines).toEqual([]);
    const cut = { ...first, end: at('02-10T00:00'), restCredited: true };
    expect(keys({ ended: { ...cut, whole: { start: first.start, end: first.end } } })).toEqual([]);
  });
});

describe('what items promise', () => {
  const commitment = { amount: new Decimal(100), overageFactor: new Decimal('1.5'), trueUp: true };
  const promised = item({ ...rows, commitment });
  const other = item({ ...rows, id: 'other' });
  const ended = period('p1', '04-01T00:00', '05-01T00:00');
  const amounts = (over: Partial<BillInput>) =>
    bill({ items: [promised, other], ended, ...over }).lines.map(([key, gross]) => [key, gross]);

  it('is measured against their own usage: beyond it the factor, below it what is missing', () => {
    expect(amounts({ usage: [used('93', '140', '0'), { ...used('20', '30', '0'), lineItemId: 'other' }] })).toEqual([
      ['rows:p1', '140'],
      ['other:p1', '30'],
      ['commitment:overage:p1:rows', '20'],
    ]);
    expect(amounts({ usage: [{ ...used('20', '30', '0'), lineItemId: 'other' }] })).toEqual([
      ['other:p1', '30'],
      ['commitment:true_up:p1:rows', '100'],
    ]);
  });

  it('is of a part of the period its share, and of a trial nothing', () => {
    const until = item({ ...promised, end: at('04-16T00:00') });
    expect(amounts({ items: [until] })).toEqual([['commitment:true_up:p1:rows', '50']]);
    expect(amounts({ items: [item({ ...promised, start: at('05-01T00:00') })] })).toEqual([]);
    expect(amounts({ ended: { ...ended, kind: 'trial' } })).toEqual([]);
  });

  it('is settled anew by late usage of the item', () => {
    const next = period('p2', '05-01T00:00', '06-01T00:00');
    const late = [{ ...used('20', '30', '0'), period: { ...ended } }];
    const lateCommitted = [{ itemId: 'rows', period: ended, accrued: new Decimal(90), billed: new Decimal(60) }];
    expect(amounts({ ended: next, late, lateCommitted, usage: [used('67', '100', '0')] })).toEqual([
      ['rows:p2', '100'],
      ['rows:p1:late', '30'],
      ['commitment:true_up:p1:rows', '-30'],
    ]);
  });
});

describe('a period that rested without prorations', () => {
  const whole = january;
  const before = { start: whole.start, end: at('01-11T00:00') };
  const ended = period('rest', '01-21T00:00', '02-01T00:00', { whole });
  const old = item({ cadence: 'ARREAR', start: whole.start });
  const fees = (over: Partial<BillInput>) => bill({ ended, charged: [before], ...over }).lines.map(([key]) => key);

  it('owes no second arrears fee, but that of an item the first part did not hold', () => {
    expect(fees({ items: [old] })).toEqual([]);
    const later = item({ id: 'later', cadence: 'ARREAR', start: at('01-21T00:00') });
    expect(fees({ items: [old, later] })).toEqual(['later:rest']);
  });

  it('owes shares of an item that began inside the first part, which was charged its share', () => {
    const inside = item({ cadence: 'ARREAR', start: at('01-08T00:00') });
    expect(bill({ ended, charged: [before], items: [inside] }).total).toBe('52.87');
  });

  it('with prorations, where the first part gave its rest back, each part owes its share', () => {
    expect(bill({ items: [old], ended, charged: [], prorated: true }).total).toBe('52.87');
  });

  it('owes nothing more of a full fee when prorations were switched on meanwhile', () => {
    expect(bill({ items: [old], ended, charged: [before], prorated: true }).lines).toEqual([]);
  });
});
