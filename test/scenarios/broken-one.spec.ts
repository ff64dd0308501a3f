import { beforeAll, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { advance } from './happenings.js';
import { definePlan } from './second-plan.js';
import { Story, type Subscriber } from './story.js';

const CROWD = 200;

let modules: Modules;
let story: Story;
let crowd: Subscriber[];
let broken: Subscriber;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  const plan_id = await definePlan(story, { name: 'Basic', fee: '31' });
  crowd = [];
  const names = Array.from({ length: CROWD }, (_, n) => `person-${n}`);
  const terms = { plan_id, trial_period_days: 14, collection_method: 'send_invoice', payment_terms: '90 NET' };
  for (const name of names) crowd.push(await story.subscribe(name, terms));
  broken = crowd[CROWD / 2]!;
}, 300_000);

/** No request can bring it into this state. */
const moveTo = (zone: string) =>
  modules.run((tx) =>
    sql`update subscription set customer_timezone = ${zone} where id = ${broken.subscriptionId}`.execute(tx.db),
  );
const count = (happened: readonly string[], event: string) =>
  happened.filter((line) => line === `2026-01-15T0${event === 'invoice.finalized' ? 1 : 0}:00 ${event}`).length;

it(`of ${CROWD} trials that end together one is broken: the others are billed, and it waits with its reason`, async () => {
  await moveTo('Nowhere');
  const happened = [
    ...(await advance(modules, '2026-01-15T00:30:00Z')),
    ...(await advance(modules, '2026-01-15T02:00:00Z')),
  ];
  expect([count(happened, 'subscription.activated'), count(happened, 'invoice.finalized')]).toEqual([
    CROWD - 1,
    CROWD - 1,
  ]);
  expect(await broken.invoices()).toEqual([]);
  expect(await broken.subscription()).toMatchObject({ subscription_status: 'trialing' });
  const { items } = await story.get<{ items: { subject_id: string; error: string; attempts: number }[] }>('/failures');
  expect(new Set(items.map(({ subject_id }) => subject_id))).toEqual(new Set([broken.customerId]));
  expect(items[0]!.error).toContain('Nowhere');
  expect(items[0]!.attempts).toBeGreaterThan(3);
}, 120_000);

it('once it is repaired it is billed as of its own time, and nothing happens twice', async () => {
  await moveTo('UTC');
  await story.post('/failures/retry', { subject_id: broken.customerId }, 200);
  const happened = await advance(modules, '2026-01-15T04:00:00Z');
  expect(happened.map((line) => line.split(' ')[1])).toEqual([
    'subscription.period_closed',
    'subscription.activated',
    'subscription.period_opened',
    'invoice.drafted',
    'invoice.finalized',
  ]);
  const { line_items } = await broken.lastInvoice();
  expect(line_items.map(({ period_start }) => period_start)).toEqual(['2026-01-15T00:00:00.000Z']);
  expect(await advance(modules, '2026-01-15T04:00:00Z')).toEqual([]);
}, 120_000);
