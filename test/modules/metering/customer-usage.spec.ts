import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectWireShape } from '../../support/wire-shape.js';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
let seatsId: string;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
  const seats = await world.made('/features', {
    name: 'Seats',
    type: 'metered',
    lookup_key: 'seats',
    meter: {
      name: 'Seats',
      event_name: 'seats',
      aggregation: { type: 'SUM', field: 'n' },
      filters: [{ key: 'kind', values: ['paid'] }],
      reset_usage: 'BILLING_PERIOD',
    },
  });
  seatsId = seats.id;
  await world.made('/entitlements', {
    plan_id: world.planId,
    feature_id: seatsId,
    feature_type: 'metered',
    is_enabled: true,
    usage_limit: 8,
  });
}, 60_000);

interface Summary {
  features: { feature: { id: string; lookup_key: string }; current_usage: string; [key: string]: unknown }[];
  period: object;
}

describe("a customer's usage", () => {
  it('stands against the limits of its subscriptions, priced or not', async () => {
    const acme = await world.subscriber();
    await world.reportAll(Array.from({ length: 6 }, () => world.table(acme)));
    await world.reportAll(
      ['2', '3', '1'].map((n) => ({
        event_name: 'seats',
        external_customer_id: acme,
        properties: { n, kind: 'paid' },
      })),
    );
    await world.report({ event_name: 'seats', external_customer_id: acme, properties: { n: '99', kind: 'guest' } });
    const answer = await world.modules.api.get(`/customers/usage?customer_lookup_key=${acme}`);
    await expectWireShape('DtoCustomerUsageSummaryResponse', answer.body);
    const { features, period } = answer.body as Summary;
    const of = (key: string) => features.find(({ feature }) => feature.lookup_key.startsWith(key));
    expect(of('tables')).toMatchObject({
      current_usage: '6',
      total_limit: 5,
      usage_percent: '120',
      is_unlimited: false,
      next_usage_reset_at: '2026-01-24T09:00:00.000Z',
    });
    expect(of('seats')).toMatchObject({ current_usage: '6', total_limit: 8, usage_percent: '75' });
    expect(of('export')).toMatchObject({
      current_usage: '0',
      total_limit: null,
      is_enabled: true,
      is_unlimited: false,
    });
    expect(period).toEqual({
      start_time: '2026-01-10T09:00:00.000Z',
      end_time: '2026-01-24T09:00:00.000Z',
      period: 'MONTHLY',
    });
  });

  it('can be asked of some features only', async () => {
    const acme = await world.subscriber();
    for (const filter of [`feature_ids=${seatsId}&feature_ids=other`, 'feature_lookup_keys=seats,other']) {
      const answer = await world.modules.api.get(`/customers/usage?customer_lookup_key=${acme}&${filter}`);
      expect((answer.body as Summary).features.map(({ feature }) => feature.lookup_key)).toEqual(['seats']);
    }
    const none = await world.modules.api.get(`/customers/usage?customer_lookup_key=${acme}&subscription_ids=other`);
    expect((none.body as Summary).features).toEqual([]);
  });

  it('of nobody is 400, of an unknown customer 404', async () => {
    expect((await world.modules.api.get('/customers/usage')).status).toBe(400);
    expect((await world.modules.api.get('/customers/usage?customer_id=nobody')).status).toBe(404);
  });
});
