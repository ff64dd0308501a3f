import { EventBus, Problem } from '@drawdown/platform';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

interface ChangeBody {
  change_type: string;
  is_scheduled: boolean;
  schedule_id: string | null;
  effective_date: string;
  invoice: InvoiceBody | null;
  proration_applied: {
    credit_amount: string;
    charge_amount: string;
    net_amount: string;
    days_remaining: number;
  } | null;
  old_subscription: { plan_id: string };
  new_subscription: { plan_id: string; current_period_start: string; current_period_end: string };
}

let modules: Modules;
let story: Story;
let pro: string;
let mini: string;
let month = 0;
let people = 0;

/** Every case starts on the first of a month of 31 days. */
const months = [
  '2026-01',
  '2026-03',
  '2026-05',
  '2026-07',
  '2026-10',
  '2026-12',
  '2027-03',
  '2027-05',
  '2027-07',
  '2027-10',
];
let at: (day: string) => string;

const change = (subscriber: Subscriber, body: object, route = 'execute') =>
  story.post<ChangeBody>(`/subscriptions/${subscriber.subscriptionId}/change/${route}`, body, 200);
const lines = ({ line_items }: InvoiceBody) =>
  line_items.map((line) => [line.display_name, ...amounts(line.amount), line.period_start.slice(0, 10)]);

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  pro = await definePlan(story, {
    name: 'Pro',
    fee: '299',
    yearly: '2990',
    freeTables: 8,
    monthlyCredits: '6200',
    creditsOnce: '50',
  });
  mini = await definePlan(story, { name: 'Mini', fee: '31' });
});

beforeEach(async () => {
  const name = months[month++]!;
  at = (day) => `${name}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
});

/** On Starter (149 a month) since the first of the month, billed by the second. */
async function subscribe(over: object = {}): Promise<Subscriber> {
  const subscriber = await story.subscribe(`person-${++people}`, { proration_behavior: 'create_prorations', ...over });
  await subscriber.pay(await subscriber.lastInvoice());
  return subscriber;
}

describe('a change of plan inside a period', () => {
  it('gives back and charges the rest by the second, and grants the share of the new credits', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    const preview = await story.post<{ next_invoice_preview: { total: string }; proration_details: object }>(
      `/subscriptions/${subscriber.subscriptionId}/change/preview`,
      { target_plan_id: pro },
      200,
    );
    const done = await change(subscriber, { target_plan_id: pro });
    expect([done.change_type, done.is_scheduled]).toEqual(['upgrade', false]);
    expect(done.proration_applied).toMatchObject({
      credit_amount: '100.94',
      charge_amount: '202.55',
      net_amount: '101.61',
      days_remaining: 21,
    });
    expect(preview.next_invoice_preview.total).toBe('101.61');
    expect(preview.proration_details).toEqual(done.proration_applied);
    expect(lines(done.invoice!)).toEqual([
      ['Starter', '-100.94', at('11').slice(0, 10)],
      ['Pro', '202.55', at('11').slice(0, 10)],
    ]);
    expect(done.new_subscription.current_period_start).toBe(new Date(at('01T00:00')).toISOString());
    // 2,000 of Starter stay; 6,200 x 21/31 and 50 once come with Pro.
    expect(await subscriber.balance()).toBe('6250');
  });

  it('happens with exactly these events, and again with none', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    await change(subscriber, { target_plan_id: pro });
    expect(await modules.advanceTo(at('11T00:00'))).toEqual([]);
    const id = subscriber.subscriptionId;
    expect(await eventsOf(modules, id, at('11T00:00'))).toEqual([
      'subscription.plan_changed',
      'subscription.items_changed',
      'invoice.drafted',
      'invoice.finalized',
      'credit_grant.due',
      'credit_grant.due',
    ]);
  });

  it('there and back nets zero: what the invoice is below zero is account credit, taken by the next', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    const { planId } = story.starter;
    const down = await change(subscriber, { target_plan_id: mini });
    expect([down.change_type, ...amounts(down.invoice!.total)]).toEqual(['downgrade', '0']);
    expect(down.invoice!.payment_status).toBe('SUCCEEDED');
    expect(await accountCredit(subscriber)).toBe('79.94');
    const back = await change(subscriber, { target_plan_id: planId });
    expect(amounts(back.invoice!.total, back.invoice!.amount_remaining)).toEqual(['79.94', '0']);
    expect(back.invoice!.payment_status).toBe('SUCCEEDED');
    expect(await accountCredit(subscriber)).toBe('0');
    expect(await subscriber.balance()).toBe('2000');
  });

  it('counts what is due at the next period in full, of the new plan only', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    await change(subscriber, { target_plan_id: pro });
    await subscriber.pay(await subscriber.lastInvoice());
    const next = new Date(at('01T02:00'));
    next.setUTCMonth(next.getUTCMonth() + 1);
    await modules.advanceTo(next.toISOString());
    expect(lines(await subscriber.lastInvoice()).map(([name, money]) => [name, money])).toEqual([['Pro', '299']]);
    expect(await subscriber.balance()).toBe('6250');
  });

  it('without prorations goes over with the next fee', async () => {
    const subscriber = await subscribe({ proration_behavior: 'none' });
    await modules.advanceTo(at('11T00:00'));
    const done = await change(subscriber, { target_plan_id: pro });
    expect([done.invoice, done.proration_applied]).toEqual([null, null]);
    const next = new Date(at('01T02:00'));
    next.setUTCMonth(next.getUTCMonth() + 1);
    await modules.advanceTo(next.toISOString());
    const invoices = await subscriber.invoices();
    expect(invoices.map(({ total }) => amounts(total)[0])).toEqual(['149', '299']);
  });

  it('takes free units already used off the new allowance, and bills both items at the end', async () => {
    const subscriber = await subscribe();
    expect(await subscriber.tables(6)).toEqual(['0', '0', '0', '0', '0', '10']);
    await modules.advanceTo(at('11T00:00'));
    await change(subscriber, { target_plan_id: pro });
    // 8 free on Pro, 5 of them used on Starter.
    expect(await subscriber.tables(4)).toEqual(['0', '0', '0', '10']);
  });

  it('to another interval begins a new period at that instant', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    const done = await change(subscriber, { target_plan_id: pro, billing_period: 'ANNUAL' });
    expect(done.new_subscription.current_period_start).toBe(new Date(at('11T00:00')).toISOString());
    await modules.advanceTo(at('11T01:00'));
    const invoice = await subscriber.lastInvoice();
    expect(lines(invoice).map(([name, money]) => [name, money])).toEqual([
      ['Pro', '2990'],
      ['Starter', '-100.94'],
    ]);
    expect(amounts(invoice.total)).toEqual(['2889.06']);
  });
});

describe('a change at the end of the period', () => {
  it('waits on the list, can be cancelled, and happens at that instant without proration', async () => {
    const subscriber = await subscribe();
    await modules.advanceTo(at('11T00:00'));
    const first = await change(subscriber, { target_plan_id: mini, change_at: 'end_of_period' });
    expect([first.change_type, first.is_scheduled, first.invoice]).toEqual(['downgrade', true, null]);
    const listed = () =>
      story.get<{ count: number; schedules: { id: string; status: string }[] }>(
        `/v1/subscriptions/${subscriber.subscriptionId}/schedules`,
      );
    expect((await listed()).schedules.map(({ id, status }) => [id, status])).toEqual([[first.schedule_id, 'pending']]);
    await story.post(`/v1/subscriptions/schedules/${first.schedule_id}/cancel`, {}, 200);
    await story.post(`/subscriptions/schedules/${first.schedule_id}/cancel`, {}, 409);

    const preview = await story.post<{ next_invoice_preview: { line_items: { description: string }[] } }>(
      `/subscriptions/${subscriber.subscriptionId}/change/preview`,
      { target_plan_id: mini, change_at: 'end_of_period' },
      200,
    );
    expect(preview.next_invoice_preview.line_items.map(({ description }) => description)).toEqual(['Mini']);
    const second = await change(subscriber, { target_plan_id: mini, change_at: 'end_of_period' });
    const end = second.effective_date;
    await modules.advanceTo(end);
    expect(await eventsOf(modules, subscriber.subscriptionId, end)).toEqual([
      'subscription.plan_changed',
      'subscription.items_changed',
      'subscription.period_closed',
      'subscription.period_opened',
      'invoice.drafted',
    ]);
    await modules.advanceTo(new Date(+new Date(end) + 3_600_000).toISOString());
    expect(lines(await subscriber.lastInvoice()).map(([name, money]) => [name, money])).toEqual([['Mini', '31']]);
    expect((await listed()).schedules.map(({ status }) => status)).toEqual(['executed', 'cancelled']);
  });
});

describe('a planned change that fails half way', () => {
  it('leaves nothing of it behind, and is tried again', async () => {
    const subscriber = await subscribe();
    const planned = await change(subscriber, { target_plan_id: mini, change_at: 'end_of_period' });
    const plan = () =>
      modules.run(async (tx) => {
        const found = await sql<{ plan_id: string }>`
          select plan_id from subscription where id = ${subscriber.subscriptionId}`.execute(tx.db);
        return found.rows[0]!.plan_id;
      });
    const bus = modules.get(EventBus);
    const seen: string[] = [];
    const publish = bus.publish.bind(bus);
    const broken = jest.spyOn(bus, 'publish').mockImplementation(async (tx, definition, payload) => {
      if (definition.name === 'subscription.plan_changed') seen.push(await plan());
      if (seen.length === 1) throw Problem.state('refused by the test', 'half way');
      return publish(tx, definition, payload);
    });
    await modules.advanceTo(planned.effective_date);
    broken.mockRestore();
    // What is committed, seen from outside while the change runs: the old plan, also at the second try.
    expect(seen).toEqual([story.starter.planId, story.starter.planId]);
    expect(await plan()).toBe(mini);
    const { schedules } = await story.get<{ schedules: { status: string }[] }>(
      `/v1/subscriptions/${subscriber.subscriptionId}/schedules`,
    );
    expect(schedules.map(({ status }) => status)).toEqual(['executed']);
  });
});

it('is refused to the plan it is on, to an unknown plan, and after the end', async () => {
  const subscriber = await subscribe();
  const refused = async (body: object) => {
    const answer = await modules.api.post(`/subscriptions/${subscriber.subscriptionId}/change/execute`, body);
    return [answer.status, answer.body.details];
  };
  expect(await refused({ target_plan_id: story.starter.planId })).toEqual([400, { field: 'target_plan_id' }]);
  expect((await refused({ target_plan_id: 'plan_unknown' }))[0]).toBe(404);
  expect((await refused({ target_plan_id: pro, billing_period: 'WEEKLY' }))[0]).toBe(400);
  await story.post(`/subscriptions/${subscriber.subscriptionId}/cancel`, { cancellation_type: 'immediate' }, 200);
  expect(await refused({ target_plan_id: pro })).toEqual([409, { state: 'cancelled' }]);
});

async function accountCredit(subscriber: Subscriber): Promise<string> {
  const body = await story.get<{ summaries: { account_credit_amount: string }[] }>(
    `/customers/${subscriber.customerId}/invoices/summary`,
  );
  return body.summaries[0]!.account_credit_amount;
}
