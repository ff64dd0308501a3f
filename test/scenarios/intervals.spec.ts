import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { advance } from './happenings.js';
import { amounts, Story, type Subscriber } from './story.js';

interface Case {
  readonly interval: readonly [period: string, count: number];
  readonly cycle: 'calendar' | 'anniversary';
  readonly zone: string;
  /** What is special, by the wall clock of the zone. */
  readonly because: string;
  readonly start: string;
  /** The ends of the periods, worked out by hand. */
  readonly ends: readonly string[];
  /** What is asked at the start; 100 for a whole period. */
  readonly first: string;
}

const NEW_YORK = 'America/New_York';
const LORD_HOWE = 'Australia/Lord_Howe';
const cases: readonly Case[] = [
  {
    interval: ['DAILY', 1],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: '02:30 is skipped on 8 March 2026: 03:00',
    start: '2026-03-06T07:30:00Z',
    ends: ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30'],
    first: '100',
  },
  {
    interval: ['DAILY', 3],
    cycle: 'anniversary',
    zone: LORD_HOWE,
    because: '02:15 is skipped on 4 October 2026, for half an hour: 02:30',
    start: '2026-09-30T15:45:00Z',
    ends: ['2026-10-03T15:30', '2026-10-06T15:15'],
    first: '100',
  },
  {
    interval: ['DAILY', 1],
    cycle: 'calendar',
    zone: NEW_YORK,
    because: 'from noon, half a day; 1 November 2026 has 25 hours',
    start: '2026-10-31T16:00:00Z',
    ends: ['2026-11-01T04:00', '2026-11-02T05:00', '2026-11-03T05:00'],
    first: '50',
  },
  {
    interval: ['WEEKLY', 2],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: '09:00 before and after 14 March 2027',
    start: '2027-02-20T14:00:00Z',
    ends: ['2027-03-06T14:00', '2027-03-20T13:00'],
    first: '100',
  },
  {
    interval: ['WEEKLY', 1],
    cycle: 'calendar',
    zone: LORD_HOWE,
    because: 'Thursday to Monday, 96.5 of the 168.5 hours of a week that ends standard time',
    start: '2027-03-31T13:00:00Z',
    ends: ['2027-04-04T13:30', '2027-04-11T13:30'],
    first: '57.27',
  },
  {
    interval: ['DAILY', 1],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: '01:30 comes twice on 7 November 2027: the first',
    start: '2027-11-06T05:30:00Z',
    ends: ['2027-11-07T05:30', '2027-11-08T06:30'],
    first: '100',
  },
  {
    interval: ['MONTHLY', 1],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: 'from 31 January 2028, a leap year, 02:30',
    start: '2028-01-31T07:30:00Z',
    ends: ['2028-02-29T07:30', '2028-03-31T06:30', '2028-04-30T06:30'],
    first: '100',
  },
  {
    interval: ['MONTHLY', 2],
    cycle: 'calendar',
    zone: NEW_YORK,
    because: 'from 10 March 2029, 527 of the 1,415 hours of February and March',
    start: '2029-03-10T05:00:00Z',
    ends: ['2029-04-01T04:00', '2029-06-01T04:00'],
    first: '37.24',
  },
  {
    interval: ['MONTHLY', 2],
    cycle: 'anniversary',
    zone: LORD_HOWE,
    because: 'from 30 December 2029, 09:00',
    start: '2029-12-29T22:00:00Z',
    ends: ['2030-02-27T22:00', '2030-04-29T22:30'],
    first: '100',
  },
  {
    interval: ['QUARTERLY', 1],
    cycle: 'calendar',
    zone: NEW_YORK,
    because: 'from 16 May 2030, 46 of 91 days',
    start: '2030-05-16T04:00:00Z',
    ends: ['2030-07-01T04:00', '2030-10-01T04:00', '2031-01-01T05:00'],
    first: '50.55',
  },
  {
    interval: ['QUARTERLY', 2],
    cycle: 'anniversary',
    zone: LORD_HOWE,
    because: 'from 31 August 2031: 29 February of a leap year, and 31 August again',
    start: '2031-08-30T13:30:00Z',
    ends: ['2032-02-28T13:00', '2032-08-30T13:30'],
    first: '100',
  },
  {
    interval: ['HALF_YEARLY', 1],
    cycle: 'calendar',
    zone: LORD_HOWE,
    because: 'from 1 September 2033, 2,927.5 of 4,415.5 hours',
    start: '2033-08-31T13:30:00Z',
    ends: ['2033-12-31T13:00', '2034-06-30T13:30'],
    first: '66.3',
  },
  {
    interval: ['HALF_YEARLY', 3],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: 'from 30 August 2034, 09:00: 29 February 2036, and 30 August 2037',
    start: '2034-08-30T13:00:00Z',
    ends: ['2036-02-29T14:00', '2037-08-30T13:00'],
    first: '100',
  },
  {
    interval: ['ANNUAL', 1],
    cycle: 'anniversary',
    zone: NEW_YORK,
    because: 'from 29 February 2040: 28 February until the next leap year',
    start: '2040-02-29T14:00:00Z',
    ends: ['2041-02-28T14:00', '2042-02-28T14:00', '2043-02-28T14:00', '2044-02-29T14:00'],
    first: '100',
  },
  {
    interval: ['ANNUAL', 2],
    cycle: 'anniversary',
    zone: LORD_HOWE,
    because: 'from 5 April 2044, 00:00: in 2048 summer time ends two hours later',
    start: '2044-04-04T13:30:00Z',
    ends: ['2046-04-04T13:30', '2048-04-04T13:00'],
    first: '100',
  },
  {
    interval: ['ANNUAL', 1],
    cycle: 'calendar',
    zone: NEW_YORK,
    because: 'from 2 July 2049, 4,393 of 8,760 hours',
    start: '2049-07-02T04:00:00Z',
    ends: ['2050-01-01T05:00', '2051-01-01T05:00'],
    first: '50.15',
  },
];

let modules: Modules;
let story: Story;
let planId: string;
let people = 0;

/** 100 a period in advance and 10 a table, at every interval of the cases. */
async function definePlan(): Promise<string> {
  const plan = await story.post<{ id: string }>('/plans', { name: 'Any interval' });
  const tables = await story.get<{ meter_id: string }>(`/features/${story.starter.tablesFeatureId}`);
  const intervals = new Set(cases.map(({ interval }) => interval.join(' ')));
  for (const interval of intervals) {
    const [billing_period, count] = interval.split(' ');
    const terms = {
      entity_type: 'PLAN',
      entity_id: plan.id,
      billing_model: 'FLAT_FEE',
      currency: 'usd',
      billing_period,
      billing_period_count: Number(count),
    };
    await story.post('/prices', { ...terms, type: 'FIXED', invoice_cadence: 'ADVANCE', amount: '100' });
    await story.post('/prices', { ...terms, type: 'USAGE', meter_id: tables.meter_id, amount: '10' });
  }
  return plan.id;
}

beforeAll(async () => {
  modules = await startModules({ at: '2026-03-01T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  planId = await definePlan();
});

const subscribe = ({ interval: [billing_period, billing_period_count], cycle, zone }: Case): Promise<Subscriber> =>
  story.subscribe(`person-${++people}`, {
    plan_id: planId,
    billing_period,
    billing_period_count,
    billing_cycle: cycle,
    customer_timezone: zone,
    proration_behavior: 'create_prorations',
    collection_method: 'send_invoice',
    payment_terms: '90 NET',
  });

const hourAfter = (instant: string): string => new Date(+new Date(`${instant}Z`) + 3_600_000).toISOString();
const stamp = (instant: string): string => new Date(instant).toISOString().slice(0, 16);

describe.each(cases)('$interval by $cycle in $zone ($because)', (one) => {
  const bounds = [stamp(one.start), ...one.ends];
  let subscriber: Subscriber;

  it('ends its periods there, each with exactly these events', async () => {
    await advance(modules, one.start);
    subscriber = await subscribe(one);
    await payAll(subscriber);
    for (const [place, end] of one.ends.entries()) {
      await subscriber.tables(place + 1);
      expect(await advance(modules, hourAfter(end))).toEqual([
        `${end} subscription.period_closed`,
        `${end} subscription.period_opened`,
        `${end} invoice.drafted`,
        `${stamp(hourAfter(end))} invoice.finalized`,
      ]);
      expect(await advance(modules, hourAfter(end))).toEqual([]);
      await payAll(subscriber);
    }
  });

  it('bills the fee of each period, and the usage of the one before: 10, 20, 30', async () => {
    const invoices = await subscriber.invoices();
    expect(invoices.map(({ period_start, total }) => [stamp(period_start), ...amounts(total)])).toEqual(
      bounds.map((bound, place) => [bound, place === 0 ? one.first : String(100 + 10 * place)]),
    );
    const usage = invoices.flatMap(({ line_items }) => line_items.filter(({ price_type }) => price_type === 'USAGE'));
    expect(usage.map(({ period_start, period_end }) => [stamp(period_start), stamp(period_end)])).toEqual(
      one.ends.map((end, place) => [bounds[place], end]),
    );
    await story.post(
      `/subscriptions/${subscriber.subscriptionId}/cancel`,
      { cancellation_type: 'immediate', cancel_immediately_inovice_policy: 'skip' },
      200,
    );
  });
});

/** Records money that came another way, so that nothing falls due later. */
async function payAll(subscriber: Subscriber): Promise<void> {
  for (const { id, amount_remaining } of await subscriber.invoices()) {
    if (Number(amount_remaining) === 0) continue;
    const answer = await modules.api.put(`/invoices/${id}/payment`, { payment_status: 'SUCCEEDED' });
    expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  }
}
