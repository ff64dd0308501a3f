import fc from 'fast-check';
import { DateTime } from 'luxon';
import { instantOf, localOf } from './wall-clock.js';

const RUNS = { numRuns: Number(process.env['FC_RUNS'] ?? 1000) };
const zone = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Africa/Casablanca',
  'Pacific/Apia',
);
const instant = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) }).map((ms) => new Date(ms));
/** The hours around a change of the clock are where it is wrong if it is. */
const nearChange = fc
  .tuple(
    fc.constantFrom(
      Date.UTC(2026, 2, 29, 1),
      Date.UTC(2026, 9, 25, 1),
      Date.UTC(2026, 2, 8, 7),
      Date.UTC(2026, 10, 1, 6),
      Date.UTC(2011, 11, 30, 10),
    ),
    fc.integer({ min: -90_000_000, max: 90_000_000 }),
  )
  .map(([change, ms]) => new Date(change + ms));
const any = fc.oneof(instant, nearChange);

it('the wall clock reads what Luxon reads', () => {
  fc.assert(
    fc.property(any, zone, (at, name) => {
      const { year, month, day, hour, minute, second, millisecond } = DateTime.fromJSDate(at, { zone: name });
      const timeOfDay = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
      expect(localOf(at, name)).toEqual({ year, month: month - 1, day, timeOfDay });
    }),
    RUNS,
  );
});

it('an instant is the one its reading stands for, or the second of two with the same reading', () => {
  fc.assert(
    fc.property(any, zone, (at, name) => {
      const back = instantOf(localOf(at, name), name);
      expect(back <= at).toBe(true);
      if (back < at) expect(localOf(back, name)).toEqual(localOf(at, name));
    }),
    RUNS,
  );
});
