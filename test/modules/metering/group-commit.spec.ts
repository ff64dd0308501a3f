import { CustomersService } from '@drawdown/customers';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('many requests at once', () => {
  it('share transactions, and each gets its own answer', async () => {
    const acme = await world.subscriber();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => world.report(world.rows(acme, '1', { event_id: `group-${n}` }))),
    );
    expect(answers.map((one) => one.event_id)).toEqual(Array.from({ length: 60 }, (_, n) => `group-${n}`));
    expect(answers.every((one) => one.credits_burned === '1.5')).toBe(true);
    expect(await world.balance(acme)).toBe('10');
    const batches = await world.modules.run((tx) =>
      sql<{ n: number }>`
        select count(distinct batch_id)::int n from usage_event where external_customer_id = ${acme}`.execute(tx.db),
    );
    expect(batches.rows[0]!.n).toBeLessThan(30);
  });

  it('are not refused for what is wrong with one of them', async () => {
    const acme = await world.subscriber();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const bad = n === 7 ? { timestamp: '2030-01-01T00:00:00Z' } : {};
        return (await world.modules.api.post('/events', world.rows(acme, '1', bad))).status;
      }),
    );
    expect(statuses).toEqual(Array.from({ length: 20 }, (_, n) => (n === 7 ? 400 : 202)));
    expect(await world.balance(acme)).toBe('71.5');
  });

  it('do not fail with one that breaks its transaction, and none of them burns twice', async () => {
    const acme = await world.subscriber();
    const customers = world.modules.get(CustomersService);
    const lock = customers.lockNamed.bind(customers);
    const poisoned = jest.spyOn(customers, 'lockNamed').mockImplementation((tx, names, wait) => {
      if (names.externalIds?.includes('poison')) throw new RangeError('poison');
      return lock(tx, names, wait);
    });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const events = [world.rows(acme, '1'), ...(n === 7 ? [world.rows('poison', '1')] : [])];
        return (await world.modules.api.post('/events/bulk', { events })).status;
      }),
    );
    poisoned.mockRestore();
    expect(statuses).toEqual(Array.from({ length: 20 }, (_, n) => (n === 7 ? 500 : 202)));
    expect(await world.balance(acme)).toBe('71.5');
  });
});
