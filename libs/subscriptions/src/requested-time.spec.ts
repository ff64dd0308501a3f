import { requestedEnd, requestedStart, requestedTrialDays, requestedTrialEnd } from './requested-time.js';

const now = new Date('2027-01-10T09:00:00Z');
const fieldOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return (error as { details: { field: string } }).details.field;
  }
  return undefined;
};

describe('the start', () => {
  it('is now without a word', () => expect(requestedStart({}, now, 'UTC')).toEqual(now));

  it('may lie 13 months back and not a second more', () => {
    expect(requestedStart({ start_date: '2025-12-10T09:00:00Z' }, now, 'UTC')).toEqual(
      new Date('2025-12-10T09:00:00Z'),
    );
    expect(fieldOf(() => requestedStart({ start_date: '2025-12-10T08:59:59Z' }, now, 'UTC'))).toBe('start_date');
  });

  it('may lie ahead', () => {
    expect(requestedStart({ start_date: '2028-01-01T00:00:00+01:00' }, now, 'UTC')).toEqual(
      new Date('2027-12-31T23:00:00Z'),
    );
  });
});

describe('the trial', () => {
  const end = (body: Parameters<typeof requestedTrialEnd>[0], planDays = 0) =>
    requestedTrialEnd(body, now, 'UTC', requestedTrialDays(body) ?? planDays)?.toISOString() ?? null;

  it("is the plan's without a word", () => {
    expect(end({}, 14)).toBe('2027-01-24T09:00:00.000Z');
    expect(end({}, 0)).toBeNull();
  });

  it("is the request's when it has one, in either spelling", () => {
    expect(end({ trial_period_days: 7 }, 14)).toBe('2027-01-17T09:00:00.000Z');
    expect(end({ trial_period: 7 }, 14)).toBe('2027-01-17T09:00:00.000Z');
    expect(end({ trial_end: '2027-01-11T00:00:00Z' }, 14)).toBe('2027-01-11T00:00:00.000Z');
    expect(end({ trial_period_days: 0 }, 14)).toBeNull();
  });

  it('counts days on the wall clock: over a change of clocks a day has another length', () => {
    expect(requestedTrialEnd({}, new Date('2027-03-27T09:00:00Z'), 'Europe/Berlin', 2)).toEqual(
      new Date('2027-03-29T08:00:00Z'),
    );
  });

  it('that ends before it starts, starts elsewhere, or is given twice is refused by name', () => {
    expect(fieldOf(() => end({ trial_end: '2027-01-10T09:00:00Z' }))).toBe('trial_end');
    expect(fieldOf(() => end({ trial_start: '2027-01-11T09:00:00Z' }))).toBe('trial_start');
    expect(fieldOf(() => end({ trial_end: '2027-02-01T00:00:00Z', trial_period_days: 3 }))).toBe('trial_end');
  });
});

it('an end lies after the start', () => {
  expect(requestedEnd({ end_date: '2027-01-10T09:00:01Z' }, now)).toEqual(new Date('2027-01-10T09:00:01Z'));
  expect(fieldOf(() => requestedEnd({ end_date: '2027-01-10T09:00:00Z' }, now))).toBe('end_date');
});
