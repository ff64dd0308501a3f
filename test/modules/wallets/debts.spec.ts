import { Decimal } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { CreditReversals, Lot } from '@drawdown/wallets';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../../support/modules.js';

interface WalletBody {
  id: string;
  customer_id: string;
  credit_balance: string;
  credit_debt: string;
  real_time_credit_balance: string;
}

let modules: Modules;
let made = 0;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { ROLE: 'api' } });
}, 60_000);

async function ok<T = WalletBody>(request: Promise<{ status: number; body: unknown }>): Promise<T> {
  const { status, body } = await request;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}

const open = async (customer_id?: string) => {
  const id = customer_id ?? (await ok(modules.api.post('/customers', { external_id: `debts-${++made}` }))).id;
  return ok(modules.api.post('/wallets', { customer_id: id, currency: 'usd' }));
};
const topUp = (wallet: string, credits: number, reason = 'PURCHASED_CREDIT_DIRECT', more: object = {}) =>
  ok<{ wallet_transaction: { lot_id: string } }>(
    modules.api.post(`/wallets/${wallet}/top-up`, { transaction_reason: reason, credits_to_add: credits, ...more }),
  );
const spend = (wallet: string, credits: number) => ok(modules.api.post(`/wallets/${wallet}/debit`, { credits }));
const balance = (wallet: string) => ok(modules.api.get(`/wallets/${wallet}/balance/real-time`));
const authorize = (customer_id: string, credits: number) =>
  ok<{ id: string | null; allowed: boolean; reason: string | null }>(
    modules.api.post('/credits/authorize', { customer_id, credits: String(credits) }),
  );
const ledger = async (wallet: string) => {
  const { items } = await ok<{ items: { kind: string; type: string; credit_amount: string }[] }>(
    modules.api.get(`/wallets/${wallet}/transactions?order=asc`),
  );
  return items.map(({ kind, type, credit_amount }) => `${kind} ${type === 'debit' ? '-' : ''}${credit_amount}`);
};

/** As invoicing does it: under the customer's lock. */
const reverse = (
  wallet: { customer_id: string },
  how: 'refund' | 'lose',
  lotId: string,
  credits: number,
  key = `reversal-${++made}`,
) =>
  modules.run(async (tx) => {
    await modules.get(CustomersService).lock(tx, [wallet.customer_id]);
    await modules.get(CreditReversals)[how](tx, { lotId, credits: new Decimal(credits), key });
    return key;
  });
const restore = (wallet: { customer_id: string }, key: string) =>
  modules.run(async (tx) => {
    await modules.get(CustomersService).lock(tx, [wallet.customer_id]);
    await modules.get(CreditReversals).restore(tx, key);
  });

/** 100 credits bought, so many of them spent. */
async function bought({ spent }: { spent: number }) {
  const wallet = await open();
  const { lot_id: lot } = (await topUp(wallet.id, 100)).wallet_transaction;
  if (spent > 0) await spend(wallet.id, spent);
  return { wallet, lot };
}

describe('a refund of bought credits', () => {
  it('takes what the lot still has unheld, once, and is refused above that', async () => {
    const { wallet, lot } = await bought({ spent: 30 });
    await authorize(wallet.customer_id, 20);
    await expect(reverse(wallet, 'refund', lot, 51)).rejects.toMatchObject({
      status: 409,
      details: { available: '50' },
    });
    const key = await reverse(wallet, 'refund', lot, 50);
    await reverse(wallet, 'refund', lot, 50, key);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '20', credit_debt: '0' });
    expect(await ledger(wallet.id)).toEqual(['add 100', 'debit -30', 'reversal -50']);
  });

  it('that fails after all gives the credits back, once', async () => {
    const { wallet, lot } = await bought({ spent: 30 });
    const key = await reverse(wallet, 'refund', lot, 70);
    await restore(wallet, key);
    await restore(wallet, key);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '70', real_time_credit_balance: '70' });
    expect(await ledger(wallet.id)).toEqual(['add 100', 'debit -30', 'reversal -70', 'reversal_return 70']);
  });

  it('counts what an expired hold kept', async () => {
    const { wallet, lot } = await bought({ spent: 0 });
    const { customer_id } = wallet;
    await ok(modules.api.post('/credits/authorize', { customer_id, credits: '60', expires_in_seconds: 60 }));
    await expect(reverse(wallet, 'refund', lot, 100)).rejects.toMatchObject({ status: 409 });
    const { now } = await ok<{ now: string }>(modules.api.get('/clock'));
    await modules.run((tx) =>
      sql`update environment set clock_at = ${new Date(Date.parse(now) + 61_000)} where id = ${tx.scope.environmentId}`.execute(
        tx.db,
      ),
    );
    await reverse(wallet, 'refund', lot, 100);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '0' });
  });
});

describe('money taken from outside', () => {
  it('takes what is there; the rest is a debt, shown, which refuses authorization', async () => {
    const { wallet, lot } = await bought({ spent: 70 });
    await topUp(wallet.id, 500, 'FREE_CREDIT_GRANT');
    await reverse(wallet, 'lose', lot, 100);
    expect(await balance(wallet.id)).toMatchObject({
      credit_balance: '500',
      real_time_credit_balance: '500',
      credit_debt: '70',
    });
    expect(await authorize(wallet.customer_id, 1)).toMatchObject({ allowed: false, reason: 'wallet_debt', id: null });
    await topUp(wallet.id, 5, 'FREE_CREDIT_GRANT');
    expect(await balance(wallet.id)).toMatchObject({ credit_debt: '70' });
  });

  it('is paid first by the next purchased credits, in whichever wallet of the currency', async () => {
    const { wallet, lot } = await bought({ spent: 100 });
    await reverse(wallet, 'lose', lot, 100);
    await topUp(wallet.id, 40);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '0', credit_debt: '60' });
    expect(await authorize(wallet.customer_id, 1)).toMatchObject({ reason: 'wallet_debt' });
    const second = await open(wallet.customer_id);
    await topUp(second.id, 100);
    expect(await balance(second.id)).toMatchObject({ credit_balance: '40', credit_debt: '0' });
    expect(await balance(wallet.id)).toMatchObject({ credit_debt: '0' });
    expect(await authorize(wallet.customer_id, 40)).toMatchObject({ allowed: true });
    expect(await ledger(second.id)).toEqual(['add 100', 'debt_payment -60']);
  });

  it('is lost once for the credits that were bought', async () => {
    const { wallet, lot } = await bought({ spent: 100 });
    await reverse(wallet, 'lose', lot, 60);
    await reverse(wallet, 'lose', lot, 60);
    await reverse(wallet, 'lose', lot, 60);
    expect(await balance(wallet.id)).toMatchObject({ credit_debt: '100' });
  });

  it('and given back undoes all of it: what was taken, what is owed, and what was paid of it', async () => {
    const { wallet, lot } = await bought({ spent: 70 });
    const key = await reverse(wallet, 'lose', lot, 100);
    await topUp(wallet.id, 50);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '0', credit_debt: '20' });
    await restore(wallet, key);
    await restore(wallet, key);
    expect(await balance(wallet.id)).toMatchObject({
      credit_balance: '80',
      real_time_credit_balance: '80',
      credit_debt: '0',
    });
    expect(await ledger(wallet.id)).toEqual([
      'add 100',
      'debit -70',
      'reversal -30',
      'add 50',
      'debt_payment -50',
      'reversal_return 30',
      'debt_return 50',
    ]);
  });

  it('of a closed wallet is a debt too, and what comes back to it is written off', async () => {
    const { wallet, lot } = await bought({ spent: 70 });
    const key = await reverse(wallet, 'lose', lot, 20);
    await ok(modules.api.post(`/wallets/${wallet.id}/terminate`));
    await reverse(wallet, 'lose', lot, 80);
    expect(await ok(modules.api.get(`/wallets/${wallet.id}`))).toMatchObject({
      credit_balance: '0',
      credit_debt: '80',
    });
    await restore(wallet, key);
    expect(await ok(modules.api.get(`/wallets/${wallet.id}`))).toMatchObject({
      credit_balance: '0',
      credit_debt: '80',
    });
  });

  it('leaves what holds keep to them', async () => {
    const { wallet, lot } = await bought({ spent: 0 });
    const { id } = await authorize(wallet.customer_id, 30);
    await reverse(wallet, 'lose', lot, 100);
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '30', credit_debt: '30' });
    await ok(modules.api.post(`/credits/holds/${id}/capture`, {}));
    expect(await balance(wallet.id)).toMatchObject({ credit_balance: '0', credit_debt: '30' });
  });
});

describe('the database', () => {
  it('refuses a debt below zero and a refund that took less than it says', async () => {
    const { wallet, lot } = await bought({ spent: 100 });
    const set = modules.run((tx) => sql`update wallet set debt = -1 where id = ${wallet.id}`.execute(tx.db));
    await expect(set).rejects.toThrow('wallet_debt_check');
    const { id } = await modules.run((tx) => tx.em.findOneOrFail(Lot, { id: lot }));
    await reverse(wallet, 'lose', id, 10);
    const claim = modules.run((tx) =>
      sql`update credit_reversal set kind = 'refund' where lot_id = ${lot}`.execute(tx.db),
    );
    await expect(claim).rejects.toThrow('check');
  });
});
