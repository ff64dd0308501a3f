import { beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineStarter } from '../../apps/demo/src/starter-plan.js';
import { startPlayground, type ServerProcess } from '../support/processes.js';

/** Real processes, really killed. */
let playground: Awaited<ReturnType<typeof startPlayground>>;
let planId: string;

const setClock = (at: string) =>
  playground.query(`update environment set clock_at = $1 where type = 'development'`, [at]);

async function subscribe(server: ServerProcess, externalId: string): Promise<string> {
  await server.post('/customers', { external_id: externalId }).expect(201);
  const subscription = await server
    .post('/subscriptions', {
      external_customer_id: externalId,
      plan_id: planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
    })
    .expect(201);
  return subscription.body.id;
}

/** What was billed to the customers of a story, in order. */
const billed = (names: string) =>
  playground.query<{ external_id: string; period_start: Date }>(
    `select c.external_id, i.period_start from invoice i join customer c on c.id = i.customer_id
     where c.external_id like $1 order by 1, 2`,
    [names],
  );

beforeAll(async () => {
  playground = await startPlayground();
  const server = await playground.start();
  await setClock('2026-01-10T09:00:00Z');
  ({ planId } = await defineStarter(
    async (path, body) => (await server.post(path, body).expect(201)).body,
    'faults',
    0,
  ));
  await server.stop();
});

describe('advancing by 400 days', () => {
  it('killed in the middle and called again ends in the state of an undisturbed run', async () => {
    let server = await playground.start();
    for (const name of ['killed-a', 'killed-b', 'killed-c']) await subscribe(server, name);
    const to = '2027-02-14T09:00:00Z';
    const broken = server.post('/clock/advance', { to }).then(
      () => 'answered',
      () => 'cut',
    );
    await sleep(700);
    await server.kill();
    expect(await broken).toBe('cut');
    const [stopped] = await playground.query<{ clock_at: Date }>(
      `select clock_at from environment where type = 'development'`,
    );
    expect(stopped!.clock_at.getTime()).toBeLessThan(Date.parse(to));

    server = await playground.start();
    await server.post('/clock/advance', { to }).expect(200);
    const again = await server.post('/clock/advance', { to }).expect(200);
    expect(again.body.happened).toEqual([]);
    const perCustomer = Map.groupBy(await billed('killed-%'), (row) => row.external_id);
    expect(perCustomer.size).toBe(3);
    for (const invoices of perCustomer.values()) {
      const periods = invoices.map((row) => row.period_start.toISOString());
      expect(new Set(periods).size).toBe(invoices.length);
      expect(invoices).toHaveLength(14);
    }
    await server.stop();
    expect(playground.audit()).toContain('invariants hold');
  });
});

describe('two server processes with the scheduler on', () => {
  it('bill each period once', async () => {
    const [first, second] = [await playground.start(), await playground.start()];
    await setClock('2027-03-10T09:00:00Z');
    await Promise.all(Array.from({ length: 20 }, (_, i) => subscribe(i % 2 ? first : second, `pair-${i}`)));
    await setClock('2027-05-11T12:00:00Z');
    await until(async () => {
      const [left] = await playground.query<{ n: number }>(
        `select count(*)::int n from due_work w join environment e on e.id = w.environment_id where w.due_at <= e.clock_at`,
      );
      return left!.n === 0;
    });
    const twice = await playground.query(`
      select c.external_id, i.period_start, count(*) from invoice i join customer c on c.id = i.customer_id
      where c.external_id like 'pair-%' group by 1, 2 having count(*) > 1`);
    expect(twice).toEqual([]);
    const [bills] = await playground.query<{ n: number }>(`
      select count(*)::int n from invoice i join customer c on c.id = i.customer_id where c.external_id like 'pair-%'`);
    expect(bills!.n).toBe(20 * 3);
    await Promise.all([first.stop(), second.stop()]);
    expect(playground.audit()).toContain('invariants hold');
  });
});

describe('a server killed while usage comes in', () => {
  it('has lost and doubled nothing after everything unanswered was sent again', async () => {
    let server = await playground.start();
    await subscribe(server, 'usage');
    const unanswered = new Set(Array.from({ length: 300 }, (_, i) => `usage-${i}`));
    const send = async (id: string) => {
      const answer = await server.post('/events', {
        event_name: 'contact_enrich',
        external_customer_id: 'usage',
        event_id: id,
        properties: { rows: '2' },
      });
      if (answer.status === 202) unanswered.delete(id);
    };
    const sendAll = () => Promise.allSettled([...unanswered].map(send));
    for (let round = 0; unanswered.size > 0 && round < 10; round++) {
      const sending = sendAll();
      if (round < 3) {
        await sleep(60);
        await server.kill();
      }
      await sending;
      if (round < 3) server = await playground.start();
    }
    expect(unanswered.size).toBe(0);
    const [sum] = await playground.query<{ burned: string; events: number }>(`
      select (-coalesce(sum(l.credits), 0))::text burned, (select count(*)::int from usage_event where event_id like 'usage-%') events
      from ledger_entry l join wallet w on w.id = l.wallet_id join customer c on c.id = w.customer_id
      where c.external_id = 'usage' and l.credits < 0`);
    expect([Number(sum!.burned), sum!.events]).toEqual([900, 300]);
    expect(await server.stop()).toBe(0);
    expect(playground.audit()).toContain('invariants hold');
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await sleep(100);
  }
  throw new Error('waited 30 s in vain');
}
