import { LedgerEntry, walletInvariants } from '@drawdown/wallets';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { defineStarter } from '../../../apps/demo/src/starter-plan.js';
import { startModules, type Modules } from '../../support/modules.js';
import { expectWireShape } from '../../support/wire-shape.js';

let modules: Modules;
let planId: string;
let made = 0;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { ROLE: 'api' } });
  const starter = await defineStarter((path, body) => created(path, body), 'wallets');
  planId = starter.planId;
}, 60_000);

interface Wallet {
  id: string;
  credit_balance: string;
  balance: string;
  wallet_status: string;
  name: string | null;
  conversion_rate: string;
  credits_available_breakdown: { free: string; purchased: string };
  [key: string]: unknown;
}

async function created<T = { id: string; meter_id: string }>(path: string, body: object): Promise<T> {
  const answer = await modules.api.post(path, body);
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.body as T;
}

async function customer(): Promise<string> {
  const { id } = await created('/customers', { external_id: `wallets-${++made}` });
  return id;
}

const open = (body: object) => created<Wallet>('/wallets', { currency: 'usd', ...body });
const get = async (id: string): Promise<Wallet> => (await modules.api.get(`/wallets/${id}`)).body as Wallet;
const ledger = async (id: string, query = '') =>
  (await modules.api.get(`/wallets/${id}/transactions${query}`)).body as {
    items: Record<string, string>[];
    pagination: { total: number };
  };
const subscribed = async (customerId: string) =>
  created('/subscriptions', {
    customer_id: customerId,
    plan_id: planId,
    currency: 'usd',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    billing_cycle: 'anniversary',
  });

describe('creating a wallet', () => {
  it('loads initial credits that expire, and answers every key of the wire', async () => {
    const wallet = await open({
      customer_id: await customer(),
      conversion_rate: '0.5',
      initial_credits_to_load: '40',
      initial_credits_expiry_date_utc: '2026-01-12T00:00:00Z',
      metadata: { team: 'a' },
    });
    expect(wallet).toMatchObject({
      credit_balance: '40',
      balance: '20',
      conversion_rate: '0.5',
      topup_conversion_rate: '0.5',
      wallet_type: 'PRE_PAID',
      wallet_status: 'active',
      config: { allowed_price_types: ['USAGE'] },
      credits_available_breakdown: { free: '40', purchased: '0' },
      auto_topup: null,
    });
    await expectWireShape('DtoWalletResponse', wallet);
    await expectWireShape('DtoListWalletTransactionsResponse', await ledger(wallet.id));
    const [entry] = (await ledger(wallet.id)).items;
    expect(entry).toMatchObject({
      type: 'credit',
      transaction_reason: 'FREE_CREDIT_GRANT',
      credit_amount: '40',
      amount: '20',
      credit_balance_before: '0',
      credit_balance_after: '40',
      credits_available: '40',
      expiry_date: '2026-01-12T00:00:00.000Z',
    });
  });

  it('takes the expiry as a day, at whose end it expires', async () => {
    const wallet = await open({
      customer_id: await customer(),
      initial_credits_to_load: '1',
      initial_credits_to_load_expiry_date: 20260131,
    });
    expect((await ledger(wallet.id)).items[0]!.expiry_date).toBe('2026-02-01T00:00:00.000Z');
  });

  it.each([
    ['wallet_type', { wallet_type: 'POST_PAID' }],
    ['auto_topup.threshold', { auto_topup: { enabled: true, amount: 2000 } }],
    ['conversion_rate', { conversion_rate: '0' }],
    ['conversion_rate', { conversion_rate: 'NaN' }],
    ['initial_credits_to_load', { initial_credits_to_load: '-1' }],
    ['initial_credits_to_load', { initial_credits_to_load: '1000000000000001' }],
    ['initial_credits_expiry_date_utc', { initial_credits_expiry_date_utc: '2026-01-10T09:00:00Z' }],
    ['initial_credits_to_load_expiry_date', { initial_credits_to_load_expiry_date: 20260230 }],
    ['currency', { currency: 'usdollar' }],
    ['colour', { colour: 'red' }],
  ])('refuses a bad %s and makes nothing', async (field, body) => {
    const id = await customer();
    const refused = await modules.api.post('/wallets', { customer_id: id, currency: 'usd', ...body });
    expect([refused.status, refused.body.details.field]).toEqual([400, field]);
    expect((await modules.api.get(`/customers/${id}/wallets`)).body).toEqual([]);
  });

  it('keeps its settings, and is found by them', async () => {
    const wallet = await open({
      customer_id: await customer(),
      auto_topup: { enabled: false, amount: 2000, threshold: 200.5, invoicing: true },
      alert_settings: { alert_enabled: true, critical: { threshold: 10, condition: 'below' } },
    });
    expect(wallet.auto_topup).toMatchObject({ enabled: false, amount: '2000', threshold: '200.5', invoicing: true });
    expect(wallet.alert_settings).toMatchObject({
      alert_enabled: true,
      critical: { threshold: '10', condition: 'below' },
    });
    const alerting = await created<{ items: Wallet[] }>('/wallets/search', { alert_enabled: true });
    expect(alerting.items.map((one) => one.id)).toEqual([wallet.id]);
  });

  it('shares one rate per customer and currency: another is 409, another currency is not', async () => {
    const id = await customer();
    await open({ customer_id: id, conversion_rate: '0.5' });
    const refused = await modules.api.post('/wallets', { customer_id: id, currency: 'usd', conversion_rate: '1' });
    expect([refused.status, refused.body.details.field]).toEqual([409, 'conversion_rate']);
    expect((await open({ customer_id: id, currency: 'eur', conversion_rate: '1' })).conversion_rate).toBe('1');
    expect((await open({ customer_id: id })).conversion_rate).toBe('0.5');
  });

  it('of an unknown customer, or of one of another environment, is 404', async () => {
    expect((await modules.api.post('/wallets', { customer_id: 'nobody', currency: 'usd' })).status).toBe(404);
  });
});

describe('a grant', () => {
  it('opens a wallet where there is none; the first POST completes it, the next adds one', async () => {
    const id = await customer();
    await subscribed(id);
    const [opened] = (await modules.api.get(`/customers/${id}/wallets`)).body as Wallet[];
    expect(opened).toMatchObject({ credit_balance: '100', conversion_rate: '1', name: null });
    const refused = await modules.api.post('/wallets', { customer_id: id, currency: 'usd', conversion_rate: '2' });
    expect(refused.status).toBe(409);
    const completed = await open({
      customer_id: id,
      conversion_rate: '1',
      topup_conversion_rate: '0.9',
      initial_credits_to_load: '5',
      name: 'Main',
    });
    expect(completed).toMatchObject({
      id: opened!.id,
      name: 'Main',
      topup_conversion_rate: '0.9',
      credit_balance: '105',
    });
    expect((await open({ customer_id: id, conversion_rate: '1' })).id).not.toBe(opened!.id);
  });

  it("goes to the customer's oldest active wallet of the currency", async () => {
    const id = await customer();
    await open({ customer_id: id, currency: 'eur' });
    const closed = await open({ customer_id: id });
    await modules.api.post(`/wallets/${closed.id}/terminate`);
    const oldest = await open({ customer_id: id });
    await open({ customer_id: id });
    await subscribed(id);
    expect((await get(oldest.id)).credit_balance).toBe('100');
  });
});

describe('a debit', () => {
  it('draws in burn order, all or nothing, and once per idempotency key', async () => {
    const wallet = await open({ customer_id: await customer(), initial_credits_to_load: '10' });
    const body = { credits: '4', idempotency_key: 'once', description: 'by hand' };
    for (const _ of [1, 2])
      expect((await created<Wallet>(`/wallets/${wallet.id}/debit`, body)).credit_balance).toBe('6');
    const other = await modules.api.post(`/wallets/${wallet.id}/debit`, { ...body, credits: '5' });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
    const tooMuch = await modules.api.post(`/wallets/${wallet.id}/debit`, { credits: '6.000000000001' });
    expect([tooMuch.status, tooMuch.body.details]).toEqual([409, { field: 'credits', available: '6' }]);
    expect((await ledger(wallet.id, '?type=debit')).items).toMatchObject([
      { transaction_reason: 'MANUAL_BALANCE_DEBIT', credit_amount: '4', description: 'by hand', kind: 'debit' },
    ]);
  });

  it('of the last credits at once from many sides succeeds exactly as often as they suffice', async () => {
    const wallet = await open({ customer_id: await customer(), initial_credits_to_load: '10' });
    const debits = Array.from({ length: 12 }, () =>
      modules.api.post(`/wallets/${wallet.id}/debit`, { credits: '1.5' }),
    );
    const statuses = (await Promise.all(debits)).map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(6);
    expect(statuses.filter((status) => status === 409)).toHaveLength(6);
    expect((await get(wallet.id)).credit_balance).toBe('1');
  });
});

describe('terminating', () => {
  it('writes off the rest, closes for good, and shows it', async () => {
    const wallet = await open({ customer_id: await customer(), initial_credits_to_load: '10' });
    const closed = await created<Wallet>(`/wallets/${wallet.id}/terminate`, {});
    expect(closed).toMatchObject({ wallet_status: 'closed', credit_balance: '0' });
    expect((await ledger(wallet.id)).items[0]).toMatchObject({
      transaction_reason: 'WALLET_TERMINATION',
      credit_amount: '10',
    });
    for (const [method, path, body] of [
      ['post', `/wallets/${wallet.id}/terminate`, {}],
      ['post', `/wallets/${wallet.id}/debit`, { credits: '1' }],
      ['put', `/wallets/${wallet.id}`, { name: 'again' }],
    ] as const) {
      expect((await modules.api[method](path, body)).status).toBe(409);
    }
  });
});

describe('expiry', () => {
  it('takes a lot out of the spendable balance at its instant, and out of the ledger an hour later', async () => {
    const wallet = await open({
      customer_id: await customer(),
      initial_credits_to_load: '60',
      initial_credits_expiry_date_utc: '2026-01-11T00:00:00Z',
    });
    await modules.advanceTo('2026-01-10T23:59:59.999Z');
    expect(await get(wallet.id)).toMatchObject({ credit_balance: '60', credits_available_breakdown: { free: '60' } });
    await modules.advanceTo('2026-01-11T00:00:00Z');
    expect(await get(wallet.id)).toMatchObject({ credit_balance: '60', credits_available_breakdown: { free: '0' } });
    expect(await modules.advanceTo('2026-01-11T00:59:59.999Z')).not.toContain('credits.written_off');
    expect(await modules.advanceTo('2026-01-11T01:00:00Z')).toContain('credits.written_off');
    expect(await get(wallet.id)).toMatchObject({ credit_balance: '0' });
    expect((await ledger(wallet.id)).items[0]).toMatchObject({
      transaction_reason: 'CREDIT_EXPIRED',
      credit_amount: '60',
    });
  });
});

describe('the ledger', () => {
  it.each(['update ledger_entry set credits = 1', 'delete from ledger_entry', 'truncate ledger_entry'])(
    'refuses: %s',
    async (statement) => {
      await open({ customer_id: await customer(), initial_credits_to_load: '10' });
      await expect(modules.run((tx) => sql.raw(statement).execute(tx.db))).rejects.toThrow('append-only');
    },
  );

  it('shows a change that was forced past the trigger', async () => {
    const wallet = await open({ customer_id: await customer(), initial_credits_to_load: '10' });
    const broken = await modules.run(async (tx) => {
      const entry = await tx.em.findOneOrFail(LedgerEntry, { walletId: wallet.id });
      await sql`set local session_replication_role = replica`.execute(tx.db);
      await sql`update ledger_entry set description = 'forged' where id = ${entry.id}`.execute(tx.db);
      const chain = walletInvariants.find(({ name }) => name.includes('hash chain'))!;
      const violations = await chain.check(tx.db);
      await sql`update ledger_entry set description = null where id = ${entry.id}`.execute(tx.db);
      return violations;
    });
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain('was changed');
  });

  it('pages newest first, and filters', async () => {
    const wallet = await open({ customer_id: await customer(), initial_credits_to_load: '10' });
    for (const credits of ['1', '2', '3']) await created(`/wallets/${wallet.id}/debit`, { credits });
    const page = await ledger(wallet.id, '?limit=2&offset=1');
    expect(page.pagination).toEqual({ total: 4, limit: 2, offset: 1 });
    expect(page.items.map((one) => one.credit_amount)).toEqual(['2', '1']);
    expect((await ledger(wallet.id, '?type=credit')).pagination.total).toBe(1);
    expect((await ledger(wallet.id, '?credits_available_gt=4')).pagination.total).toBe(0);
    expect((await ledger(wallet.id, '?credits_available_gt=3')).pagination.total).toBe(1);
    expect((await ledger(wallet.id, '?transaction_status=pending')).pagination.total).toBe(0);
    expect((await modules.api.get(`/wallets/${wallet.id}/transactions?nonsense=1`)).status).toBe(400);
    const all = await created<{ pagination: { total: number } }>('/wallets/transactions/search', {
      transaction_reason: 'MANUAL_BALANCE_DEBIT',
      limit: 1,
    });
    expect(all.pagination.total).toBeGreaterThanOrEqual(3);
  });
});

describe('a customer', () => {
  it('lists its wallets by either id, and can not be deleted while one is open', async () => {
    const id = await customer();
    const wallet = await open({ customer_id: id });
    const byKey = await modules.api.get(
      `/customers/wallets?lookup_key=wallets-${made}&include_real_time_balance=false`,
    );
    expect((byKey.body as Wallet[]).map((one) => one.id)).toEqual([wallet.id]);
    expect((await modules.api.get('/customers/wallets')).status).toBe(400);
    expect((await modules.api.delete(`/customers/${id}`)).status).toBe(409);
    await modules.api.post(`/wallets/${wallet.id}/terminate`);
    expect((await modules.api.delete(`/customers/${id}`)).status).toBe(204);
  });
});
