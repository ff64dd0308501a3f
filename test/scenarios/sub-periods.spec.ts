import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { advance } from './happenings.js';
import { amounts, Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
let people = 0;

interface Sold {
  readonly interval: string;
  readonly limit?: readonly [units: number, window: string];
  readonly credits?: object;
}

/** 100 a period in advance and 10 a table, with free tables or credits by an interval of their own. */
async function sell({ interval, limit, credits }: Sold): Promise<string> {
  const plan = await story.post<{ id: string }>('/plans', { name: interval });
  const { tablesFeatureId } = story.starter;
  const { meter_id } = await story.get<{ meter_id: string }>(`/features/${tablesFeatureId}`);
  const terms = {
    entity_type: 'PLAN',
    entity_id: plan.id,
    billing_model: 'FLAT_FEE',
    currency: 'usd',
    billing_period: interval,
  };
  await story.post('/prices', { ...terms, type: 'FIXED', invoice_cadence: 'ADVANCE', amount: '100' });
  await story.post('/prices', { ...terms, type: 'USAGE', meter_id, amount: '10' });
  if (limit) {
    const [usage_limit, usage_reset_period] = limit;
    const given = { plan_id: plan.id, feature_id: tablesFeatureId, feature_type: 'metered' };
    await story.post('/entitlements', { ...given, usage_limit, usage_reset_period });
  }
  if (credits) await story.post('/creditgrants', { name: 'credits', scope: 'PLAN', plan_id: plan.id, ...credits });
  return plan.id;
}

async function subscribe(sold: Sold, over: object = {}): Promise<Subscriber> {
  const subscriber = await story.subscribe(`person-${++people}`, {
    plan_id: await sell(sold),
    billing_period: sold.interval,
    customer_timezone: 'America/New_York',
    collection_method: 'send_invoice',
    payment_terms: '90 NET',
    ...over,
  });
  await pay(subscriber);
  return subscriber;
}

const at = async (subscriber: Subscriber, times: readonly (readonly [at: string, tables: number])[]): Promise<void> => {
  for (const [timestamp, count] of times) {
    for (let n = 0; n < count; n++) await subscriber.send('table_create', { status: 'success' }, { timestamp });
  }
};
const bill = async (subscriber: Subscriber) => {
  const { line_items } = await subscriber.lastInvoice();
  return line_items.map(({ price_type, quantity, amount, ...line }) => [
    price_type,
    ...amounts(quantity, (line as unknown as { free_units: string }).free_units, amount),
  ]);
};
/** Nothing of it is left for the cases after it. */
async function leave(subscriber: Subscriber): Promise<void> {
  const skip = { cancellation_type: 'immediate', cancel_immediately_inovice_policy: 'skip' };
  await story.post(`/subscriptions/${subscriber.subscriptionId}/cancel`, skip, 200);
  await pay(subscriber);
}

async function pay(subscriber: Subscriber): Promise<void> {
  for (const { id, amount_remaining } of await subscriber.invoices()) {
    if (Number(amount_remaining) === 0) continue;
    const answer = await modules.api.put(`/invoices/${id}/payment`, { payment_status: 'SUCCEEDED' });
    expect(answer.status).toBe(200);
  }
}

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-31T05:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
});

describe('monthly credits inside a quarter, from 31 January at midnight in New York', () => {
  let subscriber: Subscriber;
  const monthly = { cadence: 'RECURRING', period: 'MONTHLY', credits: '100', expiration_type: 'BILLING_CYCLE' };

  beforeAll(async () => {
    subscriber = await subscribe({ interval: 'QUARTERLY', credits: monthly });
    await advance(modules, '2026-01-31T05:00:00Z');
  });

  it('come on 28 February and 31 March, and pay what is short; what is left of a month is written off', async () => {
    expect(await subscriber.tables(12)).toEqual([...Array<string>(10).fill('10'), '0', '0']);
    expect(await advance(modules, '2026-03-31T06:00:00Z')).toEqual([
      '2026-02-28T05:00 credit_grant.due',
      '2026-02-28T05:00 credits.added',
      '2026-02-28T05:00 usage.shortfall_paid_down',
      '2026-03-31T04:00 credit_grant.due',
      '2026-03-31T04:00 credits.added',
      '2026-03-31T05:00 credits.written_off',
    ]);
    expect(await subscriber.balance()).toBe('100');
    expect(await advance(modules, '2026-03-31T06:00:00Z')).toEqual([]);
  });

  it('the quarter closes on 30 April: 120 of usage paid by credits, and the next credits come', async () => {
    expect(await advance(modules, '2026-04-30T06:00:00Z')).toEqual([
      '2026-04-30T04:00 subscription.period_closed',
      '2026-04-30T04:00 subscription.period_opened',
      '2026-04-30T04:00 invoice.drafted',
      '2026-04-30T04:00 credit_grant.due',
      '2026-04-30T04:00 credits.added',
      '2026-04-30T05:00 credits.written_off',
      '2026-04-30T05:00 invoice.finalized',
    ]);
    const invoice = await subscriber.lastInvoice();
    expect(amounts(invoice.total, invoice.total_prepaid_credits_applied)).toEqual(['100', '120']);
    expect(await advance(modules, '2026-04-30T06:00:00Z')).toEqual([]);
    await leave(subscriber);
    await advance(modules, '2026-06-01T06:00:00Z');
  });
});

describe('free tables by the day inside a month, from 02:30 in New York two days before summer time', () => {
  let subscriber: Subscriber;

  it('begin anew at 02:30, on 8 March at 03:00, and don’t add up', async () => {
    await advance(modules, '2027-03-12T07:30:00Z');
    subscriber = await subscribe({ interval: 'MONTHLY', limit: [2, 'DAILY'] });
    await advance(modules, '2027-03-20T00:00:00Z');
    await at(subscriber, [
      ['2027-03-12T08:00:00Z', 3],
      ['2027-03-13T07:30:00Z', 1],
      ['2027-03-14T06:59:59Z', 2],
      ['2027-03-14T07:00:00Z', 2],
      ['2027-03-15T06:29:59Z', 1],
      ['2027-03-15T06:30:00Z', 2],
    ]);
    // 12th: 3, 13th: 3, 14th: 3, 15th: 2; two of each day are free.
    expect(await advance(modules, '2027-04-12T07:30:00Z')).toEqual([
      '2027-04-12T06:30 subscription.period_closed',
      '2027-04-12T06:30 subscription.period_opened',
      '2027-04-12T06:30 invoice.drafted',
      '2027-04-12T07:30 invoice.finalized',
    ]);
    expect(await bill(subscriber)).toEqual([
      ['FIXED', '1', '0', '100'],
      ['USAGE', '11', '8', '30'],
    ]);
    expect(await advance(modules, '2027-04-12T07:30:00Z')).toEqual([]);
    await leave(subscriber);
  });
});

describe('free tables by the month inside a year, from 29 February', () => {
  it('begin anew on the 29th, or the last of February', async () => {
    await advance(modules, '2028-02-29T05:00:00Z');
    const subscriber = await subscribe({ interval: 'ANNUAL', limit: [5, 'MONTHLY'] });
    await advance(modules, '2029-02-27T05:00:00Z');
    await at(subscriber, [
      ['2028-02-29T05:00:00Z', 6],
      ['2028-03-29T03:59:59Z', 1],
      ['2028-03-29T04:00:00Z', 5],
      ['2028-04-29T04:00:00Z', 7],
      ['2029-01-29T04:59:59Z', 5],
      ['2029-01-29T05:00:00Z', 8],
    ]);
    // Beyond five: 2, 0, 2, none in the month to 29 January, 3 in the last.
    expect(await advance(modules, '2029-02-28T06:00:00Z')).toEqual([
      '2029-02-28T05:00 subscription.period_closed',
      '2029-02-28T05:00 subscription.period_opened',
      '2029-02-28T05:00 invoice.drafted',
      '2029-02-28T06:00 invoice.finalized',
    ]);
    expect(await bill(subscriber)).toEqual([
      ['FIXED', '1', '0', '100'],
      ['USAGE', '32', '25', '70'],
    ]);
    expect(await advance(modules, '2029-02-28T06:00:00Z')).toEqual([]);
    await leave(subscriber);
  });
});

describe('weekly credits inside a year by the calendar, from Friday in New York', () => {
  it('come at once for the rest of their step and then by the week, counted from 1 January', async () => {
    // 1 January 2030 is a Tuesday: weeks counted back from there begin on Tuesdays.
    await advance(modules, '2029-11-02T04:00:00Z');
    const weekly = { cadence: 'RECURRING', period: 'WEEKLY', credits: '168', expiration_type: 'BILLING_CYCLE' };
    const subscriber = await subscribe(
      { interval: 'ANNUAL', credits: weekly },
      { billing_cycle: 'calendar', proration_behavior: 'create_prorations' },
    );
    // Friday 2 November 00:00 to Tuesday 6 November 00:00, of a week that ends summer time: 97 of 169 hours.
    expect(await subscriber.balance()).toBe('96.426035502959');
    expect(await advance(modules, '2029-11-13T06:30:00Z')).toEqual([
      '2029-11-06T05:00 credit_grant.due',
      '2029-11-06T05:00 credits.added',
      '2029-11-06T06:00 credits.written_off',
      '2029-11-13T05:00 credit_grant.due',
      '2029-11-13T05:00 credits.added',
      '2029-11-13T06:00 credits.written_off',
    ]);
    expect(await subscriber.balance()).toBe('168');
    expect(await advance(modules, '2029-11-13T06:30:00Z')).toEqual([]);
  });
});
