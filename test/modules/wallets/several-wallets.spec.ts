import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../../support/modules.js';

let modules: Modules;
let customers = 0;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { ROLE: 'api' } });
}, 60_000);

async function ok<T = { id: string }>(request: Promise<{ status: number; body: unknown }>): Promise<T> {
  const { status, body } = await request;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}
const customer = async () => (await ok(modules.api.post('/customers', { external_id: `several-${++customers}` }))).id;
const open = async (customer_id: string, more: object = {}) =>
  (await ok(modules.api.post('/wallets', { customer_id, currency: 'usd', ...more }))).id;
const topUp = (wallet: string, transaction_reason: string, more: object = {}) =>
  ok<{ invoice_id: string | null }>(
    modules.api.post(`/wallets/${wallet}/top-up`, { transaction_reason, credits_to_add: 10, ...more }),
  );
const FREE = 'FREE_CREDIT_GRANT';
const BOUGHT = 'PURCHASED_CREDIT_DIRECT';
const left = async (wallet: string) =>
  (await ok<{ real_time_credit_balance: string }>(modules.api.get(`/wallets/${wallet}/balance/real-time`)))
    .real_time_credit_balance;
const keep = (customer_id: string, credits: number) =>
  ok<{ id: string; allowed: boolean; reason: string | null }>(
    modules.api.post('/credits/authorize', { customer_id, credits: String(credits) }),
  );

describe('several wallets of a customer', () => {
  it('are drawn lot by lot: priority, then the sooner expiry, then what was given before what was bought', async () => {
    const who = await customer();
    const [bought, given, expiring, preferred] = [await open(who), await open(who), await open(who), await open(who)];
    await topUp(bought, BOUGHT);
    await topUp(given, FREE);
    await topUp(expiring, BOUGHT, { expiry_date_utc: '2026-03-01T00:00:00Z' });
    await topUp(preferred, BOUGHT, { priority: 1 });
    const all = async () => Promise.all([preferred, expiring, given, bought].map(left));
    await keep(who, 12);
    expect(await all()).toEqual(['0', '8', '10', '10']);
    await keep(who, 12);
    expect(await all()).toEqual(['0', '0', '6', '10']);
    await keep(who, 12);
    expect(await all()).toEqual(['0', '0', '0', '4']);
    expect(await keep(who, 5)).toMatchObject({ allowed: false, reason: 'insufficient_credits' });
  });

  it('that pay fees only, are of another currency, frozen or closed give nothing for usage', async () => {
    const who = await customer();
    const usage = await open(who, { initial_credits_to_load: '10' });
    const fees = await open(who, { initial_credits_to_load: '10', config: { allowed_price_types: ['FIXED'] } });
    const euros = await open(who, { initial_credits_to_load: '10', currency: 'eur' });
    const frozen = await open(who, { initial_credits_to_load: '10' });
    const closed = await open(who, { initial_credits_to_load: '10' });
    await ok(modules.api.post(`/wallets/${frozen}/freeze`));
    await ok(modules.api.post(`/wallets/${closed}/terminate`));
    const of = { customer_id: who, currency: 'usd', hold: false };
    expect(await ok(modules.api.post('/credits/authorize', { ...of, credits: '10.1' }))).toMatchObject({
      allowed: false,
      balance: '10',
    });
    expect(await ok(modules.api.post('/credits/authorize', { ...of, credits: '10' }))).toMatchObject({ allowed: true });
    expect(await Promise.all([usage, fees, euros].map(left))).toEqual(['10', '10', '10']);
  });
});

describe('a wallet closed with things open', () => {
  it('lets a hold take what it keeps, and writes off what the hold lets go of', async () => {
    const who = await customer();
    const wallet = await open(who, { initial_credits_to_load: '10' });
    const { id } = await keep(who, 6);
    await ok(modules.api.post(`/wallets/${wallet}/terminate`));
    const held = await ok<{ credit_balance: string }>(modules.api.get(`/wallets/${wallet}`));
    expect([held.credit_balance, await left(wallet)]).toEqual(['6', '0']);
    await ok(modules.api.post(`/credits/holds/${id}/capture`, { credits: '4' }));
    expect(await ok(modules.api.get(`/wallets/${wallet}`))).toMatchObject({ credit_balance: '0' });
    const { items } = await ok<{ items: { kind: string; credit_amount: string }[] }>(
      modules.api.get(`/wallets/${wallet}/transactions?order=asc`),
    );
    expect(items.map((entry) => `${entry.kind} ${entry.credit_amount}`)).toEqual([
      'add 10',
      'terminate 4',
      'debit 4',
      'write_off 2',
    ]);
  });

  it('has its unpaid orders withdrawn', async () => {
    const who = await customer();
    const wallet = await open(who);
    const { invoice_id } = await topUp(wallet, 'PURCHASED_CREDIT_INVOICED');
    await ok(modules.api.post(`/wallets/${wallet}/terminate`));
    expect(await ok(modules.api.get(`/invoices/${invoice_id}`))).toMatchObject({ invoice_status: 'VOIDED' });
  });
});
