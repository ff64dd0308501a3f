import fc from 'fast-check';
import {
  BILLING_CYCLES,
  BILLING_PERIODS,
  boundary,
  calendarAnchor,
  nextPeriod,
  periodContaining,
  startPaidTime,
} from './period.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Santiago'];

const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) }).map((ms) => new Date(ms));
const cadence = fc.record({
  billingPeriod: fc.constantFrom(...BILLING_PERIODS),
  count: fc.integer({ min: 1, max: 24 }),
  zone: fc.constantFrom(...ZONES),
});

describe('periods', () => {
  it('tile the line: each ends where the next begins, and every one has length', () => {
    fc.assert(
      fc.property(instant, cadence, fc.integer({ min: -50, max: 50 }), (anchor, every, n) => {
        const from = boundary(anchor, every, n);
        const to = boundary(anchor, every, n + 1);
        expect(from < to).toBe(true);
        expect(periodContaining(anchor, every, from)).toEqual({ start: from, end: to, index: n });
        expect(nextPeriod(anchor, every, { start: boundary(anchor, every, n - 1), end: from })).toEqual({
          start: from,
          end: to,
        });
      }),
      RUNS,
    );
  });

  it('hold every instant exactly once, however one gets there', () => {
    fc.assert(
      fc.property(instant, cadence, instant, (anchor, every, at) => {
        const { start, end, index } = periodContaining(anchor, every, at);
        expect(start <= at && at < end).toBe(true);
        expect([start, end]).toEqual([boundary(anchor, every, index), boundary(anchor, every, index + 1)]);
      }),
      RUNS,
    );
  });

  it('of paid time follow one another without gap from its start on', () => {
    fc.assert(
      fc.property(instant, fc.constantFrom(...BILLING_CYCLES), cadence, (start, cycle, every) => {
        const { anchor, firstPeriod, whole } = startPaidTime(start, cycle, every);
        expect(firstPeriod.start).toEqual(start);
        expect(whole.start <= start && firstPeriod.end.getTime() === whole.end.getTime()).toBe(true);
        const periods = [firstPeriod];
        for (let n = 0; n < 5; n++) periods.push(nextPeriod(anchor, every, periods[n]!));
        const follows = periods.slice(1).map((next, n) => +next.start === +periods[n]!.end && next.start < next.end);
        expect(follows).toEqual(Array(5).fill(true));
      }),
      RUNS,
    );
  });

  it('of the calendar begin at the first natural boundary after an instant, and none lies between', () => {
    fc.assert(
      fc.property(instant, cadence, (at, every) => {
        const anchor = calendarAnchor(at, every);
        expect(anchor > at).toBe(true);
        const between = new Date(Math.floor((at.getTime() + anchor.getTime()) / 2));
        if (between < anchor) expect(calendarAnchor(between, every)).toEqual(anchor);
      }),
      RUNS,
    );
  });
});
