import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BilledPeriod, composeBill, composeChange } from './bill.js';
import { Decimal, ONE, text, ZERO, sum } from './decimal.js';
import type { BillableItem } from './fee-lines.js';
import { prorate } from './proration.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const at = (day: string) => new Date(`2026-${day}Z`);
const month = { start: at('01-01T00:00'), end: at('02-01T00:00') };
const january: BilledPeriod = { id: 'p1', kind: 'paid', whole: month, ...month };
const february: BilledPeriod = {
  id: 'p2',
  kind: 'paid',
  start: month.end,
  end: at('03-01T00:00'),
  whole: { start: month.end, end: at('03-01T00:00') },
};
const item = (id: string, amount: string, over: Partial<BillableItem> = {}): BillableItem => ({
  id,
  type: 'FIXED',
  cadence: 'ADVANCE',
  price: { model: 'FLAT_FEE', amount: new Decimal(amount) },
  quantity: ONE,
  start: month.start,
  end: null,
  ...over,
});
const said = ({ lines }: { lines: { itemId: string | null; due: Decimal }[] }) =>
  lines.map(({ itemId, due }) => [itemId, text(due)]);

describe('a change inside a period', () => {
  const on = at('01-11T00:00');
  const change = (over: object) =>
    composeChange({ ended: [], begun: [], at: on, period: january, prorated: true, currency: 'usd', ...over });

  it('gives back and charges the rest by the second', () => {
    const ended = [item('old', '31', { end: on, feeUntil: on })];
    expect(said(change({ ended, begun: [item('new', '62', { start: on })] }))).toEqual([
      ['old', '-21'],
      ['new', '42'],
    ]);
  });

  it('is account credit where it is below zero', () => {
    const { total, accountCredit } = change({ ended: [item('old', '31', { end: on })] });
    expect([text(total), text(accountCredit)]).toEqual(['0', '21']);
  });

  it('bills nothing in a trial, at the end of the period, or of arrears', () => {
    const ended = [item('old', '31')];
    expect(change({ ended, period: { ...january, kind: 'trial' } }).lines).toEqual([]);
    expect(change({ ended, at: month.end }).lines).toEqual([]);
    expect(change({ ended: [item('old', '31', { cadence: 'ARREAR' })] }).lines).toEqual([]);
  });

  it('gives nothing back of an item whose fee is not owed yet', () => {
    expect(change({ ended: [item('old', '31', { start: at('01-05T00:00'), feeFrom: month.end })] }).lines).toEqual([]);
  });

  it('of a partial period charged in full counts its share of that', () => {
    const partial = { ...january, start: on };
    const ended = [item('old', '21', { start: on })];
    expect(said(change({ ended, at: at('01-12T00:00'), period: partial, prorated: false }))).toEqual([['old', '-20']]);
  });
});

describe('the bill around a change', () => {
  const bill = (items: BillableItem[], over: object) =>
    said(composeBill({ items, next: null, ended: null, usage: [], prorated: true, currency: 'usd', ...over }));
  const on = at('01-11T00:00');

  it('charges a period’s advance fee to what runs as it begins, whatever ends or begins inside', () => {
    const items = [item('old', '31', { end: on, feeUntil: on }), item('new', '62', { start: on })];
    expect(bill(items, { next: january })).toEqual([['old', '31']]);
    expect(bill(items, { next: february })).toEqual([['new', '62']]);
  });

  it('without proration charges the new fee from the next period on', () => {
    const items = [
      item('old', '31', { cadence: 'ARREAR', end: on, feeUntil: month.end }),
      item('new', '62', { cadence: 'ARREAR', start: on, feeFrom: month.end }),
    ];
    expect(bill(items, { ended: january })).toEqual([['old', '31']]);
  });

  it('charges arrears for the time each item ran', () => {
    const items = [
      item('old', '31', { cadence: 'ARREAR', end: on }),
      item('new', '62', { cadence: 'ARREAR', start: on }),
    ];
    expect(bill(items, { ended: january })).toEqual([
      ['old', '10'],
      ['new', '42'],
    ]);
  });

  it('gives back the advance fees of the time by which a period was cut short, where it says so', () => {
    const cut = { ...january, end: on, restCredited: true };
    const items = [item('fee', '31', { end: on }), item('gone', '31', { end: at('01-05T00:00'), feeUntil: on })];
    expect(bill(items, { ended: cut })).toEqual([['fee', '-21']]);
    expect(bill(items, { ended: { ...cut, restCredited: false } })).toEqual([]);
  });

  it('at a change of interval gives back what ended, and not what begins', () => {
    const cut = { ...january, end: on, restCredited: true };
    const next = {
      ...january,
      id: 'p2',
      start: on,
      end: at('02-11T00:00'),
      whole: { start: on, end: at('02-11T00:00') },
    };
    const items = [item('old', '31', { end: on }), item('new', '62', { start: on })];
    expect(bill(items, { ended: cut, next })).toEqual([
      ['new', '62'],
      ['old', '-21'],
    ]);
  });
});

const fee = fc.bigInt({ min: 0n, max: 10n ** 12n }).map((n) => text(new Decimal(n.toString()).div(100)));
const moment = fc.integer({ min: 1, max: month.end.getTime() - month.start.getTime() - 1 });

it('a change and a change back at one instant net zero, to the cent', () => {
  fc.assert(
    fc.property(fee, fee, moment, (one, other, offset) => {
      const on = new Date(month.start.getTime() + offset);
      const change = (ended: BillableItem, begun: BillableItem) =>
        composeChange({ ended: [ended], begun: [begun], at: on, period: january, prorated: true, currency: 'usd' });
      const there = change(item('a', one), item('b', other, { start: on }));
      const back = change(item('b', other, { start: on }), item('c', one, { start: on }));
      const net = [there, back].map(({ total, accountCredit }) => total.minus(accountCredit));
      expect(text(sum(net))).toBe('0');
    }),
    RUNS,
  );
});

it('however often fees change in a period, what was billed is each fee for its own time, within a cent a line', () => {
  fc.assert(
    fc.property(
      fc.array(fee, { minLength: 1, maxLength: 5 }),
      fc.array(moment, { minLength: 4, maxLength: 4 }),
      (fees, offsets) => {
        const cuts = offsets
          .slice(0, fees.length - 1)
          .sort((a, b) => a - b)
          .map((ms) => new Date(month.start.getTime() + ms));
        const marks = [month.start, ...cuts, month.end];
        const items = fees.map((amount, i) => item(`i${i}`, amount, { start: marks[i]!, end: marks[i + 1]! }));
        let billed = composeBill({
          items: [items[0]!],
          next: january,
          ended: null,
          usage: [],
          prorated: true,
          currency: 'usd',
        }).total;
        let lines = 1;
        for (const [i, on] of cuts.entries()) {
          const draft = composeChange({
            ended: [items[i]!],
            begun: [items[i + 1]!],
            at: on,
            period: january,
            prorated: true,
            currency: 'usd',
          });
          billed = billed.plus(draft.total).minus(draft.accountCredit);
          lines += draft.lines.length;
        }
        const exact = fees.reduce(
          (due, amount, i) => due.plus(prorate(new Decimal(amount), { start: marks[i]!, end: marks[i + 1]! }, month)),
          ZERO,
        );
        expect(billed.minus(exact).abs().lte(new Decimal('0.005').times(lines))).toBe(true);
      },
    ),
    RUNS,
  );
});
