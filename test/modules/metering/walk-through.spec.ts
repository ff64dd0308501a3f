import { beforeAll, describe, expect, it } from '@jest/globals';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('the trial of the walk-through', () => {
  it('reads 100, 100 after five free tables, 70 after 20 rows, 70 after the same id again, 60 after the sixth table', async () => {
    const acme = await world.subscriber();
    expect(await world.balance(acme)).toBe('100');
    await world.reportAll(Array.from({ length: 5 }, () => world.table(acme)));
    expect(await world.balance(acme)).toBe('100');
    const rows = world.rows(acme, '20', { event_id: 'enrich-1' });
    expect(await world.report(rows)).toMatchObject({ status: 'accepted', credits_burned: '30' });
    expect(await world.balance(acme)).toBe('70');
    expect(await world.report(rows)).toMatchObject({ status: 'duplicate', credits_burned: '0', differs: false });
    expect(await world.balance(acme)).toBe('70');
    expect(await world.report(world.table(acme))).toMatchObject({ credits_burned: '10' });
    expect(await world.balance(acme)).toBe('60');
  });
});
