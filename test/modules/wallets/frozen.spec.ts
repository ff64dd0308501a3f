import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineStarter } from '../../../apps/demo/src/starter-plan.js';
import { startModules, type Modules } from '../../support/modules.js';

interface WalletBody {
  id: string;
  wallet_status: string;
  credit_balance: string;
  real_time_credit_balance: string;
  alert_state: string | null;
}

let modules: Modules;
let planId: string;
let customers = 0;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { ROLE: 'api' } });
  planId = (await defineStarter((path, body) => ok(modules.api.post(path, body)), 'frozen')).planId;
}, 60_000);

async function ok<T = WalletBody>(request: Promise<{ status: number; body: unknown }>): Promise<T> {
  const { status, body } = await request;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}
const balance = (wallet: string) => ok(modules.api.get(`/wallets/${wallet}/balance/real-time`));
const move = (wallet: string, verb: 'freeze' | 'unfreeze' | 'terminate') =>
  ok(modules.api.post(`/wallets/${wallet}/${verb}`));

/** A customer of the Starter plan, in its trial of 100 credits. */
async function subscriber(): Promise<{ customer: string; wallet: string; external: string }> {
  const external = `frozen-${++customers}`;
  const { id: customer } = await ok(modules.api.post('/customers', { external_id: external }));
  await ok(
    modules.api.post('/subscriptions', {
      customer_id: customer,
      plan_id: planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
    }),
  );
  const [wallet] = await ok<WalletBody[]>(modules.api.get(`/customers/${customer}/wallets`));
  return { customer, wallet: wallet!.id, external };
}
const enrich = async (external_customer_id: string, rows: number, id: string) => {
  const event = {
    event_name: 'contact_enrich',
    external_customer_id,
    event_id: id,
    properties: { rows: String(rows) },
  };
  return (await ok<{ credits_burned: string }>(modules.api.post('/events', event))).credits_burned;
};

describe('a frozen wallet', () => {
  it('keeps its credits and lets none out: no usage, debit, hold or top-up', async () => {
    const { customer, wallet, external } = await subscriber();
    expect(await move(wallet, 'freeze')).toMatchObject({ wallet_status: 'frozen', credit_balance: '100' });
    expect(await move(wallet, 'freeze')).toMatchObject({ wallet_status: 'frozen' });
    expect(await balance(wallet)).toMatchObject({ credit_balance: '100', real_time_credit_balance: '0' });
    expect(await enrich(external, 2, `${external}-1`)).toBe('0');
    const asked = await ok<{ allowed: boolean; reason: string }>(
      modules.api.post('/credits/authorize', {
        customer_id: customer,
        event_name: 'contact_enrich',
        properties: { rows: '1' },
      }),
    );
    expect(asked).toMatchObject({ allowed: false, reason: 'insufficient_credits' });
    for (const [path, body] of [
      ['debit', { credits: 1 }],
      ['top-up', { transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: 1 }],
    ] as const) {
      const refused = await modules.api.post(`/wallets/${wallet}/${path}`, body);
      expect([refused.status, refused.body.details.state]).toEqual([409, 'frozen']);
    }
    expect((await modules.api.delete(`/customers/${customer}`)).status).toBe(409);
    const found = await ok<{ items: WalletBody[] }>(modules.api.post('/wallets/search', { status: 'frozen' }));
    expect(found.items.map(({ id }) => id)).toContain(wallet);
  });

  it('pays, thawed, what usage was short of since', async () => {
    const { wallet, external } = await subscriber();
    await modules.advanceTo('2026-01-24T10:00:00Z');
    await move(wallet, 'freeze');
    expect(await enrich(external, 100, `${external}-1`)).toBe('0');
    await move(wallet, 'unfreeze');
    expect(await balance(wallet)).toMatchObject({ real_time_credit_balance: '1850' });
  });

  it('still gives what a hold keeps of it', async () => {
    const { customer, wallet } = await subscriber();
    const hold = await ok<{ id: string; credits_held: string }>(
      modules.api.post('/credits/authorize', {
        customer_id: customer,
        event_name: 'contact_enrich',
        properties: { rows: '10' },
      }),
    );
    await move(wallet, 'freeze');
    await ok(modules.api.post(`/credits/holds/${hold.id}/capture`, { properties: { rows: '12' } }));
    expect(await balance(wallet)).toMatchObject({ credit_balance: '85' });
  });

  it('takes what is granted, so that freezing opens no other wallet, and can be closed', async () => {
    const { customer, wallet } = await subscriber();
    await move(wallet, 'freeze');
    const { now } = await ok<{ now: string }>(modules.api.get('/clock'));
    await modules.advanceTo(new Date(Date.parse(now) + 14 * 86_400_000).toISOString());
    const wallets = await ok<WalletBody[]>(modules.api.get(`/customers/${customer}/wallets`));
    expect(wallets).toMatchObject([{ id: wallet, credit_balance: '2100' }]);
    expect(await move(wallet, 'terminate')).toMatchObject({ wallet_status: 'closed', credit_balance: '0' });
    for (const verb of ['freeze', 'unfreeze', 'terminate']) {
      expect((await modules.api.post(`/wallets/${wallet}/${verb}`)).status).toBe(409);
    }
  });

  it('tells no alert while it rests, and what it is like when it goes on', async () => {
    const { wallet } = await subscriber();
    const alert_settings = { alert_enabled: true, warning: { threshold: 50, condition: 'below' } };
    await ok(modules.api.put(`/wallets/${wallet}`, { alert_settings }));
    expect(await move(wallet, 'freeze')).toMatchObject({ alert_state: 'ok' });
    expect(await move(wallet, 'unfreeze')).toMatchObject({ alert_state: 'ok' });
  });
});

describe('a wallet that begins to allow usage', () => {
  it('pays what usage was short of', async () => {
    const { wallet, external } = await subscriber();
    const { now } = await ok<{ now: string }>(modules.api.get('/clock'));
    await modules.advanceTo(new Date(Date.parse(now) + 14 * 86_400_000 + 3_600_000).toISOString());
    const allow = (allowed_price_types: string[]) =>
      ok(modules.api.put(`/wallets/${wallet}`, { config: { allowed_price_types } }));
    await allow(['FIXED']);
    expect(await enrich(external, 20, `${external}-1`)).toBe('0');
    await allow(['ALL']);
    expect(await balance(wallet)).toMatchObject({ real_time_credit_balance: '1970' });
  });
});
