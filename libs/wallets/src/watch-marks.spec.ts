import { alertLevel, Decimal, isTopUpDue, type AlertSettings } from '@drawdown/billing-core';
import fc from 'fast-check';
import type { BookedLot } from './ledger.js';
import { marksAround, reaches, spendableChanges } from './watch-marks.js';

const d = (value: number) => new Decimal(value);
const lot = (lotId: string, remaining: number, more: Partial<BookedLot> = {}): BookedLot => ({
  lotId,
  walletId: 'w1',
  customerId: 'c1',
  granted: d(100),
  remaining: d(remaining),
  held: d(0),
  writtenOff: false,
  usable: true,
  ...more,
});

describe('the marks around a balance', () => {
  it('are the nearest thresholds, none where there is none', () => {
    expect(marksAround(d(60), [d(10), d(50), d(100)])).toEqual({ low: d(50), high: d(100) });
    expect(marksAround(d(5), [d(10), d(50)])).toEqual({ low: null, high: d(10) });
    expect(marksAround(d(5), [])).toEqual({ low: null, high: null });
  });

  it('stand on the balance itself where it is a threshold: any change has to be looked at', () => {
    const marks = marksAround(d(50), [d(50)]);
    expect([d(49), d(51)].map((balance) => reaches(marks, balance))).toEqual([true, true]);
  });

  const threshold = fc.record({
    threshold: fc.integer({ min: 0, max: 40 }).map(d),
    condition: fc.constantFrom('below' as const, 'above' as const),
  });
  const watched = fc.record({
    alerts: fc.record({ enabled: fc.constant(true), info: threshold, warning: threshold, critical: threshold }),
    topUp: fc.integer({ min: 0, max: 40 }).map(d),
    from: fc.integer({ min: 0, max: 40 }).map(d),
    to: fc.integer({ min: 0, max: 40 }).map(d),
  });

  it('miss nothing: while none is reached, neither an alert nor a top-up says anything else', () => {
    fc.assert(
      fc.property(watched, ({ alerts, topUp, from, to }) => {
        const thresholds = [alerts.info, alerts.warning, alerts.critical].map((rule) => rule.threshold);
        if (from.eq(to) || reaches(marksAround(from, [...thresholds, topUp]), to)) return;
        const says = (balance: Decimal) => [alertLevel(balance, alerts as AlertSettings), isTopUpDue(balance, topUp)];
        expect(says(to)).toEqual(says(from));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what bookings change of what can be spent', () => {
  it('is what lots gain and lose unheld, by wallet; expired lots count for nothing', () => {
    const before = [
      lot('a', 10),
      lot('b', 10, { walletId: 'w2', held: d(4) }),
      lot('c', 10, { usable: false }),
      lot('d', 10),
    ];
    const after = [
      lot('a', 4),
      lot('b', 10, { walletId: 'w2', held: d(1) }),
      lot('c', 0, { usable: false }),
      lot('d', 11),
    ];
    const changes = spendableChanges(new Map(before.map((one) => [one.lotId, one])), after);
    expect([...changes]).toEqual([
      ['w1', d(-5)],
      ['w2', d(3)],
    ]);
  });
});
