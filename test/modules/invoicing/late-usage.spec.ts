import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../../support/modules.js';
import { MeterWorld } from '../metering/meter-world.js';

let modules: Modules;
let world: MeterWorld;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  world = new MeterWorld(modules);
});

interface Line {
  display_name: string;
  quantity: string;
  amount: string;
  prepaid_credits_applied: string;
  line_item_discount: string;
  period_start: string;
}

const invoicesOf = async (subscriptionId: string): Promise<{ amount_due: string; line_items: Line[] }[]> => {
  const { body } = await modules.api.post('/invoices/search', { subscription_id: subscriptionId, order: 'asc' });
  return body.items;
};
const said = ({ line_items }: { line_items: Line[] }) =>
  line_items.map((line) => [
    line.display_name.replace(/event-\d+/, 'usage'),
    line.period_start.slice(0, 10),
    line.quantity,
    line.amount,
    line.prepaid_credits_applied,
  ]);

describe('usage that comes after its invoice', () => {
  it('stands on the next one, priced by the difference in its own period and drawn from credits usable now', async () => {
    const tiers = {
      billing_model: 'TIERED',
      tier_mode: 'SLAB',
      tiers: [{ up_to: 10, unit_amount: '1' }, { unit_amount: '2' }],
    };
    const customer = await world.subscriber([{ aggregation: { type: 'SUM', field: 'n' }, price: tiers }]);
    await customer.report(0, { n: 8 }, '2026-01-20T00:00:00Z', '2026-01-20T00:00:00Z');
    await modules.advanceTo('2026-02-03T00:00:00Z');
    await world.post('/wallets', { customer_id: customer.ids.id, currency: 'usd', initial_credits_to_load: '1' });
    await customer.report(0, { n: 5 }, '2026-01-21T00:00:00Z');
    await customer.report(0, { n: 3 }, '2026-02-03T00:00:00Z');
    await modules.advanceTo('2026-03-02T00:00:00Z');
    const [january, february] = await invoicesOf(customer.ids.subscriptionId);
    expect(said(january!)).toEqual([['usage', '2026-01-01', '8', '8', '0']]);
    expect(said(february!)).toEqual([
      ['usage', '2026-02-01', '3', '3', '0'],
      ['usage (late usage)', '2026-01-01', '5', '8', '1'],
    ]);
    await modules.advanceTo('2026-04-02T00:00:00Z');
    expect(await invoicesOf(customer.ids.subscriptionId)).toHaveLength(2);
  });

  it('gives back what it corrects', async () => {
    const customer = await world.subscriber([{ aggregation: { type: 'SUM', field: 'n' }, price: { amount: '1' } }], {
      start: '2026-04-10T00:00:00Z',
    });
    await customer.report(0, { n: 8 }, '2026-04-20T00:00:00Z', '2026-04-20T00:00:00Z');
    await modules.advanceTo('2026-05-20T00:00:00Z');
    await customer.report(0, { n: -3 }, '2026-04-21T00:00:00Z');
    await customer.report(0, { n: 5 }, '2026-05-20T00:00:00Z');
    await modules.advanceTo('2026-06-11T00:00:00Z');
    const [, may] = await invoicesOf(customer.ids.subscriptionId);
    expect(said(may!)).toEqual([
      ['usage', '2026-05-10', '5', '5', '0'],
      ['usage (late usage)', '2026-04-10', '-3', '-3', '0'],
    ]);
    expect(may!.amount_due).toBe('2');
  });

  it('is recorded as unbilled when no invoice is to come', async () => {
    const customer = await world.subscriber([{ aggregation: { type: 'COUNT' }, price: { amount: '1' } }], {
      start: '2026-07-01T00:00:00Z',
    });
    await world.post(`/subscriptions/${customer.ids.subscriptionId}/cancel`, { cancellation_type: 'end_of_period' });
    await modules.advanceTo('2026-08-02T00:00:00Z');
    const late = await customer.report(0, {}, '2026-07-05T00:00:00Z');
    expect(late).toMatchObject({ credits_burned: '0', reason: 'period_settled' });
  });
});
