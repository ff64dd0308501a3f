import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

type CommittedLine = InvoiceBody['line_items'][number] & {
  price_type: string;
  commitment_info: Record<string, unknown> | null;
};

let modules: Modules;
let story: Story;
/** 20 a month in advance; a table 10, a row 1.5; nothing free. */
let plan: string;
let people = 0;

beforeAll(async () => {
  modules = await startModules({ at: '2026-04-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  plan = await definePlan(story, { name: 'Pay as you go', fee: '20' });
});

/** Promises 300 a month, usage beyond it at 1.5 times its price, the rest charged. */
const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`person-${++people}`, {
    plan_id: plan,
    commitment_amount: '300',
    overage_factor: '1.5',
    enable_true_up: true,
    ...over,
  });
const lines = (invoice: InvoiceBody) =>
  invoice.line_items.map((line) => [line.display_name, line.price_type, ...amounts(line.amount)]);
const infos = ({ line_items }: InvoiceBody) =>
  (line_items as CommittedLine[]).flatMap(({ commitment_info }) => (commitment_info ? [commitment_info] : []));
const preview = ({ subscriptionId }: Subscriber) =>
  story.post<InvoiceBody>('/invoices/preview', { subscription_id: subscriptionId }, 200);

const FEE = ['Pay as you go', 'FIXED', '20'];
const OVERAGE = 'Commitment of $300.00: usage beyond it at 1.5 times its price';
const TRUE_UP = 'Commitment of $300.00: what was not used';

describe('a commitment of 300 a month', () => {
  let below: Subscriber;
  let at: Subscriber;
  let above: Subscriber;
  let without: Subscriber;

  beforeAll(async () => {
    below = await subscribe();
    at = await subscribe();
    above = await subscribe();
    without = await subscribe({ enable_true_up: false });
    await below.tables(12);
    await at.enrich(200);
    await above.enrich(280);
    await without.tables(12);
  });

  it('is shown on the subscription', async () => {
    expect(await below.subscription()).toMatchObject({
      commitment_amount: '300',
      commitment_duration: 'MONTHLY',
      overage_factor: '1.5',
      enable_true_up: true,
    });
  });

  it('stands in the preview before the period ends', async () => {
    expect(lines(await preview(below))).toEqual([FEE, ['Tables created', 'USAGE', '120'], [TRUE_UP, 'FIXED', '180']]);
    expect(lines(await preview(above))).toEqual([FEE, ['Contacts enriched', 'USAGE', '420'], [OVERAGE, 'FIXED', '60']]);
  });

  it('adds these lines when the period closes: below 180, at it none, above 60, without true-up none', async () => {
    await modules.advanceTo('2026-05-01T00:30:00Z');
    const drafts = await Promise.all([below, at, above, without].map((one) => one.lastInvoice()));
    expect(drafts.map(({ invoice_status }) => invoice_status)).toEqual(Array(4).fill('DRAFT'));
    await modules.advanceTo('2026-05-01T01:00:00Z');
    const invoices = await Promise.all([below, at, above, without].map((one) => one.lastInvoice()));
    expect(invoices.map(lines)).toEqual([
      [FEE, ['Tables created', 'USAGE', '120'], [TRUE_UP, 'FIXED', '180']],
      [FEE, ['Contacts enriched', 'USAGE', '300']],
      [FEE, ['Contacts enriched', 'USAGE', '420'], [OVERAGE, 'FIXED', '60']],
      [FEE, ['Tables created', 'USAGE', '120']],
    ]);
    expect(drafts.map(lines)).toEqual(invoices.map(lines));
    expect(invoices.map(({ total }) => amounts(total)[0])).toEqual(['320', '320', '500', '140']);
    expect(infos(invoices[0]!)).toEqual([
      {
        type: 'amount',
        amount: '300',
        quantity: null,
        duration: 'MONTHLY',
        overage_factor: '1.5',
        true_up_enabled: true,
        is_windowed: false,
        computed_commitment_utilized_amount: '120',
        computed_overage_amount: '0',
        computed_true_up_amount: '180',
      },
    ]);
    expect(infos(invoices[2]!)).toMatchObject([
      { computed_commitment_utilized_amount: '300', computed_overage_amount: '180', computed_true_up_amount: '0' },
    ]);
  });

  it('happens with exactly these events, and again with none', async () => {
    expect(await eventsOf(modules, below.subscriptionId, '2026-05-01T00:00:00Z')).toEqual([
      'subscription.period_closed',
      'subscription.period_opened',
      'invoice.drafted',
    ]);
    expect(await eventsOf(modules, below.subscriptionId, '2026-05-01T01:00:00Z')).toEqual(['invoice.finalized']);
    expect(await modules.advanceTo('2026-05-01T01:00:00Z')).toEqual([]);
  });

  it('is settled anew by late usage: 120 more take 120 of the true-up back, 120 beyond cost 60 more', async () => {
    await below.send('contact_enrich', { rows: '80' }, { timestamp: '2026-04-20T00:00:00Z' });
    await above.send('contact_enrich', { rows: '80' }, { timestamp: '2026-04-20T00:00:00Z' });
    await modules.advanceTo('2026-06-01T01:00:00Z');
    expect(lines(await below.lastInvoice())).toEqual([
      FEE,
      [TRUE_UP, 'FIXED', '300'],
      ['Contacts enriched (late usage)', 'USAGE', '120'],
      [`${TRUE_UP} (late usage)`, 'FIXED', '-120'],
    ]);
    expect(lines(await above.lastInvoice())).toEqual([
      FEE,
      [TRUE_UP, 'FIXED', '300'],
      ['Contacts enriched (late usage)', 'USAGE', '120'],
      [`${OVERAGE} (late usage)`, 'FIXED', '60'],
    ]);
    expect(await modules.advanceTo('2026-06-01T01:00:00Z')).toEqual([]);
  });
});

describe('a part of a period', () => {
  it('promises its share by the second: from 16 June by the calendar 150', async () => {
    await modules.advanceTo('2026-06-16T00:00:00Z');
    const subscriber = await subscribe({ billing_cycle: 'calendar' });
    await subscriber.tables(1);
    await modules.advanceTo('2026-07-01T01:00:00Z');
    expect(lines(await subscriber.lastInvoice())).toEqual([
      FEE,
      ['Tables created', 'USAGE', '10'],
      ['Commitment of $150.00: what was not used', 'FIXED', '140'],
    ]);
  });

  it('that is cut short by the end of the subscription too: 11 of 31 days promise 106.45', async () => {
    const subscriber = await subscribe();
    await subscriber.tables(5);
    await modules.advanceTo('2026-07-12T01:00:00Z');
    await story.post(`/subscriptions/${subscriber.subscriptionId}/cancel`, { cancellation_type: 'immediate' }, 200);
    await modules.advanceTo('2026-07-12T02:00:00Z');
    expect(lines(await subscriber.lastInvoice())).toEqual([
      ['Tables created', 'USAGE', '50'],
      ['Commitment of $106.45: what was not used', 'FIXED', '56.45'],
    ]);
    expect(await modules.advanceTo('2026-07-12T02:00:00Z')).toEqual([]);
  });

  it('that rested is promised in its two parts', async () => {
    await modules.advanceTo('2026-08-01T00:00:00Z');
    const subscriber = await subscribe();
    await modules.advanceTo('2026-08-11T00:00:00Z');
    await story.post(`/subscriptions/${subscriber.subscriptionId}/pause`, { pause_mode: 'immediate' }, 200);
    await modules.advanceTo('2026-08-21T00:00:00Z');
    await story.post(`/subscriptions/${subscriber.subscriptionId}/resume`, { resume_mode: 'immediate' }, 200);
    await modules.advanceTo('2026-09-01T01:00:00Z');
    const invoices = await subscriber.invoices();
    expect(invoices.flatMap(lines).filter(([name]) => String(name).startsWith('Commitment'))).toEqual([
      ['Commitment of $96.77: what was not used', 'FIXED', '96.77'],
      ['Commitment of $106.45: what was not used', 'FIXED', '106.45'],
    ]);
  });

  it('a trial promises nothing', async () => {
    const subscriber = await subscribe({ trial_period_days: 7 });
    await subscriber.tables(1);
    await modules.advanceTo('2026-09-08T03:00:00Z');
    const { line_items } = await subscriber.lastInvoice();
    expect(line_items.map(({ display_name }) => display_name)).toEqual(['Pay as you go', 'Tables created']);
  });
});

it('credits that pay fees pay what a commitment adds; those for usage count as used', async () => {
  await modules.advanceTo('2026-10-01T00:00:00Z');
  const subscriber = await subscribe();
  const wallet = await story.post<{ id: string }>(
    '/wallets',
    { customer_id: subscriber.customerId, currency: 'usd', initial_credits_to_load: '500' },
    200,
  );
  const answer = await modules.api.put(`/wallets/${wallet.id}`, { config: { allowed_price_types: ['ALL'] } });
  expect(answer.status).toBe(200);
  expect(await subscriber.tables(12)).toEqual(Array(12).fill('10'));
  await modules.advanceTo('2026-11-01T01:00:00Z');
  const invoice = await subscriber.lastInvoice();
  expect(invoice.line_items.map((line) => [line.display_name, ...amounts(line.prepaid_credits_applied)])).toEqual([
    ['Pay as you go', '20'],
    ['Tables created', '120'],
    [TRUE_UP, '180'],
  ]);
  expect(amounts(invoice.total)).toEqual(['0']);
  expect(await subscriber.balance()).toBe('180');
});

it('a change of plan keeps the promise, and usage of both plans counts; one of interval is refused', async () => {
  const other = await definePlan(story, { name: 'Other', fee: '20', yearly: '200' });
  await modules.advanceTo('2026-12-01T00:00:00Z');
  const subscriber = await subscribe();
  await subscriber.tables(10);
  await modules.advanceTo('2026-12-11T00:00:00Z');
  const path = `/subscriptions/${subscriber.subscriptionId}/change/execute`;
  const yearly = await modules.api.post(path, { target_plan_id: other, billing_period: 'ANNUAL' });
  expect([yearly.status, yearly.body.details]).toEqual([400, { field: 'billing_period' }]);
  await story.post(path, { target_plan_id: other }, 200);
  await subscriber.tables(10);
  await modules.advanceTo('2027-01-01T01:00:00Z');
  expect(lines(await subscriber.lastInvoice())).toEqual([
    ['Other', 'FIXED', '20'],
    ['Tables created', 'USAGE', '100'],
    ['Tables created', 'USAGE', '100'],
    ['Commitment of $300.00: what was not used', 'FIXED', '100'],
  ]);
});

it('terms that make no sense are refused with their field', async () => {
  const refused = async (over: object) => {
    const answer = await modules.api.post('/subscriptions', {
      external_customer_id: 'person-1',
      plan_id: plan,
      currency: 'usd',
      billing_period: 'MONTHLY',
      ...over,
    });
    return [answer.status, answer.body.details?.field];
  };
  expect(await refused({ commitment_amount: '0' })).toEqual([400, 'commitment_amount']);
  expect(await refused({ commitment_amount: '-5' })).toEqual([400, 'commitment_amount']);
  expect(await refused({ commitment_amount: '1e30' })).toEqual([400, 'commitment_amount']);
  expect(await refused({ commitment_amount: '5', overage_factor: '0.9' })).toEqual([400, 'overage_factor']);
  expect(await refused({ commitment_amount: '5', overage_factor: 'NaN' })).toEqual([400, 'overage_factor']);
  expect(await refused({ overage_factor: '2' })).toEqual([400, 'overage_factor']);
  expect(await refused({ enable_true_up: true })).toEqual([400, 'enable_true_up']);
  expect(await refused({ commitment_duration: 'MONTHLY' })).toEqual([400, 'commitment_duration']);
  const yearly = { commitment_amount: '5', commitment_duration: 'ANNUAL' };
  expect(await refused(yearly)).toEqual([400, 'commitment_duration']);
  const bare = await story.post<{ id: string }>('/plans', { name: 'Fee only' });
  await story.post('/prices', {
    type: 'FIXED',
    billing_model: 'FLAT_FEE',
    billing_period: 'MONTHLY',
    invoice_cadence: 'ADVANCE',
    currency: 'usd',
    entity_type: 'PLAN',
    entity_id: bare.id,
    amount: '5',
  });
  expect(await refused({ plan_id: bare.id, commitment_amount: '5' })).toEqual([400, 'commitment_amount']);
  expect(await refused({ enable_true_up: false })).toEqual([201, undefined]);
});
