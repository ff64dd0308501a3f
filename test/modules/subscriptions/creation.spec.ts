import type { SubscriptionsService } from '@drawdown/subscriptions';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf, SubscriptionWorld } from './subscription-world.js';

let world: SubscriptionWorld;
beforeAll(async () => {
  world = await SubscriptionWorld.start('2027-01-31T00:00:00Z');
  await world.defineStarter(0);
});

const starts = async (id: string) => (await world.periods(id)).map((period) => period.split(' ')[2]);

describe('boundaries', () => {
  it('of an anniversary on 31 January are clamped and always counted from the anchor', async () => {
    const id = await world.subscribe();
    await world.advanceTo('2027-05-01T00:00:00Z');
    expect(await starts(id)).toEqual(['2027-01-31T00:00', '2027-02-28T00:00', '2027-03-31T00:00', '2027-04-30T00:00']);
  });

  it("lie on the wall clock of the customer's zone, copied at creation", async () => {
    const customer = await world.customer({ timezone: 'Europe/Berlin' });
    const id = await world.subscribe({
      customer_id: customer.id,
      billing_cycle: 'calendar',
      start_date: '2027-03-01T08:00:00Z',
    });
    await world.api('put', `/customers?id=${customer.id}`, { timezone: 'America/New_York' });
    await world.advanceTo('2027-06-15T00:00:00Z');
    expect(await starts(id)).toEqual(['2027-03-01T08:00', '2027-03-31T22:00', '2027-04-30T22:00', '2027-05-31T22:00']);
  });
});

describe('a start in the past', () => {
  let id: string;
  beforeAll(async () => {
    id = await world.subscribe({
      start_date: '2027-03-10T09:00:00Z',
      trial_period_days: 14,
      billing_cycle: 'calendar',
      proration_behavior: 'create_prorations',
    });
  });

  it('runs every boundary since then before it returns', async () => {
    expect(await world.periods(id)).toEqual([
      '1 trial 2027-03-10T09:00 2027-03-24T09:00 closed',
      '2 paid 2027-03-24T09:00 2027-04-01T00:00 closed',
      '3 paid 2027-04-01T00:00 2027-05-01T00:00 closed',
      '4 paid 2027-05-01T00:00 2027-06-01T00:00 closed',
      '5 paid 2027-06-01T00:00 2027-07-01T00:00 open',
    ]);
    expect(await world.grants(id)).toEqual([
      'RECURRING 491.935483870968 2027-03-24T09:00 until 2027-04-01T00:00 applied',
      'RECURRING 2000 2027-04-01T00:00 until 2027-05-01T00:00 applied',
      'RECURRING 2000 2027-05-01T00:00 until 2027-06-01T00:00 applied',
      'RECURRING 2000 2027-06-01T00:00 until 2027-07-01T00:00 applied',
      'RECURRING 2000 2027-07-01T00:00 until 2027-08-01T00:00 pending',
    ]);
  });

  it('in order: a period closes, the next opens, its credits are given', async () => {
    expect((await world.eventNames(id)).slice(0, 9)).toEqual([
      'subscription.created',
      'subscription.period_opened',
      'subscription.period_closed',
      'subscription.activated',
      'subscription.period_opened',
      'credit_grant.due',
      'subscription.period_closed',
      'subscription.period_opened',
      'credit_grant.due',
    ]);
  });

  it('further back than 13 months is refused', async () => {
    expect(await refusalOf(world.subscribe({ start_date: '2026-05-14T23:59:59Z' }))).toEqual({
      status: 400,
      field: 'start_date',
    });
  });

  it('with an end in the past is over when it returns', async () => {
    const over = await world.subscribe({ start_date: '2027-04-10T00:00:00Z', end_date: '2027-05-20T00:00:00Z' });
    expect((await world.subscription(over)).status).toBe('cancelled');
    expect(await world.periods(over)).toEqual([
      '1 paid 2027-04-10T00:00 2027-05-10T00:00 closed',
      '2 paid 2027-05-10T00:00 2027-05-20T00:00 closed',
    ]);
  });
});

describe('a start ahead', () => {
  it('is a draft with its date: no period, no grant, until then', async () => {
    const id = await world.subscribe({ start_date: '2027-06-20T00:00:00Z' });
    expect(await world.subscription(id)).toMatchObject({ status: 'draft', currentPeriodStart: null });
    expect(await world.periods(id)).toEqual([]);
    expect(await world.eventNames(id)).toEqual(['subscription.created']);
    await world.advanceTo('2027-06-20T00:00:00Z');
    expect((await world.eventNames(id)).slice(1)).toEqual([
      'subscription.activated',
      'subscription.period_opened',
      'credit_grant.due',
    ]);
    expect((await world.subscription(id)).status).toBe('active');
  });
});

describe('what is copied', () => {
  const items = async (id: string) => {
    const all = await world.run((tx) => world.service.lineItems(tx, id));
    return all.map((item) => ({ name: item.displayName, type: item.priceType, amount: item.price.amount, item }));
  };

  it('is the price with its meter and allowance', async () => {
    const copies = await items(await world.subscribe());
    expect(copies.map(({ name, type, amount }) => [name, type, amount])).toEqual([
      ['Starter', 'FIXED', '149'],
      ['Tables created', 'USAGE', '10'],
      ['Contacts enriched', 'USAGE', '1.5'],
    ]);
    expect(copies[1]!.item.rule).toMatchObject({
      meter: { eventName: 'table_create', filters: [{ key: 'status', values: ['success'] }] },
    });
    expect([copies[1]!.item.rule.allowance, copies[2]!.item.rule.allowance]).toEqual(['5', null]);
  });

  it('no edit of the catalogue reaches', async () => {
    const id = await world.subscribe();
    await world.api('put', `/features/${world.starter.tablesFeatureId}`, {
      filters: [{ key: 'status', values: ['failure'] }],
    });
    const [, tables] = await items(id);
    expect(tables!.item.rule.meter!.filters).toEqual([{ key: 'status', values: ['success'] }]);
    const [, later] = await items(await world.subscribe());
    expect(later!.item.rule.meter!.filters).toEqual([{ key: 'status', values: ['failure'] }]);
  });
});

describe('is refused', () => {
  type Body = Parameters<SubscriptionsService['create']>[1];
  it.each<[string, Partial<Body>, { status: number; field?: string }]>([
    ['a currency without prices', { currency: 'eur' }, { status: 400, field: 'currency' }],
    ['an interval without prices', { billing_period: 'ANNUAL' }, { status: 400, field: 'billing_period' }],
    ['an unknown plan', { plan_id: 'plan_none' }, { status: 404, field: 'plan_id' }],
    ['an end before the start', { end_date: '2027-01-01T00:00:00Z' }, { status: 400, field: 'end_date' }],
    ['a trial that ends before it starts', { trial_end: '2027-01-01T00:00:00Z' }, { status: 400, field: 'trial_end' }],
  ])('%s', async (_, options, refusal) => {
    expect(await refusalOf(world.subscribe(options))).toMatchObject(refusal);
  });

  it('a customer nobody named, an unknown one, one of another environment', async () => {
    const body = { plan_id: world.starter.planId, currency: 'usd', billing_period: 'MONTHLY' } as const;
    const create = (more: object) => refusalOf(world.run((tx) => world.service.create(tx, { ...body, ...more })));
    expect(await create({})).toEqual({ status: 400, field: 'customer_id' });
    expect(await create({ customer_id: 'cust_none' })).toMatchObject({ status: 404 });
    expect(await create({ external_customer_id: 'nobody' })).toMatchObject({ status: 404 });
    const { id } = await world.customer();
    const elsewhere = world.runElsewhere((tx) => world.service.create(tx, { ...body, customer_id: id }));
    expect(await refusalOf(elsewhere)).toMatchObject({ status: 404 });
  });
});

it('a customer with a subscription can be archived only when it is cancelled', async () => {
  const { id: customerId } = await world.customer();
  const id = await world.subscribe({ customer_id: customerId });
  expect((await world.api('delete', `/customers/${customerId}`)).status).toBe(409);
  await world.run((tx) => world.service.cancel(tx, id, { type: 'immediate', finalInvoice: false, reason: null }));
  expect((await world.api('delete', `/customers/${customerId}`)).status).toBe(204);
});

it('a due work that runs again does nothing', async () => {
  const id = await world.subscribe({ start_date: '2027-05-20T00:00:00Z' });
  const before = { periods: await world.periods(id), grants: await world.grants(id), events: await world.events(id) };
  await world.repeatAllWork(id);
  expect({ periods: await world.periods(id), grants: await world.grants(id), events: await world.events(id) }).toEqual(
    before,
  );
});
