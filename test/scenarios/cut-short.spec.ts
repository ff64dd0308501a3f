import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, type InvoiceBody, Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
/** 100 a month in advance; 1,200 a year. */
let plan: string;
let dearer: string;
let people = 0;
/** Every case starts on the first of a month of 31 days. */
const months = ['2026-01', '2026-03', '2026-05', '2026-07', '2026-10', '2026-12', '2027-03', '2027-05', '2027-07'];
let at: (day: string) => string;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  plan = await definePlan(story, { name: 'Hundred', fee: '100', yearly: '1200' });
  dearer = await definePlan(story, { name: 'Two hundred', fee: '200' });
});

beforeEach(async () => {
  const month = months.shift()!;
  at = (day) => `${month}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
});

const prorated = { proration_behavior: 'create_prorations' };
const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`cut-${++people}`, { plan_id: plan, payment_terms: '90 NET', ...over });
const bills = async (subscriber: Subscriber) =>
  (await subscriber.invoices()).map(({ line_items }: InvoiceBody) =>
    line_items.flatMap((line) => amounts(line.amount)),
  );
const post = ({ subscriptionId }: Subscriber, move: string, body: object) =>
  story.post<{ id: string }>(`/subscriptions/${subscriptionId}/${move}`, body, 200);
const accountCredit = async ({ customerId }: Subscriber) => {
  const found = await modules.run((tx) =>
    sql<{ given: string }>`
      select trim_scale(coalesce(sum(account_credit_given), 0))::text given
      from invoice where customer_id = ${customerId}`.execute(tx.db),
  );
  return found.rows[0]!.given;
};
/** The first of the month after, so many hours later. */
function next(hours: number, minutes = 0): string {
  const end = new Date(at('01T00:00'));
  end.setUTCMonth(end.getUTCMonth() + 1);
  return new Date(+end + (hours * 60 + minutes) * 60_000).toISOString();
}

it('a period cut short while its invoice is a draft is charged as it was to be, and the rest given back', async () => {
  const subscriber = await subscribe(prorated);
  await modules.advanceTo(next(0, 20));
  await post(subscriber, 'cancel', { cancellation_type: 'immediate' });
  await modules.advanceTo(next(3));
  const [, cycle, last] = await bills(subscriber);
  expect(cycle).toEqual(['100']);
  expect(last).toEqual([expect.stringMatching(/^-99\.9/)]);
});

it('a fee whose invoice was voided is not given back', async () => {
  const [cancelled, changed] = [await subscribe(prorated), await subscribe(prorated)];
  const incomplete = await subscribe({ ...prorated, payment_behavior: 'default_incomplete' });
  await modules.advanceTo(at('01T05:00'));
  await post(incomplete, 'cancel', { cancellation_type: 'immediate' });
  const rested = await subscribe();
  for (const one of [cancelled, changed, rested]) {
    await story.post(`/invoices/${(await one.lastInvoice()).id}/void`, {}, 200);
  }
  await post(rested, 'pause', { pause_mode: 'immediate' });
  await modules.advanceTo(at('10T00:00'));
  await post(rested, 'resume', { resume_mode: 'immediate' });
  await modules.advanceTo(at('16T00:00'));
  await post(cancelled, 'cancel', { cancellation_type: 'immediate' });
  await post(rested, 'cancel', { cancellation_type: 'immediate', ...prorated });
  await post(changed, 'change/execute', { target_plan_id: dearer });
  await modules.advanceTo(at('16T03:00'));
  expect(await bills(cancelled)).toEqual([['100']]);
  expect(await bills(changed)).toEqual([['100'], ['103.23']]);
  for (const one of [incomplete, rested]) expect((await bills(one)).flat()).toEqual(['100']);
  for (const one of [cancelled, changed, incomplete, rested]) expect(await accountCredit(one)).toBe('0');
});

it('a prorated change after one without proration gives back what was paid ahead', async () => {
  const subscriber = await subscribe(prorated);
  await modules.advanceTo(at('11T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: dearer, proration_behavior: 'none' });
  expect(await bills(subscriber)).toEqual([['100']]);
  await modules.advanceTo(at('21T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: plan });
  // 11 of 31 days: 100 back, 100 anew.
  expect(await bills(subscriber)).toEqual([['100'], ['-35.48', '35.48']]);
  await modules.advanceTo(next(2));
  expect((await bills(subscriber)).at(-1)).toEqual(['100']);
});

it('a quantity changed after a sync gives back the fee that the sync had left paid', async () => {
  const own = await definePlan(story, { name: 'Synced', fee: '100' });
  const subscriber = await subscribe({ ...prorated, plan_id: own });
  const { items } = await story.post<{ items: { id: string; type: string }[] }>(
    '/prices/search',
    { plan_ids: [own] },
    200,
  );
  const fee = items.find(({ type }) => type === 'FIXED')!;
  await modules.api.put(`/prices/${fee.id}`, { amount: '120' });
  await modules.advanceTo(at('10T00:00'));
  await story.post(`/plans/${own}/sync/subscriptions`, {}, 200);
  await modules.advanceTo(at('21T00:00'));
  const { line_items } = await subscriber.subscription<{
    line_items: { id: string; end_date: string | null; price: { amount: string } }[];
  }>();
  const running = line_items.find(({ end_date, price }) => !end_date && price.amount === '120')!;
  expect((await modules.api.put(`/subscriptions/lineitems/${running.id}`, { quantity: 2 })).status).toBe(200);
  expect(await bills(subscriber)).toEqual([['100'], ['-35.48', '85.16']]);
});

it('what a change without proration has left paid is given back when the period is cut short with proration', async () => {
  const subscriber = await subscribe();
  await modules.advanceTo(at('11T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: dearer });
  await modules.advanceTo(at('21T00:00'));
  await post(subscriber, 'cancel', { cancellation_type: 'immediate', ...prorated });
  await modules.advanceTo(at('21T03:00'));
  expect(await bills(subscriber)).toEqual([['100'], ['-35.48']]);
});

it('a cancellation at the end of the period moves with it when the interval changes', async () => {
  const subscriber = await subscribe(prorated);
  await post(subscriber, 'cancel', { cancellation_type: 'end_of_period' });
  await modules.advanceTo(at('15T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: plan, billing_period: 'ANNUAL' });
  const shown = await subscriber.subscription<{ cancel_at: string; current_period_end: string; status?: string }>();
  expect(shown.cancel_at).toBe(shown.current_period_end);
  await modules.advanceTo(next(2));
  expect((await subscriber.subscription()).subscription_status).toBe('active');
});

it('a pause and its end while the invoice is a draft leave one fee', async () => {
  const subscriber = await subscribe();
  await modules.advanceTo(next(0, 20));
  await post(subscriber, 'pause', { pause_mode: 'immediate' });
  await modules.advanceTo(next(0, 40));
  await post(subscriber, 'resume', { resume_mode: 'immediate' });
  await modules.advanceTo(next(5));
  expect((await bills(subscriber)).flat()).toEqual(['100', '100']);
});

it('of a part after a pause that gave nothing back a change gives the share of what was paid', async () => {
  const subscriber = await subscribe();
  await modules.advanceTo(at('11T00:00'));
  await post(subscriber, 'pause', { pause_mode: 'immediate' });
  await modules.advanceTo(at('16T00:00'));
  await post(subscriber, 'resume', { resume_mode: 'immediate' });
  await modules.advanceTo(at('21T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: dearer, ...prorated });
  expect(await bills(subscriber)).toEqual([['100'], ['-35.48', '70.97']]);
  await modules.advanceTo(next(2));
  expect((await bills(subscriber)).at(-1)).toEqual(['200']);
});

it('an invoice that gave account credit can not be voided', async () => {
  const subscriber = await subscribe({ ...prorated, plan_id: dearer });
  await modules.advanceTo(at('16T00:00'));
  await post(subscriber, 'change/execute', { target_plan_id: plan });
  const credit = await subscriber.lastInvoice();
  expect((await modules.api.post(`/invoices/${credit.id}/void`)).status).toBe(409);
  expect((await subscriber.lastInvoice()).invoice_status).toBe('FINALIZED');
});
