import {
  type BillingPeriod,
  type Cadence,
  addDuration,
  boundary,
  calendarAnchor,
  nextPeriod,
  periodContaining,
  startPaidTime,
} from './period.js';
import { isZone } from './wall-clock.js';

const at = (iso: string) => new Date(iso);
const every = (billingPeriod: BillingPeriod, zone = 'UTC', count = 1): Cadence => ({ billingPeriod, count, zone });
const iso = (span: { start: Date; end: Date }) => [span.start.toISOString(), span.end.toISOString()];

describe('boundary', () => {
  it('clamps to the end of a short month and counts from the anchor: 31 Jan, 28 Feb, 31 Mar', () => {
    const boundaries = [0, 1, 2, 3].map((n) => boundary(at('2026-01-31T10:00:00Z'), every('MONTHLY'), n).toISOString());
    expect(boundaries.map((instant) => instant.slice(0, 10))).toEqual([
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
    ]);
  });

  it.each<[string, BillingPeriod, number, number, string]>([
    ['2024-02-29T00:00:00Z', 'ANNUAL', 1, 1, '2025-02-28T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', 'ANNUAL', 1, 4, '2028-02-29T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', 'QUARTERLY', 1, 1, '2026-04-30T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', 'HALF_YEARLY', 1, -1, '2025-07-31T00:00:00.000Z'],
    ['2026-01-24T09:00:00Z', 'WEEKLY', 2, 3, '2026-03-07T09:00:00.000Z'],
    ['2026-01-24T09:00:00Z', 'DAILY', 10, 1, '2026-02-03T09:00:00.000Z'],
    ['2026-01-24T09:00:00Z', 'MONTHLY', 5, 2, '2026-11-24T09:00:00.000Z'],
    ['2026-01-24T09:00:00Z', 'MONTHLY', 1, -13, '2024-12-24T09:00:00.000Z'],
  ])('%s by %s x %d, number %d, is %s', (anchor, period, count, n, expected) => {
    expect(boundary(at(anchor), every(period, 'UTC', count), n).toISOString()).toBe(expected);
  });

  it('keeps the wall clock over a change to summer time', () => {
    const day = every('DAILY', 'Europe/Berlin');
    expect(boundary(at('2026-03-28T08:00:00Z'), day, 1).toISOString()).toBe('2026-03-29T07:00:00.000Z');
  });

  it('moves a time that the clock skips to the end of the gap', () => {
    // Berlin skips 02:00 to 03:00 on 29 March 2026: 02:30 becomes 03:00 = 01:00 UTC
    const day = every('DAILY', 'Europe/Berlin');
    expect(boundary(at('2026-03-28T01:30:00Z'), day, 1).toISOString()).toBe('2026-03-29T01:00:00.000Z');
    expect(boundary(at('2026-03-28T01:30:00Z'), day, 2).toISOString()).toBe('2026-03-30T00:30:00.000Z');
  });

  it('takes the first of a time that the clock shows twice', () => {
    // Berlin shows 02:30 twice on 25 October 2026: 00:30 and 01:30 UTC
    const day = every('DAILY', 'Europe/Berlin');
    expect(boundary(at('2026-10-24T00:30:00Z'), day, 1).toISOString()).toBe('2026-10-25T00:30:00.000Z');
  });

  it('leaves an anchor in the second of a doubled hour where it is', () => {
    const anchor = at('2026-10-25T01:30:00Z');
    expect(boundary(anchor, every('DAILY', 'Europe/Berlin'), 0)).toEqual(anchor);
  });

  it('a day that a zone leaves out has no period of its own (Samoa, 30 December 2011)', () => {
    const day = every('DAILY', 'Pacific/Apia');
    const period = periodContaining(at('2011-12-28T10:00:00Z'), day, at('2011-12-30T10:00:00Z'));
    expect(iso(period)).toEqual(['2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z']);
  });

  it('refuses a count that is no whole number from 1, and an unknown zone', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(() => boundary(at('2026-01-01T00:00:00Z'), every('DAILY', 'UTC', count), 1)).toThrow(RangeError);
    }
    expect(() => boundary(at('2026-01-01T00:00:00Z'), every('DAILY', 'Mars/Olympus'), 1)).toThrow(RangeError);
  });
});

describe('calendarAnchor', () => {
  it.each<[BillingPeriod, string, string]>([
    ['DAILY', '2026-01-24T09:00:00Z', '2026-01-25T00:00:00.000Z'],
    ['WEEKLY', '2026-01-24T09:00:00Z', '2026-01-26T00:00:00.000Z'],
    ['WEEKLY', '2026-01-26T00:00:00Z', '2026-02-02T00:00:00.000Z'],
    ['MONTHLY', '2026-01-24T09:00:00Z', '2026-02-01T00:00:00.000Z'],
    ['MONTHLY', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00.000Z'],
    ['MONTHLY', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'],
    ['QUARTERLY', '2026-05-24T09:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['HALF_YEARLY', '2026-05-24T09:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['HALF_YEARLY', '2026-07-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['ANNUAL', '2026-01-24T09:00:00Z', '2027-01-01T00:00:00.000Z'],
  ])('%s after %s is %s', (period, instant, expected) => {
    expect(calendarAnchor(at(instant), every(period)).toISOString()).toBe(expected);
  });

  it('is midnight of the zone', () => {
    expect(calendarAnchor(at('2026-03-01T03:00:00Z'), every('MONTHLY', 'America/New_York')).toISOString()).toBe(
      '2026-03-01T05:00:00.000Z',
    );
  });

  it('is the end of the gap where midnight is skipped (Santiago, 6 September 2026)', () => {
    expect(calendarAnchor(at('2026-09-06T03:00:00Z'), every('DAILY', 'America/Santiago')).toISOString()).toBe(
      '2026-09-06T04:00:00.000Z',
    );
  });

  it('is the first midnight where it comes twice (Havana, 1 November 2026)', () => {
    const day = every('DAILY', 'America/Havana');
    expect(calendarAnchor(at('2026-10-31T12:00:00Z'), day).toISOString()).toBe('2026-11-01T04:00:00.000Z');
    expect(calendarAnchor(at('2026-11-01T04:30:00Z'), day).toISOString()).toBe('2026-11-02T05:00:00.000Z');
  });
});

describe('paid time', () => {
  const start = at('2026-01-24T09:00:00Z');

  it('of an anniversary subscription is anchored at its start and begins with a whole period', () => {
    const { anchor, firstPeriod, whole } = startPaidTime(start, 'anniversary', every('MONTHLY'));
    expect(anchor).toEqual(start);
    expect(iso(firstPeriod)).toEqual(['2026-01-24T09:00:00.000Z', '2026-02-24T09:00:00.000Z']);
    expect(whole).toEqual(firstPeriod);
  });

  it('of a calendar subscription begins with the part up to the next natural boundary', () => {
    const { anchor, firstPeriod, whole } = startPaidTime(start, 'calendar', every('MONTHLY'));
    expect(anchor).toEqual(at('2026-02-01T00:00:00Z'));
    expect(iso(firstPeriod)).toEqual(['2026-01-24T09:00:00.000Z', '2026-02-01T00:00:00.000Z']);
    expect(iso(whole)).toEqual(['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z']);
  });

  it('of a calendar subscription that starts on a natural boundary begins with a whole period', () => {
    const timeline = startPaidTime(at('2026-02-01T00:00:00Z'), 'calendar', every('MONTHLY', 'UTC', 2));
    expect(timeline.anchor).toEqual(at('2026-02-01T00:00:00Z'));
    expect(iso(timeline.firstPeriod)).toEqual(['2026-02-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z']);
    expect(timeline.whole).toEqual(timeline.firstPeriod);
  });

  it('goes on from period to period, from a partial one and from a trial too', () => {
    const monthly = every('MONTHLY');
    const { anchor, firstPeriod } = startPaidTime(start, 'calendar', monthly);
    const trial = { start: at('2026-01-10T09:00:00Z'), end: start };
    expect(nextPeriod(anchor, monthly, trial)).toEqual(firstPeriod);
    const second = nextPeriod(anchor, monthly, firstPeriod);
    expect(iso(second)).toEqual(['2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z']);
    expect(iso(nextPeriod(anchor, monthly, second))).toEqual(['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z']);
  });
});

describe('periodContaining', () => {
  it.each([
    ['2026-01-31T10:00:00Z', 0],
    ['2026-02-28T09:59:59.999Z', 0],
    ['2026-02-28T10:00:00Z', 1],
    ['2026-03-31T09:59:59Z', 1],
    ['2026-01-31T09:59:59.999Z', -1],
    ['2025-01-31T10:00:00Z', -12],
  ])('with the anchor 31 Jan 10:00, %s is in period %d', (instant, index) => {
    expect(periodContaining(at('2026-01-31T10:00:00Z'), every('MONTHLY'), at(instant)).index).toBe(index);
  });
});

describe('addDuration', () => {
  it.each<[string, 'DAY' | 'WEEK' | 'MONTH' | 'YEAR', number, string, string]>([
    ['2026-01-10T09:00:00Z', 'DAY', 14, 'UTC', '2026-01-24T09:00:00.000Z'],
    ['2026-03-28T08:00:00Z', 'DAY', 1, 'Europe/Berlin', '2026-03-29T07:00:00.000Z'],
    ['2026-01-31T00:00:00Z', 'MONTH', 1, 'UTC', '2026-02-28T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', 'YEAR', 1, 'UTC', '2025-02-28T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', 'WEEK', 2, 'UTC', '2026-02-14T00:00:00.000Z'],
    ['2026-01-31T00:00:00Z', 'DAY', 0, 'UTC', '2026-01-31T00:00:00.000Z'],
  ])('%s plus %s x %d in %s is %s', (instant, unit, count, zone, expected) => {
    expect(addDuration(at(instant), unit, count, zone).toISOString()).toBe(expected);
  });

  it('refuses a part of a day', () => {
    expect(() => addDuration(at('2026-01-31T00:00:00Z'), 'DAY', 0.5, 'UTC')).toThrow(RangeError);
  });
});

it.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Mars/Olympus', false],
  ['+05:30', false],
  ['', false],
])('%p as a zone: %p', (zone, known) => expect(isZone(zone)).toBe(known));
