import { beforeAll, describe, expect, it } from '@jest/globals';
import { MeterWorld } from '../metering/meter-world.js';
import { startModules, type Modules } from '../../support/modules.js';

let modules: Modules;
let world: MeterWorld;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z', env: { ROLE: 'api' } });
  world = new MeterWorld(modules);
});

const fee = (planId: string, more: object = {}) =>
  world.post('/prices', {
    type: 'FIXED',
    billing_model: 'FLAT_FEE',
    billing_period: 'MONTHLY',
    invoice_cadence: 'ADVANCE',
    currency: 'usd',
    entity_type: 'PLAN',
    entity_id: planId,
    amount: '100',
    ...more,
  });

interface Shown {
  price_type: string;
  price: { amount: string };
  start_date: string;
  end_date: string | null;
}

const itemsOf = async (id: string): Promise<Shown[]> => (await modules.api.get(`/subscriptions/${id}`)).body.line_items;
const linesOf = async (id: string) => {
  const { body } = await modules.api.post('/invoices/search', { subscription_id: id, order: 'asc' });
  return body.items.map((one: { line_items: { price_type: string; amount: string }[] }) =>
    one.line_items.map((line) => `${line.price_type} ${line.amount}`),
  );
};

describe('the prices of a plan', () => {
  it('reach running subscriptions by a sync only: usage at once, fees with the next period', async () => {
    const { planId, eventNames } = await world.plan([
      { aggregation: { type: 'SUM', field: 'n' }, price: { amount: '1' }, limit: 5 },
    ]);
    const first = await fee(planId);
    const { id: customer_id } = await world.post('/customers', { external_id: 'synced' });
    const subscription = await world.post('/subscriptions', {
      customer_id,
      plan_id: planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
    });
    const report = (n: number, timestamp: string) =>
      world.post('/events', {
        event_name: eventNames[0],
        external_customer_id: 'synced',
        timestamp,
        properties: { n },
      });
    await modules.advanceTo('2026-01-10T00:00:00Z');
    await report(4, '2026-01-10T00:00:00Z');
    const usage = (await itemsOf(subscription.id)).find((item) => item.price_type === 'USAGE') as unknown as {
      price_id: string;
    };
    await modules.api.put(`/prices/${usage.price_id}`, { amount: '2' });
    await modules.api.put(`/prices/${first.id}`, { amount: '120' });
    expect(await itemsOf(subscription.id)).toHaveLength(2);
    const sync = await modules.api.post(`/plans/${planId}/sync/subscriptions`);
    expect([sync.status, Object.keys(sync.body).sort()]).toEqual([200, ['message', 'run_id', 'workflow_id']]);
    await modules.advanceTo('2026-01-11T00:00:00Z');
    expect((await itemsOf(subscription.id)).map((item) => [item.price_type, item.price.amount, item.end_date])).toEqual(
      expect.arrayContaining([
        ['FIXED', '100', '2026-01-10T00:00:00.000Z'],
        ['FIXED', '120', null],
        ['USAGE', '1', '2026-01-10T00:00:00.000Z'],
        ['USAGE', '2', null],
      ]),
    );
    await report(3, '2026-01-11T00:00:00Z');
    await report(1, '2026-01-09T00:00:00Z');
    await modules.api.post(`/plans/${planId}/sync/subscriptions`);
    await modules.advanceTo('2026-02-02T00:00:00Z');
    expect(await itemsOf(subscription.id)).toHaveLength(4);
    expect(await linesOf(subscription.id)).toEqual([['FIXED 100'], ['FIXED 120', 'USAGE 0', 'USAGE 6']]);
  });

  describe('beside what was agreed', () => {
    interface Item extends Shown {
      id: string;
      price_id: string;
      meter_id: string;
      commitment_amount: string | null;
    }
    const usageOf = async (id: string) =>
      ((await itemsOf(id)) as Item[])
        .filter(({ price_type, start_date, end_date }) => price_type === 'USAGE' && start_date !== end_date)
        .map((item) => [
          item.price.amount,
          item.commitment_amount,
          item.start_date.slice(0, 10),
          item.end_date?.slice(0, 10),
        ]);
    const price = (planId: string, meterId: string, amount: string) =>
      world.post('/prices', {
        type: 'USAGE',
        billing_model: 'FLAT_FEE',
        billing_period: 'MONTHLY',
        currency: 'usd',
        entity_type: 'PLAN',
        entity_id: planId,
        meter_id: meterId,
        amount,
      });
    let customers = 0;

    async function subscribed(at: string) {
      const { planId } = await world.plan([
        { aggregation: { type: 'SUM', field: 'n' }, price: { amount: '1' } },
        { aggregation: { type: 'COUNT' }, price: { amount: '5' } },
      ]);
      await fee(planId);
      await modules.advanceTo(at);
      const { id: customer_id } = await world.post('/customers', { external_id: `agreed-${++customers}` });
      const terms = { customer_id, plan_id: planId, currency: 'usd', billing_period: 'MONTHLY' };
      const { id } = await world.post('/subscriptions', terms);
      const items = (await itemsOf(id)) as Item[];
      const itemOf = (amount: string) => items.find((item) => item.price.amount === amount)!;
      return { planId, id, sum: itemOf('1'), count: itemOf('5') };
    }
    const put = async (path: string, body: object) => {
      const answer = await modules.api.put(path, body);
      expect(answer.status).toBe(200);
      return answer.body as Item;
    };
    async function sync(planId: string, until: string) {
      await modules.api.post(`/plans/${planId}/sync/subscriptions`);
      await modules.advanceTo(until);
    }

    it('a planned change still takes the place of the new price, and a commitment goes over to it', async () => {
      const { planId, id, sum } = await subscribed('2026-03-01T00:00:00Z');
      const promised = await put(`/subscriptions/lineitems/${sum.id}`, { commitment_amount: 50 });
      const later = { amount: '9', effective_from: '2026-03-20T00:00:00Z' };
      await put(`/subscriptions/lineitems/${promised.id}`, later);
      await modules.advanceTo('2026-03-10T00:00:00Z');
      await put(`/prices/${sum.price_id}`, { amount: '2' });
      await sync(planId, '2026-03-25T00:00:00Z');
      expect(await usageOf(id)).toEqual([
        ['1', '50', '2026-03-01', '2026-03-10'],
        ['9', '50', '2026-03-20', undefined],
        ['5', null, '2026-03-01', undefined],
        ['2', '50', '2026-03-10', '2026-03-20'],
      ]);
    });

    it('a price sold anew counts until a planned item of its meter begins', async () => {
      const { planId, id, sum } = await subscribed('2026-04-01T00:00:00Z');
      await put(`/subscriptions/lineitems/${sum.id}`, { amount: '9', effective_from: '2026-04-20T00:00:00Z' });
      await modules.api.delete(`/prices/${sum.price_id}`);
      await price(planId, sum.meter_id, '3');
      await sync(planId, '2026-04-25T00:00:00Z');
      expect((await usageOf(id)).filter(([amount]) => amount !== '5' && amount !== '1')).toEqual([
        ['9', null, '2026-04-20', undefined],
        ['3', null, '2026-04-01', '2026-04-20'],
      ]);
    });

    it('what is planned of a price that is sold no more never begins, and follows its new version', async () => {
      const { planId, id, sum } = await subscribed('2026-06-01T00:00:00Z');
      const fees = async () =>
        ((await itemsOf(id)) as (Item & { quantity: string })[])
          .filter(({ price_type, start_date, end_date }) => price_type === 'FIXED' && start_date !== end_date)
          .map((item) => [item.price.amount, item.quantity, item.start_date.slice(0, 10), item.end_date?.slice(0, 10)]);
      const old = ((await itemsOf(id)) as Item[]).find(({ price_type }) => price_type === 'FIXED')!;
      const later = { effective_from: '2026-06-20T00:00:00Z' };
      await put(`/subscriptions/lineitems/${old.id}`, { quantity: 2, ...later });
      await put(`/subscriptions/lineitems/${sum.id}`, { commitment_amount: 10, ...later });
      await modules.api.delete(`/prices/${old.price_id}`);
      await fee(planId, { amount: '25' });
      await put(`/prices/${sum.price_id}`, { amount: '3' });
      await modules.advanceTo('2026-06-02T00:00:00Z');
      await sync(planId, '2026-06-25T00:00:00Z');
      expect(await fees()).toEqual([
        ['100', '1', '2026-06-01', '2026-06-02'],
        ['25', '1', '2026-06-02', undefined],
      ]);
      expect((await usageOf(id)).filter(([amount]) => amount !== '5')).toEqual([
        ['1', null, '2026-06-01', '2026-06-02'],
        ['3', null, '2026-06-02', '2026-06-20'],
        ['3', '10', '2026-06-20', undefined],
      ]);
    });

    it('a meter that an agreed price counts is not sold once more', async () => {
      const { planId, id, sum, count } = await subscribed('2026-07-01T00:00:00Z');
      await put(`/subscriptions/lineitems/${sum.id}`, { amount: '0.5' });
      await modules.api.delete(`/subscriptions/lineitems/${count.id}`);
      const own = { type: 'USAGE', billing_model: 'FLAT_FEE', billing_period: 'MONTHLY', amount: '4' };
      await world.post(`/subscriptions/${id}/lineitems`, { price: { ...own, meter_id: count.meter_id } });
      for (const item of [sum, count]) {
        await modules.api.delete(`/prices/${item.price_id}`);
        await price(planId, item.meter_id, '3');
      }
      await sync(planId, '2026-07-02T00:00:00Z');
      expect((await usageOf(id)).filter(([, , , end]) => !end).map(([amount]) => amount)).toEqual(['0.5', '4']);
    });
  });

  it('of an unknown plan are 404', async () => {
    expect((await modules.api.post('/plans/plan_x/sync/subscriptions')).status).toBe(404);
  });
});
