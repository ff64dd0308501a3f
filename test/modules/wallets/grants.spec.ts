import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { defineStarter } from '../../../apps/demo/src/starter-plan.js';
import { startModules, type Modules } from '../../support/modules.js';

let modules: Modules;
let planId: string;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-24T09:00:00Z', env: { ROLE: 'api' } });
  planId = (await defineStarter((path, body) => ok(modules.api.post(path, body)), 'grants', 0)).planId;
}, 60_000);

async function ok<T = { id: string }>(request: Promise<{ status: number; body: unknown }>): Promise<T> {
  const { status, body } = await request;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}

async function subscribed(name: string, more: object) {
  const { id: customer } = await ok(modules.api.post('/customers', { external_id: `grants-${name}` }));
  const terms = { currency: 'usd', billing_period: 'MONTHLY', billing_cadence: 'RECURRING', plan_id: planId };
  const { id } = await ok(modules.api.post('/subscriptions', { customer_id: customer, ...terms, ...more }));
  return { customer, subscription: id };
}
const upcoming = async (subscription: string) => {
  const path = `/subscriptions/${subscription}/grants/upcoming`;
  const { items } = await ok<{ items: { application_status: string; scheduled_for: string; credits: number }[] }>(
    modules.api.get(path),
  );
  return items.map((one) => `${one.scheduled_for.slice(0, 10)} ${one.credits} ${one.application_status}`);
};
const applications = async (subscription: string) =>
  (
    await modules.run((tx) =>
      sql<{ said: string }>`
        select to_char(a.scheduled_for at time zone 'UTC', 'YYYY-MM-DD') || ' ' || a.status said
        from credit_grant_application a join subscription_grant g on g.id = a.grant_id
        where a.subscription_id = ${subscription} and g.plan_id is null order by a.scheduled_for`.execute(tx.db),
    )
  ).rows.map(({ said }) => said);

describe('a grant', () => {
  it('whose share of the credits rounds to nothing is skipped, and the next one is upcoming', async () => {
    const speck = {
      name: 'Speck',
      scope: 'SUBSCRIPTION',
      cadence: 'RECURRING',
      period: 'MONTHLY',
      credits: '0.000000000001',
    };
    const { subscription } = await subscribed('speck', {
      billing_cycle: 'calendar',
      proration_behavior: 'create_prorations',
      credit_grants: [speck],
    });
    expect(await applications(subscription)).toEqual(['2026-01-24 skipped', '2026-02-01 pending']);
    expect(await upcoming(subscription)).toContain('2026-02-01 1e-12 pending');
  });

  it('that nobody was there to give for three months is given once per step, each from its own instant', async () => {
    const { customer, subscription } = await subscribed('outage', {
      billing_cycle: 'anniversary',
      payment_terms: '90 NET',
    });
    expect(await upcoming(subscription)).toEqual(['2026-02-24 2000 pending']);
    const [wallet] = await ok<{ id: string }[]>(modules.api.get(`/customers/${customer}/wallets`));
    const alert_settings = { alert_enabled: true, critical: { threshold: 500, condition: 'below' } };
    await ok(modules.api.put(`/wallets/${wallet!.id}`, { alert_settings }));
    const later = new Date('2026-04-25T00:00:00Z');
    await modules.run((tx) =>
      sql`update environment set clock_at = ${later} where id = ${tx.scope.environmentId}`.execute(tx.db),
    );
    const happened = await modules.advanceTo('2026-04-25T00:00:01Z');
    expect(happened.filter((name) => name.startsWith('balance_alert'))).toEqual([]);
    const lots = await modules.run((tx) =>
      sql<{ said: string }>`
        select to_char(effective_at at time zone 'UTC', 'YYYY-MM-DD') || ' ' || granted::float said
        from lot where customer_id = ${customer} order by effective_at, granted`.execute(tx.db),
    );
    expect(lots.rows.map(({ said }) => said)).toEqual([
      '2026-01-24 2000',
      '2026-02-24 2000',
      '2026-03-24 2000',
      '2026-04-24 2000',
    ]);
    await ok(modules.api.post(`/subscriptions/${subscription}/cancel`, { cancellation_type: 'immediate' }));
    expect(await upcoming(subscription)).toEqual([]);
  });
});
