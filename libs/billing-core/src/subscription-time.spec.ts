import fc from 'fast-check';
import { BILLING_CYCLES } from './period.js';
import { type SubscriptionTime, earliestStart, firstPeriodOf, periodAfter } from './subscription-time.js';

const monthly = { billingPeriod: 'MONTHLY', count: 1, zone: 'UTC' } as const;
const day = (text: string) => new Date(`${text}Z`);

function firstPeriods(time: SubscriptionTime, count: number) {
  const periods = [firstPeriodOf(time)];
  while (periods.length < count) {
    const { kind, span } = periods.at(-1)!;
    periods.push(periodAfter(time, { kind, ...span }));
  }
  return periods;
}

const told = (time: SubscriptionTime, count: number) =>
  firstPeriods(time, count).map(
    ({ kind, span }) => `${kind} ${span.start.toISOString().slice(0, 16)} ${span.end.toISOString().slice(0, 16)}`,
  );

describe('the periods of a subscription', () => {
  it('are the example: a trial, then months from its end', () => {
    const time = { start: day('2027-01-10T09:00'), trialEnd: day('2027-01-24T09:00'), cadence: monthly };
    expect(told({ ...time, cycle: 'anniversary' }, 3)).toEqual([
      'trial 2027-01-10T09:00 2027-01-24T09:00',
      'paid 2027-01-24T09:00 2027-02-24T09:00',
      'paid 2027-02-24T09:00 2027-03-24T09:00',
    ]);
    expect(told({ ...time, cycle: 'calendar' }, 3)).toEqual([
      'trial 2027-01-10T09:00 2027-01-24T09:00',
      'paid 2027-01-24T09:00 2027-02-01T00:00',
      'paid 2027-02-01T00:00 2027-03-01T00:00',
    ]);
  });

  it('of a trial longer than a month hold no boundary inside it', () => {
    const time = { start: day('2027-01-10T09:00'), trialEnd: day('2027-04-20T09:00'), cadence: monthly };
    expect(told({ ...time, cycle: 'calendar' }, 2)).toEqual([
      'trial 2027-01-10T09:00 2027-04-20T09:00',
      'paid 2027-04-20T09:00 2027-05-01T00:00',
    ]);
  });

  it('tile time from the start, each inside the whole it is a part of', () => {
    const instant = fc.date({ min: day('2020-01-01T00:00'), max: day('2035-01-01T00:00'), noInvalidDate: true });
    fc.assert(
      fc.property(
        instant,
        fc.option(fc.integer({ min: 1, max: 9_000_000 })),
        fc.constantFrom(...BILLING_CYCLES),
        (start, trialSeconds, cycle) => {
          const trialEnd = trialSeconds === null ? null : new Date(start.getTime() + trialSeconds * 1000);
          const periods = firstPeriods({ start, trialEnd, cycle, cadence: monthly }, 6);
          expect(periods[0]!.span.start).toEqual(start);
          for (const [place, { span, whole }] of periods.entries()) {
            expect(span.start < span.end && whole.start <= span.start && span.end <= whole.end).toBe(true);
            if (place > 0) expect(span.start).toEqual(periods[place - 1]!.span.end);
          }
        },
      ),
    );
  });
});

it('a start lies at most 13 months back', () => {
  expect(earliestStart(day('2027-03-31T12:00'), 'UTC')).toEqual(day('2026-02-28T12:00'));
});
