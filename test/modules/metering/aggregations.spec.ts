import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../../support/modules.js';
import { MeterWorld } from './meter-world.js';

let modules: Modules;
let world: MeterWorld;

beforeAll(async () => {
  modules = await startModules({ at: '2026-03-01T00:00:00Z', env: { ROLE: 'api' } });
  world = new MeterWorld(modules);
});

describe('usage is counted', () => {
  it.each<[string, object, (string | number)[], string]>([
    ['by its mean', { type: 'AVG', field: 'n' }, [4, 8, 9], '7'],
    ['by the greatest', { type: 'MAX', field: 'n' }, [4, 9, 8], '9'],
    ['by the last', { type: 'LATEST', field: 'n' }, [4, 9, 8], '8'],
    ['by how many differ', { type: 'COUNT_UNIQUE', field: 'n' }, ['a', 'b', 'a'], '2'],
    ['many times over', { type: 'SUM_WITH_MULTIPLIER', field: 'n', multiplier: '0.5' }, [4, 9], '6.5'],
    ['by the hour and added', { type: 'MAX', field: 'n', bucket_size: 'HOUR' }, [4, 9, 8], '21'],
  ])('%s', async (_, aggregation, values, quantity) => {
    const customer = await world.subscriber([{ aggregation, price: { amount: '2' } }], {
      since: '2026-03-01T00:00:00Z',
    });
    for (const [hour, n] of values.entries()) {
      await customer.report(0, { n }, `2026-03-01T0${hour}:30:00Z`, '2026-03-01T06:00:00Z');
    }
    expect(await customer.accruals()).toMatchObject([{ quantity, accrued: String(Number(quantity) * 2) }]);
  });

  it('by group within a bucket, and only where the filters match, whatever the property is', async () => {
    const aggregation = { type: 'MAX', field: 'n', bucket_size: 'DAY', group_by: 'region' };
    const filters = [
      { key: 'paid', values: ['true'] },
      { key: 'tier', values: ['1', '2'] },
    ];
    const customer = await world.subscriber([{ aggregation, filters, price: { amount: '1' } }]);
    const at = '2026-03-01T06:00:00Z';
    for (const [n, region, paid, tier] of [
      [3, 'eu', true, 1],
      [5, 'eu', 'true', '2'],
      [7, 'us', true, 2],
      [100, 'us', false, 1],
      [100, 'us', true, 3],
    ]) {
      await customer.report(0, { n: n!, region: region!, paid: paid!, tier: tier! }, at);
    }
    expect(await customer.accruals()).toMatchObject([{ quantity: '12' }]);
  });
});

describe('a level', () => {
  it('accrues with time, hourly while there are credits, and goes on into the next period', async () => {
    const customer = await world.subscriber(
      [{ aggregation: { type: 'WEIGHTED_SUM', field: 'n' }, reset: 'NEVER', price: { amount: '31' } }],
      { start: '2026-03-07T00:00:00Z', credits: '100' },
    );
    await customer.report(0, { n: 4 }, '2026-03-07T00:00:00Z');
    expect(await customer.credits()).toBe('100');
    await modules.advanceTo('2026-03-08T00:00:00Z');
    expect(await customer.credits()).toBe('96');
    await modules.advanceTo('2026-03-08T01:30:00Z');
    expect(await customer.credits()).toBe('95.833333333333');
    await modules.advanceTo('2026-04-07T00:00:00Z');
    expect(await customer.accruals()).toMatchObject([
      { quantity: '4', accrued: '124', credits: '100' },
      { quantity: '0' },
    ]);
    await customer.report(0, { n: -1 }, '2026-04-01T00:00:00Z');
    const [march, april] = await customer.accruals();
    expect(march).toMatchObject({ quantity: '3.806451612903' });
    expect(april).toMatchObject({ carried: { level: '3' } });
  });
});

describe('usage that is never reset', () => {
  it('burns as the next period opens, and again when usage of an earlier one comes late', async () => {
    const customer = await world.subscriber(
      [{ aggregation: { type: 'SUM', field: 'n' }, reset: 'NEVER', price: { amount: '1' } }],
      { start: '2026-04-08T00:00:00Z', credits: '100' },
    );
    await customer.report(0, { n: 10 }, '2026-04-08T06:00:00Z', '2026-04-08T06:00:00Z');
    await modules.advanceTo('2026-05-08T00:00:00Z');
    expect(await customer.accruals()).toMatchObject([{ accrued: '10' }, { quantity: '10', accrued: '10' }]);
    expect(await customer.credits()).toBe('80');
    await customer.report(0, { n: 5 }, '2026-05-07T23:00:00Z');
    expect(await customer.accruals()).toMatchObject([{ accrued: '15' }, { accrued: '15' }]);
    expect(await customer.credits()).toBe('70');
    await modules.advanceTo('2026-06-08T00:00:00Z');
    expect((await customer.accruals())[2]).toMatchObject({ quantity: '15', accrued: '15' });
  });
});

describe('free units', () => {
  it('of a day are given every day of the period', async () => {
    const customer = await world.subscriber(
      [{ aggregation: { type: 'COUNT' }, price: { amount: '1' }, limit: 2, window: 'DAILY' }],
      { start: '2026-06-09T00:00:00Z' },
    );
    for (const time of ['09T01', '09T02', '09T03', '10T01', '10T02', '11T01', '11T05', '11T06']) {
      await customer.report(0, {}, `2026-06-${time}:00:00Z`, '2026-06-12T00:00:00Z');
    }
    expect(await customer.accruals()).toMatchObject([{ quantity: '8', free: '6', accrued: '2' }]);
  });

  it('of a quarter are carried over into its later months, and a late use takes them back', async () => {
    const customer = await world.subscriber(
      [{ aggregation: { type: 'SUM', field: 'n' }, price: { amount: '1' }, limit: 10, window: 'QUARTERLY' }],
      { start: '2026-06-15T00:00:00Z' },
    );
    await customer.report(0, { n: 4 }, '2026-06-20T00:00:00Z', '2026-06-20T00:00:00Z');
    await modules.advanceTo('2026-07-15T00:00:00Z');
    await customer.report(0, { n: 7 }, '2026-07-15T00:00:00Z');
    expect(await customer.accruals()).toMatchObject([
      { free: '4', accrued: '0' },
      { free: '6', accrued: '1' },
    ]);
    await customer.report(0, { n: 2 }, '2026-07-14T00:00:00Z');
    expect(await customer.accruals()).toMatchObject([{ free: '6' }, { free: '4', accrued: '3' }]);
    await modules.advanceTo('2026-09-15T00:00:00Z');
    await customer.report(0, { n: 10 }, '2026-09-15T00:00:00Z');
    expect((await customer.accruals()).at(-1)).toMatchObject({ free: '10', accrued: '0' });
  });

  it('that are never given again are given once in the life of the subscription', async () => {
    const customer = await world.subscriber(
      [{ aggregation: { type: 'COUNT' }, price: { amount: '1' }, limit: 3, window: 'NEVER' }],
      { start: '2026-09-16T00:00:00Z' },
    );
    for (const day of [16, 17]) await customer.report(0, {}, `2026-09-${day}T00:00:00Z`, '2026-09-17T00:00:00Z');
    await modules.advanceTo('2026-11-17T00:00:00Z');
    for (let n = 0; n < 3; n++) await customer.report(0, {}, '2026-11-17T00:00:00Z');
    expect((await customer.accruals()).at(-1)).toMatchObject({ quantity: '3', free: '1', accrued: '2' });
  });
});
