import { DEFAULT_DUNNING_DAYS, dunningSchedule } from './dunning.js';

const from = new Date('2026-03-27T09:00:00Z');
const days = (schedule: Date[]) => schedule.map((at) => at.toISOString());

it('payment is retried 1, 3, 5 and 7 days after the first failure', () => {
  expect(days(dunningSchedule(DEFAULT_DUNNING_DAYS, from))).toEqual([
    '2026-03-28T09:00:00.000Z',
    '2026-03-30T09:00:00.000Z',
    '2026-04-01T09:00:00.000Z',
    '2026-04-03T09:00:00.000Z',
  ]);
});

it('at the same time of day in the zone of the customer', () => {
  expect(days(dunningSchedule([3], from, 'Europe/Berlin'))).toEqual(['2026-03-30T08:00:00.000Z']);
});

it('in order and each day once; none of no days', () => {
  expect(days(dunningSchedule([3, 1, 3], from))).toHaveLength(2);
  expect(dunningSchedule([], from)).toEqual([]);
});

it.each([0, -1, 1.5])('day %p is refused', (day) => {
  expect(() => dunningSchedule([day], from)).toThrow(RangeError);
});
