import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

interface ItemBody {
  id: string;
  price_id: string;
  price_type: string;
  quantity: string;
  price: { amount: string };
  start_date: string;
  end_date: string | null;
}

let modules: Modules;
let story: Story;
let support: string;
let people = 0;
let place = 0;

/** Every case starts on the first of a month of 31 days. */
const months = ['2026-01', '2026-03', '2026-05', '2026-07', '2026-10', '2026-12', '2027-03', '2027-05'];
let at: (day: string) => string;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  support = await definePlan(story, { name: 'Support', fee: '31' });
});

beforeEach(async () => {
  const name = months[place++]!;
  at = (day) => `${name}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
});

const subscribe = (over: object = {}) =>
  story.subscribe(`person-${++people}`, { proration_behavior: 'create_prorations', payment_terms: '90 NET', ...over });
const lines = ({ line_items }: InvoiceBody) =>
  line_items.map((line) => [line.display_name, ...amounts(line.quantity, line.amount)]);
const items = async (subscriber: Subscriber) =>
  (await subscriber.subscription<{ line_items: ItemBody[] }>()).line_items;
const feeOf = async (subscriber: Subscriber) =>
  (await items(subscriber)).find(({ price_type, end_date }) => price_type === 'FIXED' && end_date === null)!;
async function pricesOf(planId: string) {
  const body = { plan_ids: [planId] };
  return (await story.post<{ items: { id: string; type: string; amount: string }[] }>('/prices/search', body, 200))
    .items;
}
const feePriceOf = async (planId: string) => (await pricesOf(planId)).find(({ type }) => type === 'FIXED')!.id;
const tablesPriceOf = async (planId: string) =>
  (await pricesOf(planId)).find(({ type, amount }) => type === 'USAGE' && amount === '10')!.id;
async function put(item: ItemBody, body: object): Promise<ItemBody> {
  const answer = await modules.api.put(`/subscriptions/lineitems/${item.id}`, body);
  expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  return answer.body as ItemBody;
}

it('more seats are charged for the rest of the period, fewer given back', async () => {
  const subscriber = await subscribe();
  await modules.advanceTo(at('11T00:00'));
  const three = await put(await feeOf(subscriber), { quantity: 3 });
  expect([three.quantity, three.start_date]).toEqual(['3', new Date(at('11T00:00')).toISOString()]);
  expect(lines(await subscriber.lastInvoice())).toEqual([
    ['Starter', '1', '-100.94'],
    ['Starter', '3', '302.81'],
  ]);
  expect(await eventsOf(modules, subscriber.subscriptionId, at('11T00:00'))).toEqual([
    'subscription.items_changed',
    'invoice.drafted',
    'invoice.finalized',
  ]);
  const next = new Date(at('01T01:00'));
  next.setUTCMonth(next.getUTCMonth() + 1);
  await modules.advanceTo(next.toISOString());
  expect(lines(await subscriber.lastInvoice())).toEqual([['Starter', '3', '447']]);
});

it('a change ahead happens at its instant, once', async () => {
  const subscriber = await subscribe();
  await put(await feeOf(subscriber), { amount: '310', effective_from: at('21T00:00') });
  expect(await subscriber.invoices()).toHaveLength(1);
  await modules.advanceTo(at('21T00:00'));
  expect(lines(await subscriber.lastInvoice())).toEqual([
    ['Starter', '1', '-52.87'],
    ['Starter', '1', '110'],
  ]);
  expect(await eventsOf(modules, subscriber.subscriptionId, at('21T00:00'))).toEqual([
    'subscription.items_changed',
    'invoice.drafted',
    'invoice.finalized',
  ]);
  expect(await modules.advanceTo(at('21T00:00'))).toEqual([]);
});

it('an item is added for the rest, and ended with the rest given back', async () => {
  const subscriber = await subscribe();
  await modules.advanceTo(at('11T00:00'));
  const added = await story.post<ItemBody>(`/subscriptions/${subscriber.subscriptionId}/lineitems`, {
    price_id: await feePriceOf(support),
    quantity: 2,
  });
  expect(lines(await subscriber.lastInvoice())).toEqual([['Support', '2', '42']]);
  await modules.advanceTo(at('21T00:00'));
  const ended = await modules.api.delete(`/subscriptions/lineitems/${added.id}`);
  expect([ended.status, ended.body.end_date]).toEqual([200, new Date(at('21T00:00')).toISOString()]);
  expect(lines(await subscriber.lastInvoice())).toEqual([['Support', '2', '-22']]);
  expect((await modules.api.delete(`/subscriptions/lineitems/${added.id}`)).status).toBe(409);
});

it('usage under another price counts from zero, with the free units that are left', async () => {
  const subscriber = await subscribe();
  await subscriber.tables(3);
  const tables = (await items(subscriber)).find(({ price }) => price.amount === '10')!;
  await modules.advanceTo(at('11T00:00'));
  await put(tables, { amount: '4' });
  expect(await subscriber.tables(3)).toEqual(['0', '0', '4']);
  expect((await modules.api.put(`/subscriptions/lineitems/${tables.id}`, { amount: '5' })).status).toBe(409);
});

it('a meter is priced once at a time: beside the own price, at the start, and by a change of plan', async () => {
  const other = await definePlan(story, { name: 'Other', fee: '5' });
  const price_id = await tablesPriceOf(other);
  const subscriber = await subscribe();
  const path = `/subscriptions/${subscriber.subscriptionId}`;
  const refused = async (url: string, body: object) => {
    const answer = await modules.api.post(url, body);
    return [answer.status, answer.body.details?.field];
  };
  expect(await refused(`${path}/lineitems`, { price_id })).toEqual([400, 'price_id']);
  expect(await refused(`${path}/lineitems`, { price_id, start_date: at('21T00:00') })).toEqual([400, 'price_id']);
  const starter = { plan_id: story.starter.planId, currency: 'usd', billing_period: 'MONTHLY' };
  const twice = { ...starter, customer_id: subscriber.customerId, line_items: [{ price_id }] };
  expect(await refused('/subscriptions', twice)).toEqual([400, 'line_items[0].price_id']);

  const own = (await items(subscriber)).find(({ price }) => price.amount === '10')!;
  const ended = await modules.api.delete(`/subscriptions/lineitems/${own.id}`, { end_date: at('11T00:00') });
  expect(ended.status).toBe(200);
  expect(await refused(`${path}/lineitems`, { price_id, start_date: at('10T23:59') })).toEqual([400, 'price_id']);
  await story.post(`${path}/lineitems`, { price_id, start_date: at('11T00:00') });
  await modules.advanceTo(at('12T00:00'));
  expect(await subscriber.tables(6)).toEqual(['0', '0', '0', '0', '0', '10']);
  for (const change_at of ['immediate', 'end_of_period']) {
    const change = { target_plan_id: support, change_at };
    expect(await refused(`${path}/change/execute`, change)).toEqual([400, 'target_plan_id']);
  }
  await story.post(`${path}/change/execute`, { target_plan_id: other }, 400);
});

it('a subscription starts with terms of its own', async () => {
  const tables = await story.post<{ items: { id: string; feature_id: string }[] }>(
    '/entitlements/search',
    { plan_ids: [story.starter.planId], feature_ids: [story.starter.tablesFeatureId] },
    200,
  );
  const subscriber = await subscribe({
    override_line_items: [{ price_id: await feePriceOf(story.starter.planId), amount: '99', quantity: '2' }],
    override_entitlements: [{ entitlement_id: tables.items[0]!.id, usage_limit: 1 }],
    credit_grants: [{ name: 'welcome', scope: 'SUBSCRIPTION', cadence: 'ONETIME', credits: '30' }],
  });
  expect(lines(await subscriber.lastInvoice())).toEqual([['Starter', '2', '198']]);
  expect(await subscriber.tables(2)).toEqual(['0', '10']);
  expect(await subscriber.balance()).toBe('2020');
});

it('a subscription starts with prices of other plans beside its own, which are named where they are wrong', async () => {
  const price_id = await feePriceOf(support);
  const subscriber = await subscribe({ line_items: [{ price_id, quantity: 2, display_name: 'Help' }] });
  expect(lines(await subscriber.lastInvoice())).toEqual([
    ['Starter', '1', '149'],
    ['Help', '2', '62'],
  ]);
  const wrong = async (item: object) => {
    const { status, body } = await modules.api.post('/subscriptions', {
      customer_id: subscriber.customerId,
      plan_id: story.starter.planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      line_items: [{ price_id }, { price_id, ...item }],
    });
    return [status, body.details?.field];
  };
  expect(await wrong({ price_id: 'price_unknown' })).toEqual([404, 'line_items[1].price_id']);
  expect(await wrong({ quantity: '-1' })).toEqual([400, 'line_items[1].quantity']);
  expect(await wrong({ price: { amount: '5' } })).toEqual([400, 'line_items[1].price.type']);
  expect(await wrong({ end_date: at('05T00:00') })).toEqual([400, 'line_items[1]']);
});

it('terms that make no sense are refused with their field', async () => {
  const subscriber = await subscribe();
  const fee = await feeOf(subscriber);
  const refused = async (body: object) => {
    const answer = await modules.api.put(`/subscriptions/lineitems/${fee.id}`, body);
    return [answer.status, answer.body.details?.field];
  };
  expect(await refused({ quantity: '-1' })).toEqual([400, 'quantity']);
  expect(await refused({ amount: '1', effective_from: '2025-01-01T00:00:00Z' })).toEqual([400, 'effective_from']);
  expect(await refused({ commitment_amount: 5 })).toEqual([400, 'commitment_amount']);
  const usage = (await items(subscriber)).find(({ price_type }) => price_type === 'USAGE')!;
  const answer = await modules.api.put(`/subscriptions/lineitems/${usage.id}`, { quantity: 2 });
  expect([answer.status, answer.body.details]).toEqual([400, { field: 'quantity' }]);
  await story.post(`/subscriptions/${subscriber.subscriptionId}/lineitems`, { price_id: 'price_unknown' }, 404);
});
