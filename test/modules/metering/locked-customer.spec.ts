import { beforeAll, describe, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { UsageWorld } from './usage-world.js';

/** Others must be answered while one customer's row is held: sooner than the 10 seconds a lock may be waited for. */
const SOON_MS = 8_000;

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('while one customer is locked', () => {
  it('the events of all others are taken, and its own when it is free', async () => {
    const busy = await world.subscriber();
    const others = await subscribers(4);
    const unlock = await lockOf(busy);
    const own = Promise.all([
      world.report(world.rows(busy, '1')),
      world.reportAll([world.rows(others[0]!, '1'), world.rows(busy, '1')]),
      ...Array.from({ length: 10 }, () => world.report(world.rows(busy, '1'))),
    ]);
    await soon(Promise.all(others.map((acme) => world.report(world.rows(acme, '1')))));
    await soon(world.reportAll(others.map((acme) => world.rows(acme, '1'))));
    expect(await world.balance(busy)).toBe('100');
    await unlock();
    await soon(own);
    expect(await world.balance(busy)).toBe('82');
    expect(await Promise.all(others.map((acme) => world.balance(acme)))).toEqual(['95.5', '97', '97', '97']);
    await soon(world.report(world.rows(busy, '1')));
  });

  it('the others are authorized, and it is when it is free', async () => {
    const busy = await world.subscriber();
    const others = await subscribers(4);
    const ask = (externalId: string) =>
      world.made<{ allowed: boolean }>('/credits/authorize', {
        external_customer_id: externalId,
        event_name: 'contact_enrich',
        properties: { rows: '1' },
      });
    await ask(others[0]!);
    const unlock = await lockOf(busy);
    const own = Promise.all([ask(busy), ask(busy)]);
    const answers = await soon(Promise.all(others.map(ask)));
    expect(answers.every(({ allowed }) => allowed)).toBe(true);
    await unlock();
    expect((await soon(own)).map(({ allowed }) => allowed)).toEqual([true, true]);
    expect(await world.balance(busy)).toBe('97');
  });

  it('two that are locked by different hands wait each for their own', async () => {
    const [first, second, other] = await subscribers(3);
    const unlockFirst = await lockOf(first!);
    const unlockSecond = await lockOf(second!);
    const both = world.reportAll([world.rows(first!, '1'), world.rows(second!, '1'), world.rows(other!, '1')]);
    const ofSecond = world.report(world.rows(second!, '1'));
    await sleep(600);
    await unlockSecond();
    await soon(ofSecond);
    expect(await world.balance(other!)).toBe('100');
    await unlockFirst();
    expect((await soon(both)).map((one) => one.credits_burned)).toEqual(['1.5', '1.5', '1.5']);
  });
});

describe('two requests with idempotency keys of their own', () => {
  it('that report the same event at once are both answered, and one of them stored it', async () => {
    const event = world.rows('nobody-yet', '1', { event_id: 'keyed-race' });
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => world.modules.api.post('/events', event, { 'idempotency-key': `race-${n}` })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(6).fill(202));
    const statuses = answers.map((answer) => answer.body.status as string).toSorted();
    expect(statuses).toEqual(['accepted', ...Array<string>(5).fill('duplicate')]);
  });
});

async function subscribers(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let n = 0; n < count; n++) names.push(await world.subscriber());
  return names;
}

async function soon<T>(work: Promise<T>): Promise<T> {
  const begin = performance.now();
  const done = await work;
  expect(performance.now() - begin).toBeLessThan(SOON_MS);
  return done;
}

/** Holds the customer's row from a session of its own. @returns what gives it back. */
async function lockOf(externalId: string): Promise<() => Promise<void>> {
  const client = new pg.Client(process.env.TEST_DATABASE);
  await client.connect();
  await client.query('begin');
  await client.query('select from customer where external_id = $1 for update', [externalId]);
  return async () => {
    await client.query('rollback');
    await client.end();
  };
}
