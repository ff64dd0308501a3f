import { beforeAll, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, type InvoiceBody, Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
let subscriber: Subscriber;

/** 31 a month and 10 a table, since 1 January; a table in January, two in February; it is 10 March, with three so far. */
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  const plan_id = await definePlan(story, { name: 'Basic', fee: '31' });
  subscriber = await story.subscribe('previewed', { plan_id, payment_terms: '90 NET' });
  await subscriber.tables(1);
  await modules.advanceTo('2026-02-10T00:00:00Z');
  await subscriber.tables(2);
  await modules.advanceTo('2026-03-10T00:00:00Z');
  await subscriber.tables(3);
});

const preview = (over: object = {}) =>
  modules.api.post('/invoices/preview', { subscription_id: subscriber.subscriptionId, ...over });
const lines = (invoice: InvoiceBody) =>
  invoice.line_items.map((line) => [line.display_name, line.period_start.slice(0, 10), ...amounts(line.amount)]);

it('of no period named is of the current one', async () => {
  const { body, status } = await preview();
  expect([status, lines(body as InvoiceBody)]).toEqual([
    200,
    [
      ['Basic', '2026-04-01', '31'],
      ['Tables created', '2026-03-01', '30'],
    ],
  ]);
});

it('of a period that is over says what its invoice says, without late usage of earlier ones', async () => {
  await subscriber.send('table_create', { status: 'success' }, { timestamp: '2026-01-20T00:00:00Z' });
  const { body } = await preview({ period_start: '2026-02-01T00:00:00Z', period_end: '2026-03-01T00:00:00Z' });
  const billed = [
    ['Basic', '2026-03-01', '31'],
    ['Tables created', '2026-02-01', '20'],
  ];
  expect(lines(body as InvoiceBody)).toEqual(billed);
  expect(lines(await subscriber.lastInvoice())).toEqual(billed);
  const current = await preview({ period_start: '2026-03-01T00:00:00Z' });
  expect(lines(current.body as InvoiceBody).at(-1)).toEqual(['Tables created (late usage)', '2026-01-01', '10']);
});

it('of a period to come says its fees', async () => {
  const { body } = await preview({ period_end: '2026-12-01T00:00:00Z' });
  expect(lines(body as InvoiceBody)).toEqual([['Basic', '2026-12-01', '31']]);
  expect(body).toMatchObject({ id: null, invoice_number: null, billing_sequence: 12 });
});

it('of a period to come asks nothing once the subscription is over', async () => {
  const path = `/subscriptions/${subscriber.subscriptionId}`;
  expect((await modules.api.put(path, { cancel_at: '2026-05-01T00:00:00Z' })).status).toBe(200);
  const last = await preview({ period_start: '2026-04-01T00:00:00Z' });
  expect([last.status, lines(last.body as InvoiceBody)]).toEqual([200, []]);
  const after = await preview({ period_start: '2026-05-01T00:00:00Z' });
  expect([after.status, after.body.details]).toEqual([400, { field: 'period_start' }]);
  expect((await modules.api.put(path, { cancel_at_period_end: false })).status).toBe(200);
});

it('of other times is refused with the period that is there, and nothing is written', async () => {
  const before = (await subscriber.invoices()).length;
  const inside = await preview({ period_start: '2026-02-05T00:00:00Z' });
  expect([inside.status, inside.body.details]).toEqual([400, { field: 'period_start' }]);
  expect(inside.body.message).toContain('from 2026-02-01T00:00:00.000Z to 2026-03-01T00:00:00.000Z');
  const longer = await preview({ period_start: '2026-02-01T00:00:00Z', period_end: '2026-04-01T00:00:00Z' });
  expect([longer.status, longer.body.details]).toEqual([400, { field: 'period_end' }]);
  const earlier = await preview({ period_end: '2025-02-01T00:00:00Z' });
  expect([earlier.status, earlier.body.details]).toEqual([400, { field: 'period_end' }]);
  expect((await subscriber.invoices()).length).toBe(before);
});
