import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { advance, eventsDuring } from './happenings.js';
import { definePlan } from './second-plan.js';
import { Story, Subscriber } from './story.js';

/**
 * Each move of a subscription with the exact list of events it makes happen in the whole environment, at once and as
 * the clock goes on; then the clock at the same instant again, and nothing.
 */
let modules: Modules;
let story: Story;
let basic: string;
let pro: string;
let support: string;
let people = 0;
let month = 0;
let at: (day: string) => string;
/** Of this month: `11T00:00 invoice.drafted`. */
let told: (lines: readonly string[]) => string[];

/** Months of 31 days, far enough apart for what is left of one case to be over in the next. */
const months = Array.from({ length: 40 }, (_, n) => `${2026 + Math.floor(n / 4)}-${['01', '03', '07', '10'][n % 4]}`);

beforeAll(async () => {
  modules = await startModules({ at: '2025-12-01T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  basic = await definePlan(story, { name: 'Basic', fee: '31' });
  pro = await definePlan(story, { name: 'Pro', fee: '62' });
  support = await definePlan(story, { name: 'Support', fee: '310' });
});

let live: Subscriber[] = [];

/** What the case before has left is over, and paid, before the next begins. */
beforeEach(async () => {
  const name = months[month++]!;
  at = (day) => `${name}-${day}:00Z`;
  told = (lines) => lines.map((line) => `${name}-${line}`);
  for (const { subscriptionId } of live) {
    const skip = { cancellation_type: 'immediate', cancel_immediately_inovice_policy: 'skip' };
    await modules.api.post(`/subscriptions/${subscriptionId}/cancel`, skip);
  }
  await advance(modules, at('01T00:00'));
  for (const subscriber of live) await payAll(subscriber);
  live = [];
  await advance(modules, at('01T00:00'));
});

async function subscribe(over: object = {}): Promise<Subscriber> {
  const subscriber = await story.subscribe(`person-${++people}`, {
    plan_id: basic,
    proration_behavior: 'create_prorations',
    collection_method: 'send_invoice',
    payment_terms: '90 NET',
    ...over,
  });
  live.push(subscriber);
  await payAll(subscriber);
  await advance(modules, at('01T00:00'));
  return subscriber;
}

/** Records money that came another way. */
async function payAll(subscriber: Subscriber): Promise<void> {
  for (const { id, invoice_status, amount_remaining } of await subscriber.invoices()) {
    if (invoice_status !== 'FINALIZED' || Number(amount_remaining) === 0) continue;
    expect((await modules.api.put(`/invoices/${id}/payment`, { payment_status: 'SUCCEEDED' })).status).toBe(200);
  }
}

const during = (work: () => Promise<unknown>): Promise<string[]> => eventsDuring(modules, work);
const post = ({ subscriptionId }: Subscriber, what: string, body: object, status = 200) =>
  story.post<{ schedule_id: string; id: string }>(`/subscriptions/${subscriptionId}/${what}`, body, status);
const put = async (path: string, body: object) => {
  const answer = await modules.api.put(path, body);
  expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  return answer.body as { id: string };
};
const cancel = (subscriber: Subscriber, over: object = {}) =>
  post(subscriber, 'cancel', { cancellation_type: 'immediate', ...over });
const feeOf = async (subscriber: Subscriber): Promise<{ id: string }> => {
  const { line_items } = await subscriber.subscription<{ line_items: { id: string; price_type: string }[] }>();
  return line_items.find(({ price_type }) => price_type === 'FIXED')!;
};
async function feePriceOf(planId: string): Promise<string> {
  const found = await story.post<{ items: { id: string; type: string }[] }>(
    '/prices/search',
    { plan_ids: [planId] },
    200,
  );
  return found.items.find(({ type }) => type === 'FIXED')!.id;
}

/** The clock goes on to `day`: exactly this, and again nothing. */
async function expectUntil(day: string, lines: readonly string[]): Promise<void> {
  expect(await advance(modules, at(day))).toEqual(told(lines));
  expect(await advance(modules, at(day))).toEqual([]);
}

/** The new subscription of a fresh customer, with what that makes happen. */
async function subscribing(over: object): Promise<{ events: string[]; subscriber: Subscriber }> {
  let subscriber: Subscriber;
  const customer = ++people;
  const { id } = await story.post<{ id: string }>('/customers', { external_id: `person-${customer}` });
  await advance(modules, at('01T00:00'));
  const events = await during(async () => {
    const made = await story.post<{ id: string }>('/subscriptions', {
      customer_id: id,
      plan_id: basic,
      currency: 'usd',
      billing_period: 'MONTHLY',
      collection_method: 'send_invoice',
      payment_terms: '90 NET',
      ...over,
    });
    subscriber = new Subscriber(story, `person-${customer}`, id, made.id);
    live.push(subscriber);
  });
  return { events, subscriber: subscriber! };
}

const CREATED = 'subscription.created';
const BEGUN = ['subscription.activated', 'subscription.period_opened', 'invoice.drafted', 'invoice.finalized'];

describe('beginning', () => {
  it('now', async () => {
    expect((await subscribing({})).events).toEqual([CREATED, ...BEGUN]);
    await expectUntil('28T00:00', []);
  });

  it('with a trial, whose end asks the first fee', async () => {
    expect((await subscribing({ trial_period_days: 7 })).events).toEqual([CREATED, 'subscription.period_opened']);
    await expectUntil('08T01:00', [
      '08T00:00 subscription.period_closed',
      '08T00:00 subscription.activated',
      '08T00:00 subscription.period_opened',
      '08T00:00 invoice.drafted',
      '08T01:00 invoice.finalized',
    ]);
  });

  it('as a draft that waits for its activation', async () => {
    const { events, subscriber } = await subscribing({ subscription_status: 'draft' });
    expect(events).toEqual([CREATED]);
    await expectUntil('05T00:00', []);
    expect(await during(() => post(subscriber, 'activate', {}))).toEqual(BEGUN);
    await expectUntil('05T00:00', []);
  });

  it('ahead', async () => {
    expect((await subscribing({ start_date: at('05T00:00') })).events).toEqual([CREATED]);
    await expectUntil(
      '06T00:00',
      BEGUN.map((event) => `05T00:00 ${event}`),
    );
  });

  it('in the past, boundary by boundary', async () => {
    const start = new Date(at('01T00:00'));
    start.setUTCMonth(start.getUTCMonth() - 2);
    const turn = ['subscription.period_closed', 'subscription.period_opened', 'invoice.drafted'];
    const { events } = await subscribing({ start_date: start.toISOString() });
    expect(events).toEqual([CREATED, ...BEGUN, ...turn, ...turn]);
    await expectUntil('01T01:00', ['01T01:00 invoice.finalized', '01T01:00 invoice.finalized']);
  });

  it('with terms of its own as with the plan’s', async () => {
    const override = { price_id: await feePriceOf(basic), amount: '5' };
    expect((await subscribing({ override_line_items: [override] })).events).toEqual([CREATED, ...BEGUN]);
    await expectUntil('02T00:00', []);
  });

  it('with credits, which open a wallet', async () => {
    const { events } = await subscribing({ plan_id: story.starter.planId });
    expect(events).toEqual([CREATED, ...BEGUN, 'credit_grant.due', 'wallet.created', 'credits.added']);
    await expectUntil('28T00:00', []);
  });
});

describe('ending', () => {
  const ENDED = ['subscription.period_closed', 'subscription.cancelled', 'invoice.drafted'];

  it('at once with prorations', async () => {
    const subscriber = await subscribe();
    await expectUntil('11T00:00', []);
    expect(await during(() => cancel(subscriber))).toEqual(ENDED);
    await expectUntil('11T01:00', ['11T01:00 invoice.finalized', '11T01:00 invoice.paid']);
  });

  it('at once without usage and without prorations: a draft that comes to nothing is dropped', async () => {
    const subscriber = await subscribe({ proration_behavior: 'none' });
    await expectUntil('11T00:00', []);
    expect(await during(() => cancel(subscriber))).toEqual(ENDED);
    await expectUntil('11T01:00', ['11T01:00 invoice.dropped']);
  });

  it('at once, skipping the invoice', async () => {
    const subscriber = await subscribe();
    const skip = { cancel_immediately_inovice_policy: 'skip' };
    expect(await during(() => cancel(subscriber, skip))).toEqual(ENDED.slice(0, 2));
    await expectUntil('03T00:00', []);
  });

  it('at the end of the period', async () => {
    const subscriber = await subscribe({ start_date: at('01T00:00'), billing_period: 'MONTHLY' });
    expect(await during(() => cancel(subscriber, { cancellation_type: 'end_of_period' }))).toEqual([]);
    const { current_period_end: end } = await subscriber.subscription();
    const happened = await advance(modules, new Date(+new Date(end) + 3_600_000).toISOString());
    expect(happened.map((line) => line.split(' ')[1])).toEqual([...ENDED, 'invoice.dropped']);
  });

  it('at a date, or not at all when it is withdrawn', async () => {
    const subscriber = await subscribe();
    const path = `/subscriptions/${subscriber.subscriptionId}`;
    expect(await during(() => put(path, { cancel_at: at('05T00:00') }))).toEqual([]);
    expect(await during(() => put(path, { cancel_at_period_end: false }))).toEqual([]);
    await expectUntil('06T00:00', []);
    expect(await during(() => put(path, { cancel_at: at('11T00:00') }))).toEqual([]);
    await expectUntil('11T01:00', [
      ...ENDED.map((event) => `11T00:00 ${event}`),
      '11T01:00 invoice.finalized',
      '11T01:00 invoice.paid',
    ]);
  });

  it('by agreement', async () => {
    await subscribe({ end_date: at('11T00:00') });
    await expectUntil('11T01:00', [
      ...ENDED.map((event) => `11T00:00 ${event}`),
      '11T01:00 invoice.finalized',
      '11T01:00 invoice.paid',
    ]);
  });

  it('of a draft', async () => {
    const { subscriber } = await subscribing({ subscription_status: 'draft' });
    expect(await during(() => cancel(subscriber))).toEqual(['subscription.cancelled']);
    await expectUntil('03T00:00', []);
  });

  it('in a trial: its usage stands on no invoice', async () => {
    const { subscriber } = await subscribing({ trial_period_days: 7 });
    expect(await during(() => cancel(subscriber))).toEqual(ENDED);
    await expectUntil('01T01:00', ['01T01:00 invoice.dropped']);
  });
});

describe('resting', () => {
  const RESTING = ['subscription.period_closed', 'subscription.paused', 'invoice.drafted'];
  const BACK = ['subscription.resumed', 'subscription.period_opened', 'invoice.drafted', 'invoice.finalized'];

  it('at once, until it is resumed: what it gave back pays what is left', async () => {
    const subscriber = await subscribe();
    expect(await during(() => post(subscriber, 'pause', { pause_mode: 'immediate' }))).toEqual(RESTING);
    await expectUntil('11T00:00', ['01T01:00 invoice.finalized', '01T01:00 invoice.paid']);
    expect(await during(() => post(subscriber, 'resume', {}))).toEqual([...BACK, 'invoice.paid']);
    await expectUntil('11T00:00', []);
  });

  it('from a date to a date', async () => {
    const subscriber = await subscribe();
    const dates = { pause_mode: 'scheduled', pause_start: at('11T00:00'), pause_end: at('21T00:00') };
    expect(await during(() => post(subscriber, 'pause', dates))).toEqual([]);
    await expectUntil('21T00:00', [
      ...RESTING.map((event) => `11T00:00 ${event}`),
      '11T01:00 invoice.finalized',
      '11T01:00 invoice.paid',
      ...[...BACK, 'invoice.paid'].map((event) => `21T00:00 ${event}`),
    ]);
  });

  it('at the end of the period, or not when it is withdrawn', async () => {
    const subscriber = await subscribe();
    expect(await during(() => post(subscriber, 'pause', { pause_mode: 'period_end' }))).toEqual([]);
    expect(await during(() => post(subscriber, 'resume', {}))).toEqual([]);
    expect(await during(() => post(subscriber, 'pause', { pause_mode: 'period_end' }))).toEqual([]);
    const { current_period_end: end } = await subscriber.subscription();
    const happened = await advance(modules, new Date(+new Date(end) + 3_600_000).toISOString());
    expect(happened.map((line) => line.split(' ')[1])).toEqual([...RESTING, 'invoice.dropped']);
  });

  it('and cancelled meanwhile', async () => {
    const subscriber = await subscribe();
    await post(subscriber, 'pause', { pause_mode: 'immediate', pause_days: 5 });
    await expectUntil('02T00:00', ['01T01:00 invoice.finalized', '01T01:00 invoice.paid']);
    expect(await during(() => cancel(subscriber))).toEqual(['subscription.cancelled']);
    await expectUntil('20T00:00', []);
  });
});

describe('changing', () => {
  const CHANGED = ['subscription.items_changed', 'invoice.drafted', 'invoice.finalized'];

  it('the plan at once, and back: the second costs what the first gave back', async () => {
    const subscriber = await subscribe({ plan_id: pro });
    await expectUntil('11T00:00', []);
    const to = (target_plan_id: string) => post(subscriber, 'change/execute', { target_plan_id });
    expect(await during(() => to(basic))).toEqual(['subscription.plan_changed', ...CHANGED, 'invoice.paid']);
    expect(await during(() => to(pro))).toEqual(['subscription.plan_changed', ...CHANGED, 'invoice.paid']);
    await expectUntil('11T00:00', []);
  });

  it('the plan in a preview: nothing', async () => {
    const subscriber = await subscribe();
    expect(await during(() => post(subscriber, 'change/preview', { target_plan_id: pro }))).toEqual([]);
    await expectUntil('02T00:00', []);
  });

  it('the plan at the end of the period, unless it is withdrawn', async () => {
    const subscriber = await subscribe();
    const later = { target_plan_id: pro, change_at: 'end_of_period' };
    const { schedule_id } = await post(subscriber, 'change/execute', later);
    const withdraw = () => story.post(`/subscriptions/schedules/${schedule_id}/cancel`, {}, 200);
    expect(await during(withdraw)).toEqual([]);
    expect(await during(() => post(subscriber, 'change/execute', later))).toEqual([]);
    const { current_period_end: end } = await subscriber.subscription();
    const happened = await advance(modules, new Date(+new Date(end) + 3_600_000).toISOString());
    expect(happened.map((line) => line.split(' ')[1])).toEqual([
      'subscription.plan_changed',
      'subscription.items_changed',
      'subscription.period_closed',
      'subscription.period_opened',
      'invoice.drafted',
      'invoice.finalized',
    ]);
  });

  it('the quantity', async () => {
    const subscriber = await subscribe();
    const { id } = await feeOf(subscriber);
    await expectUntil('11T00:00', []);
    expect(await during(() => put(`/subscriptions/lineitems/${id}`, { quantity: 3 }))).toEqual(CHANGED);
    await expectUntil('11T00:00', []);
  });

  it('the amount, at a date', async () => {
    const subscriber = await subscribe();
    const { id } = await feeOf(subscriber);
    const terms = { amount: '62', effective_from: at('11T00:00') };
    expect(await during(() => put(`/subscriptions/lineitems/${id}`, terms))).toEqual([]);
    await expectUntil(
      '11T00:00',
      CHANGED.map((event) => `11T00:00 ${event}`),
    );
  });

  it('texts alone: nothing', async () => {
    const subscriber = await subscribe();
    const { id } = await feeOf(subscriber);
    expect(await during(() => put(`/subscriptions/lineitems/${id}`, { metadata: { seat: 'left' } }))).toEqual([]);
    const path = `/subscriptions/${subscriber.subscriptionId}`;
    expect(await during(() => put(path, { lookup_key: 'mine' }))).toEqual([]);
    await expectUntil('02T00:00', []);
  });

  it('by an item that is added, and ended again', async () => {
    const subscriber = await subscribe();
    await expectUntil('11T00:00', []);
    const price_id = await feePriceOf(support);
    let added: { id: string };
    expect(
      await during(async () => {
        added = await post(subscriber, 'lineitems', { price_id }, 201);
      }),
    ).toEqual(CHANGED);
    await payAll(subscriber);
    await expectUntil('21T00:00', []);
    const end = async () => {
      expect((await modules.api.delete(`/subscriptions/lineitems/${added.id}`)).status).toBe(200);
    };
    expect(await during(end)).toEqual([...CHANGED, 'invoice.paid']);
    await expectUntil('21T00:00', []);
  });

  it('by a sync: fees go over with the next period', async () => {
    const planId = await definePlan(story, { name: 'Synced', fee: '31' });
    const subscriber = await subscribe({ plan_id: planId });
    await put(`/prices/${await feePriceOf(planId)}`, { amount: '310' });
    expect(await during(() => story.post(`/plans/${planId}/sync/subscriptions`, {}, 200))).toEqual([
      'subscription.items_changed',
    ]);
    expect(await during(() => story.post(`/plans/${planId}/sync/subscriptions`, {}, 200))).toEqual([]);
    const { current_period_end: end } = await subscriber.subscription();
    const happened = await advance(modules, new Date(+new Date(end) + 3_600_000).toISOString());
    expect(happened.map((line) => line.split(' ')[1])).toEqual([
      'subscription.period_closed',
      'subscription.period_opened',
      'invoice.drafted',
      'invoice.finalized',
    ]);
    expect((await subscriber.lastInvoice()).total).toBe('310');
  });
});

describe('owing', () => {
  it('falls behind at the due date and recovers when it is paid', async () => {
    const { subscriber } = await subscribing({ payment_terms: '15 NET' });
    await expectUntil('16T00:00', [
      '16T00:00 invoice.fell_due',
      '16T00:00 subscription.past_due',
      '16T00:00 dunning.started',
    ]);
    expect(await during(() => payAll(subscriber))).toEqual([
      'payment.succeeded',
      'invoice.paid',
      'subscription.recovered',
      'dunning.healed',
    ]);
    await expectUntil('16T00:00', []);
  });
});
