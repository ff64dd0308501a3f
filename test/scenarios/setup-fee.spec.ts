import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
/** 30 a month in advance, and 50 once. */
let plan: string;
/** The same by the year for 300, with 70 once. */
let other: string;
let people = 0;
/** Every case starts on the first of a month of 30 days. */
const months = ['2026-04', '2026-09', '2027-04', '2027-09', '2028-04', '2028-09', '2028-11'];
let at: (day: string) => string;

const setupPrice = (amount: string) => ({
  type: 'FIXED',
  billing_model: 'FLAT_FEE',
  billing_period: 'MONTHLY',
  billing_cadence: 'ONETIME',
  invoice_cadence: 'ADVANCE',
  price_unit_type: 'FIAT',
  amount,
  display_name: `Setup ${amount}`,
});
const sell = (entity_id: string, amount: string, over: object = {}) =>
  story.post<{ id: string }>('/prices', {
    ...setupPrice(amount),
    currency: 'usd',
    entity_type: 'PLAN',
    entity_id,
    ...over,
  });

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  plan = await definePlan(story, { name: 'Small', fee: '30' });
  await sell(plan, '50');
  other = await definePlan(story, { name: 'Large', fee: '60', yearly: '300' });
  await sell(other, '70');
  await sell(other, '70', { billing_period: 'ANNUAL' });
});

async function nextMonth(): Promise<void> {
  const month = months.shift()!;
  at = (day) => `${month}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
}
const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`setup-${++people}`, { plan_id: plan, payment_terms: '90 NET', ...over });
const bills = async (subscriber: Subscriber) =>
  (await subscriber.invoices()).map(({ line_items }: InvoiceBody) =>
    line_items.map((line) => [line.display_name, ...amounts(line.amount)]),
  );
const lastBill = async (subscriber: Subscriber) => (await bills(subscriber)).at(-1);
/** The first hour of the month that comes so many months after. */
async function monthsLater(count: number): Promise<void> {
  const end = new Date(at('01T01:00'));
  end.setUTCMonth(end.getUTCMonth() + count);
  await modules.advanceTo(end.toISOString());
}
const changed = ({ subscriptionId }: Subscriber, body: object) =>
  story.post(`/subscriptions/${subscriptionId}/change/execute`, body, 200);
const post = ({ subscriptionId }: Subscriber, move: string, body: object, status = 200) =>
  story.post<{ id: string }>(`/subscriptions/${subscriptionId}/${move}`, body, status);

const SMALL = ['Small', '30'];
const SETUP = ['Setup 50', '50'];

describe('a price of a plan that is asked once', () => {
  it('is on the first invoice, and on no other', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    expect(await bills(subscriber)).toEqual([[SMALL, SETUP]]);
    await monthsLater(2);
    expect(await bills(subscriber)).toEqual([[SMALL, SETUP], [SMALL], [SMALL]]);
    expect(await modules.advanceTo(new Date(+new Date(at('01T01:00')) + 61 * 86_400_000).toISOString())).toEqual([]);
  });

  it('waits for the end of a trial, also of one that rested beyond it', async () => {
    await nextMonth();
    const tried = await subscribe({ trial_period_days: 7 });
    const rested = await subscribe({ trial_period_days: 7 });
    await modules.advanceTo(at('03T00:00'));
    await post(rested, 'pause', { pause_mode: 'immediate' });
    await modules.advanceTo(at('08T02:00'));
    expect(await lastBill(tried)).toEqual([SMALL, SETUP]);
    expect(await eventsOf(modules, tried.subscriptionId, at('08T01:00'))).toEqual(['invoice.finalized']);
    await modules.advanceTo(at('12T00:00'));
    await post(rested, 'resume', { resume_mode: 'immediate' });
    await modules.advanceTo(at('13T00:00'));
    expect((await bills(rested)).flat().filter(([name]) => name === 'Setup 50')).toEqual([SETUP]);
    await monthsLater(2);
    for (const one of [tried, rested]) {
      expect((await bills(one)).flat().filter(([name]) => name === 'Setup 50')).toEqual([SETUP]);
    }
  });

  it('is asked in full of a part of a period, not again after a pause, and not given back', async () => {
    await nextMonth();
    await modules.advanceTo(at('16T00:00'));
    const prorated = { proration_behavior: 'create_prorations', billing_cycle: 'calendar' };
    const [subscriber, resting] = [await subscribe(prorated), await subscribe({ billing_cycle: 'calendar' })];
    expect(await bills(subscriber)).toEqual([[['Small', '15'], SETUP]]);
    await post(resting, 'pause', { pause_mode: 'immediate' });
    await modules.advanceTo(at('17T00:00'));
    await post(resting, 'resume', { resume_mode: 'immediate' });
    await monthsLater(2);
    expect((await bills(resting)).flat().filter(([name]) => name === 'Setup 50')).toEqual([SETUP]);
    await post(subscriber, 'cancel', { cancellation_type: 'immediate' });
    await monthsLater(2);
    expect((await bills(subscriber)).flat().filter(([name]) => name === 'Setup 50')).toEqual([SETUP]);
  });

  it('comes with a change to the plan, not with one of the interval on it', async () => {
    await nextMonth();
    const subscriber = await subscribe({ proration_behavior: 'create_prorations' });
    await modules.advanceTo(at('16T00:00'));
    await changed(subscriber, { target_plan_id: other });
    expect(await lastBill(subscriber)).toEqual([
      ['Small', '-15'],
      ['Large', '30'],
      ['Setup 70', '70'],
    ]);
    await changed(subscriber, { target_plan_id: other, billing_period: 'ANNUAL' });
    await monthsLater(3);
    expect((await bills(subscriber)).flat().filter(([name]) => name?.startsWith('Setup'))).toEqual([
      SETUP,
      ['Setup 70', '70'],
    ]);
  });

  it('comes with the next period where changes are not prorated', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    await modules.advanceTo(at('16T00:00'));
    await changed(subscriber, { target_plan_id: other });
    expect(await bills(subscriber)).toEqual([[SMALL, SETUP]]);
    await monthsLater(1);
    expect(await lastBill(subscriber)).toEqual([
      ['Large', '60'],
      ['Setup 70', '70'],
    ]);
    await monthsLater(2);
    expect(await lastBill(subscriber)).toEqual([['Large', '60']]);
  });

  it('reaches nobody by a sync', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const { id } = await sell(plan, '90');
    await story.post(`/plans/${plan}/sync/subscriptions`, {}, 200);
    await monthsLater(1);
    expect(await bills(subscriber)).toEqual([[SMALL, SETUP], [SMALL]]);
    expect((await modules.api.delete(`/prices/${id}`)).status).toBe(200);
  });
});

it('a fee agreed with one customer is asked once, stays as it is, and is not given back', async () => {
  await nextMonth();
  const subscriber = await subscribe({ proration_behavior: 'create_prorations' });
  await modules.advanceTo(at('16T00:00'));
  const added = await post(subscriber, 'lineitems', { price: setupPrice('40'), quantity: 2 }, 201);
  expect(await lastBill(subscriber)).toEqual([['Setup 40', '80']]);
  const change = await modules.api.put(`/subscriptions/lineitems/${added.id}`, { amount: '1' });
  expect([change.status, change.body.details]).toEqual([409, { state: 'once' }]);
  await modules.advanceTo(at('20T00:00'));
  expect((await modules.api.delete(`/subscriptions/lineitems/${added.id}`)).status).toBe(200);
  await monthsLater(2);
  expect((await bills(subscriber)).flat().filter(([name]) => name?.startsWith('Setup'))).toEqual([
    SETUP,
    ['Setup 40', '80'],
  ]);
});
