import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

interface PauseBody {
  pause_status: string;
  pause_start: string;
  pause_end: string | null;
  resumed_at: string | null;
  original_period_end: string | null;
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

/** On Starter (149 and 2,000 credits a month), paid. */
async function subscribe(proration_behavior: string): Promise<Subscriber> {
  const subscriber = await story.subscribe(`person-${++people}`, { proration_behavior });
  await subscriber.pay(await subscriber.lastInvoice());
  return subscriber;
}
const ask = (subscriber: Subscriber, what: 'pause' | 'resume', body: object) =>
  story.post<PauseBody>(`/subscriptions/${subscriber.subscriptionId}/${what}`, body, 200);
const money = (invoices: InvoiceBody[]) => invoices.map(({ total }) => amounts(total)[0]);
const iso = (instant: string) => new Date(instant).toISOString();
const nextMonth = (time: string) => {
  const next = new Date(at('01T00:00'));
  next.setUTCMonth(next.getUTCMonth() + 1);
  return next.toISOString().replace('01T00:00', time);
};

describe('with prorations', () => {
  it('gives back the paused time and goes on with the part that is left', async () => {
    const subscriber = await subscribe('create_prorations');
    await modules.advanceTo(at('11T00:00'));
    await ask(subscriber, 'pause', { pause_mode: 'immediate' });
    expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'paused' });
    await modules.advanceTo(at('11T01:00'));
    const rest = await subscriber.lastInvoice();
    expect(rest.line_items.map((line) => amounts(line.amount)[0])).toEqual(['-100.94']);
    expect([...amounts(rest.total), rest.payment_status]).toEqual(['0', 'SUCCEEDED']);

    await modules.advanceTo(at('21T00:00'));
    const resumed = await ask(subscriber, 'resume', { resume_mode: 'immediate' });
    expect(resumed).toMatchObject({ pause_status: 'completed', resumed_at: iso(at('21T00:00')) });
    expect(await subscriber.subscription()).toMatchObject({
      subscription_status: 'active',
      current_period_start: iso(at('21T00:00')),
      current_period_end: nextMonth('01T00:00'),
    });
    // 149 x 11/31, taken from what the pause gave back.
    const first = await subscriber.lastInvoice();
    expect([...amounts(first.total, first.amount_remaining), first.payment_status]).toEqual([
      '52.87',
      '0',
      'SUCCEEDED',
    ]);
    // No new credits: those of this month have been given.
    expect(await subscriber.balance()).toBe('2000');
    await modules.advanceTo(nextMonth('01T01:00'));
    expect(amounts((await subscriber.lastInvoice()).total)).toEqual(['149']);
  });

  it('happens with exactly these events, and again with none', async () => {
    const subscriber = await subscribe('create_prorations');
    await modules.advanceTo(at('11T00:00'));
    await ask(subscriber, 'pause', { pause_mode: 'immediate', pause_days: 10 });
    expect(await eventsOf(modules, subscriber.subscriptionId, at('11T00:00'))).toEqual([
      'subscription.period_closed',
      'subscription.paused',
      'invoice.drafted',
    ]);
    await modules.advanceTo(at('21T00:00'));
    expect(await eventsOf(modules, subscriber.subscriptionId, at('21T00:00'))).toEqual([
      'subscription.resumed',
      'subscription.period_opened',
      'invoice.drafted',
      'invoice.finalized',
      'invoice.paid',
    ]);
    expect(await modules.advanceTo(at('21T00:00'))).toEqual([]);
  });
});

describe('without prorations', () => {
  it('gives nothing back, and asks nothing again for what was paid', async () => {
    const subscriber = await subscribe('none');
    await modules.advanceTo(at('11T00:00'));
    await ask(subscriber, 'pause', { pause_mode: 'immediate' });
    await modules.advanceTo(at('21T00:00'));
    await ask(subscriber, 'resume', {});
    await modules.advanceTo(nextMonth('01T01:00'));
    expect(money(await subscriber.invoices())).toEqual(['149', '149']);
  });

  it('asks the fee in arrears of one period once, however often it rested in it', async () => {
    const plan = await story.post<{ id: string }>('/plans', { name: 'In arrears' });
    const price = {
      amount: '31',
      type: 'FIXED',
      invoice_cadence: 'ARREAR',
      billing_model: 'FLAT_FEE',
      currency: 'usd',
    };
    const offered = { entity_type: 'PLAN', entity_id: plan.id, price_unit_type: 'FIAT', billing_period: 'MONTHLY' };
    await story.post('/prices', { ...price, ...offered, billing_cadence: 'RECURRING' });
    const subscriber = await story.subscribe(`person-${++people}`, { plan_id: plan.id, payment_terms: '90 NET' });
    // The second part begins before the bill of the first is final, the third long after.
    for (const [from, to] of [
      ['11T00:00', '11T00:10'],
      ['15T00:00', '21T00:00'],
    ] as const) {
      await modules.advanceTo(at(from));
      await ask(subscriber, 'pause', { pause_mode: 'immediate' });
      await modules.advanceTo(at(to));
      await ask(subscriber, 'resume', {});
    }
    await modules.advanceTo(nextMonth('02T00:00'));
    expect(money(await subscriber.invoices())).toEqual(['31']);
    const following = new Date(nextMonth('01T00:00'));
    following.setUTCMonth(following.getUTCMonth() + 1);
    await modules.advanceTo(following.toISOString());
    expect(money(await subscriber.invoices())).toEqual(['31', '31']);
  });
});

it('bills and grants nothing while it rests, not even at boundaries; usage of that time is unbilled', async () => {
  const subscriber = await subscribe('none');
  await modules.advanceTo(at('11T00:00'));
  const paused = await ask(subscriber, 'pause', { pause_mode: 'period_end' });
  expect(paused).toMatchObject({ pause_status: 'scheduled', pause_start: nextMonth('01T00:00') });
  await modules.advanceTo(nextMonth('10T00:00'));
  expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'paused' });
  expect(await subscriber.tables(7)).toEqual(['0', '0', '0', '0', '0', '0', '0']);
  expect(money(await subscriber.invoices())).toEqual(['149']);
  expect(await subscriber.balance()).toBe('0');
});

it('a dry run answers what would happen, and nothing does', async () => {
  const subscriber = await subscribe('none');
  const said = await ask(subscriber, 'pause', { pause_mode: 'immediate', dry_run: true });
  expect(said).toMatchObject({ pause_status: 'active', original_period_end: nextMonth('01T00:00') });
  expect(await subscriber.subscription()).toMatchObject({ subscription_status: 'active' });
  expect(await story.get(`/subscriptions/${subscriber.subscriptionId}/pauses`)).toEqual([{ items: [], total: 0 }]);
});

it('is refused where there is nothing to pause or resume; a cancellation ends it', async () => {
  const subscriber = await subscribe('none');
  const route = `/subscriptions/${subscriber.subscriptionId}`;
  await story.post(`${route}/resume`, {}, 409);
  await story.post(`${route}/pause`, { pause_mode: 'scheduled' }, 400);
  await ask(subscriber, 'pause', { pause_mode: 'scheduled', pause_start: at('15T00:00') });
  await story.post(`${route}/pause`, { pause_mode: 'immediate' }, 409);
  expect(await ask(subscriber, 'resume', {})).toMatchObject({ pause_status: 'cancelled' });
  await ask(subscriber, 'pause', { pause_mode: 'immediate' });
  const answer = await modules.api.post(`${route}/change/execute`, { target_plan_id: story.starter.planId });
  expect([answer.status, answer.body.details]).toEqual([409, { state: 'paused' }]);
  await story.post(`${route}/cancel`, { cancellation_type: 'immediate' }, 200);
  const [{ items }] = await story.get<[{ items: PauseBody[] }]>(`${route}/pauses`);
  expect(items.map(({ pause_status }) => pause_status)).toEqual(['cancelled', 'cancelled']);
  await story.post(`${route}/resume`, {}, 409);
});
