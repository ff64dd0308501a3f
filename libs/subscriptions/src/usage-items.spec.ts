import type { AccrualRule } from '@drawdown/billing-core';
import { oldestFirst, type UsageItem } from './usage-items.js';

const day = (n: number) => new Date(Date.UTC(2027, 0, n));

/** An item of a subscription that runs over days `[from, to)`, in a period as long. */
const item = (subscriptionId: string, from: number, to: number, meterId = 'rows'): UsageItem => ({
  subscriptionId,
  customerId: 'c',
  lineItemId: `${subscriptionId} ${meterId}`,
  currency: 'usd',
  meterId,
  startedAt: day(from),
  rule: {} as AccrualRule,
  running: true,
  chained: false,
  itemStart: day(from),
  itemEnd: null,
  period: { id: 'p', number: 1, kind: 'paid', start: day(from), end: day(to), open: true },
});
const told = (items: UsageItem[]) =>
  oldestFirst(items).map(
    ({ subscriptionId, itemStart, itemEnd, period }) =>
      `${subscriptionId} ${itemStart.getUTCDate()}-${(itemEnd ?? period.end).getUTCDate()}`,
  );

describe('of several subscriptions that price the same meter, the one that started first counts', () => {
  it('for as long as it prices it', () => {
    expect(told([item('old', 1, 20), item('new', 5, 25)])).toEqual(['old 1-20', 'new 20-25']);
  });
  it('so one that lies within an older one counts nothing', () => {
    expect(told([item('old', 1, 20), item('new', 5, 15)])).toEqual(['old 1-20']);
  });
  it('with time left on both sides when it was covered in the middle', () => {
    const old = { ...item('old', 1, 20), itemStart: day(8), itemEnd: day(12) };
    expect(told([old, item('new', 5, 15)])).toEqual(['old 8-12', 'new 5-8', 'new 12-15']);
  });
  it('and other meters, and other items of the same subscription, are none of its business', () => {
    expect(told([item('old', 1, 20, 'tables'), item('new', 5, 25)])).toEqual(['old 1-20', 'new 5-25']);
    expect(told([item('old', 1, 20), item('old', 1, 20)])).toEqual(['old 1-20', 'old 1-20']);
  });
});
