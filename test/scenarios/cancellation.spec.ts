import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, eventsOf, Story, type Subscriber } from './story.js';

interface CancelBody {
  status: string;
  effective_date: string;
  total_credit_amount: string;
  proration_details: { credit_amount: string; proration_days: number }[];
}

let modules: Modules;
let story: Story;
let people = 0;
let place = 0;

/** Every case starts on the first of a month of 31 days. */
const months = ['2026-01', '2026-03', '2026-05', '2026-07', '2026-10', '2026-12', '2027-03'];
let at: (day: string) => string;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
});

beforeEach(async () => {
  const name = months[place++]!;
  at = (day) => `${name}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
});

const subscribe = (over: object = {}) => story.subscribe(`person-${++people}`, { payment_terms: '90 NET', ...over });
const cancel = (subscriber: Subscriber, body: object) =>
  story.post<CancelBody>(
    `/subscriptions/${subscriber.subscriptionId}/cancel`,
    { cancellation_type: 'immediate', ...body },
    200,
  );

describe('cancelling inside a period', () => {
  it('with prorations gives the unused fee back, as account credit', async () => {
    const subscriber = await subscribe();
    await subscriber.pay(await subscriber.lastInvoice());
    await modules.advanceTo(at('11T00:00'));
    const done = await cancel(subscriber, { proration_behavior: 'create_prorations' });
    expect(done).toMatchObject({
      status: 'cancelled',
      total_credit_amount: '100.94',
      proration_details: [{ credit_amount: '100.94', proration_days: 21 }],
    });
    await modules.advanceTo(at('11T01:00'));
    const final = await subscriber.lastInvoice();
    expect([final.invoice_status, ...amounts(final.total)]).toEqual(['FINALIZED', '0']);
    expect(final).toMatchObject({ account_credit_given: '100.94' });
    const again = await subscribeAgain(subscriber);
    expect(amounts(again.total, again.amount_remaining)).toEqual(['149', '48.06']);
  });

  it('without gives nothing back, and bills the usage', async () => {
    const subscriber = await subscribe();
    await subscriber.enrich(1400);
    await modules.advanceTo(at('11T00:00'));
    expect((await cancel(subscriber, {})).total_credit_amount).toBe('0');
    await modules.advanceTo(at('11T01:00'));
    expect(amounts((await subscriber.lastInvoice()).total)).toEqual(['100']);
  });

  it('happens with exactly these events, and again with none', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    await cancel(subscriber, { proration_behavior: 'create_prorations' });
    await modules.advanceTo(at('11T01:00'));
    const events = async (instant: string) => eventsOf(modules, subscriber.subscriptionId, at(instant));
    expect(await events('11T00:00')).toEqual([
      'subscription.period_closed',
      'subscription.cancelled',
      'invoice.drafted',
    ]);
    expect(await events('11T01:00')).toEqual(['invoice.finalized', 'invoice.paid']);
    expect(await modules.advanceTo(at('11T01:00'))).toEqual([]);
    const refused = await modules.api.post(`/subscriptions/${subscriber.subscriptionId}/cancel`, {
      cancellation_type: 'immediate',
    });
    expect([refused.status, refused.body.details]).toEqual([409, { state: 'cancelled' }]);
  });
});

it('at a date ends there, by the subscription’s own proration', async () => {
  const subscriber = await subscribe({ proration_behavior: 'create_prorations' });
  await modules.api.put(`/subscriptions/${subscriber.subscriptionId}`, { cancel_at: at('21T00:00') }).expect(200);
  await modules.advanceTo(at('21T01:00'));
  const { line_items } = await subscriber.lastInvoice();
  expect(line_items.map((line) => amounts(line.amount)[0])).toEqual(['-52.87']);
});

it('at an agreed end ends there, and skips the invoice when told so', async () => {
  const subscriber = await subscribe({ end_date: at('15T00:00') });
  await modules.advanceTo(at('16T00:00'));
  expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'cancelled' });
  const other = await subscribe();
  await cancel(other, { cancel_immediately_inovice_policy: 'skip' });
  await modules.advanceTo(at('17T00:00'));
  expect(await other.invoices()).toHaveLength(1);
});

describe('a draft', () => {
  it('does nothing until it is activated, and starts at the date it is given', async () => {
    await story.defineStarter(14);
    const subscriber = await subscribe({ subscription_status: 'draft' });
    await modules.advanceTo(at('05T00:00'));
    expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'draft' });
    expect(await subscriber.invoices()).toEqual([]);
    const started = await story.post<object>(`/subscriptions/${subscriber.subscriptionId}/activate`, {}, 200);
    expect(started).toMatchObject({
      subscription_status: 'trialing',
      start_date: new Date(at('05T00:00')).toISOString(),
      trial_end: new Date(at('19T00:00')).toISOString(),
    });
    expect(await subscriber.balance()).toBe('100');
    await story.post(`/subscriptions/${subscriber.subscriptionId}/activate`, {}, 409);
  });
});

/** The same customer, on Starter once more. */
async function subscribeAgain(subscriber: Subscriber) {
  await story.post('/subscriptions', {
    customer_id: subscriber.customerId,
    plan_id: story.starter.planId,
    currency: 'usd',
    billing_period: 'MONTHLY',
  });
  return subscriber.lastInvoice();
}
