import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../../support/modules.js';

interface WalletBody {
  id: string;
  alert_state: string | null;
  wallet_status: string;
}

let modules: Modules;
let customers = 0;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z', env: { ROLE: 'api' } });
}, 60_000);

async function ok<T = WalletBody>(request: Promise<{ status: number; body: unknown }>): Promise<T> {
  const { status, body } = await request;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}

const below = (threshold: number) => ({ threshold, condition: 'below' });
const SETTINGS = { alert_enabled: true, critical: below(10), warning: below(50), info: below(100) };

/** 200 credits, with alerts at 100, 50 and 10. */
async function watched(more: object = {}): Promise<string> {
  const { id: customer_id } = await ok(modules.api.post('/customers', { external_id: `alerts-${++customers}` }));
  const body = { customer_id, currency: 'usd', initial_credits_to_load: '200', alert_settings: SETTINGS, ...more };
  return (await ok(modules.api.post('/wallets', body))).id;
}
const debit = (wallet: string, credits: number | string) =>
  ok(modules.api.post(`/wallets/${wallet}/debit`, { credits }));
const give = (wallet: string, credits: number) =>
  ok(
    modules.api.post(`/wallets/${wallet}/top-up`, { transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: credits }),
  );
const alertState = async (wallet: string) => (await ok(modules.api.get(`/wallets/${wallet}`))).alert_state;
/** What was announced of a wallet: `raised warning 40`. */
const told = async (wallet: string): Promise<string[]> => {
  const found = await modules.run((tx) =>
    sql<{ told: string }>`
      select replace(name, 'balance_alert.', '') || ' ' || (payload ->> 'level') || ' ' || (payload ->> 'balance') told
      from outbox_event where payload ->> 'wallet_id' = ${wallet} and name like 'balance\\_alert.%' order by seq`.execute(
      tx.db,
    ),
  );
  return found.rows.map((row) => row.told);
};
/** What the ledger's hot path keeps beside the balance. */
const marks = async (wallet: string) => {
  const found = await modules.run((tx) =>
    sql<Record<string, string | null>>`
      select spendable::float::text spendable, watch_low::float::text low, watch_high::float::text high
      from wallet where id = ${wallet}`.execute(tx.db),
  );
  return found.rows[0];
};

describe('a low balance', () => {
  it('is told once per threshold crossed, with the level that holds, and once when it recovers', async () => {
    const wallet = await watched();
    expect(await alertState(wallet)).toBe('ok');
    await debit(wallet, 99);
    expect(await told(wallet)).toEqual([]);
    expect((await debit(wallet, 1)).alert_state).toBe('info');
    await debit(wallet, 10);
    await debit(wallet, 10);
    expect(await told(wallet)).toEqual(['raised info 100']);
    await debit(wallet, 75);
    expect(await alertState(wallet)).toBe('in_alarm');
    expect(await told(wallet)).toEqual(['raised info 100', 'raised critical 5']);
    await give(wallet, 60);
    expect(await alertState(wallet)).toBe('info');
    await give(wallet, 1000);
    expect(await told(wallet)).toEqual([
      'raised info 100',
      'raised critical 5',
      'recovered info 65',
      'recovered ok 1065',
    ]);
  });

  it('is what can be spent: holds count, and let go of it again', async () => {
    const wallet = await watched();
    const { customer_id } = await ok<{ customer_id: string }>(modules.api.get(`/wallets/${wallet}`));
    const hold = await ok<{ id: string }>(
      modules.api.post('/credits/authorize', { customer_id, credits: '160', expires_in_seconds: 60 }),
    );
    expect(await alertState(wallet)).toBe('warning');
    await ok(modules.api.post(`/credits/holds/${hold.id}/release`, {}));
    expect(await told(wallet)).toEqual(['raised warning 40', 'recovered ok 200']);
  });

  it('is told at the instant credits expire, not when they are written off', async () => {
    const wallet = await watched({ initial_credits_expiry_date_utc: '2026-01-10T10:00:00Z' });
    await give(wallet, 20);
    await modules.advanceTo('2026-01-10T09:59:59Z');
    expect(await alertState(wallet)).toBe('ok');
    await modules.advanceTo('2026-01-10T10:00:00Z');
    expect(await told(wallet)).toEqual(['raised warning 20']);
    await modules.advanceTo('2026-01-10T12:00:00Z');
    expect(await told(wallet)).toHaveLength(1);
  });

  it('is not told when it is low only in the middle of a transaction', async () => {
    const wallet = await watched();
    const { customer_id } = await ok<{ customer_id: string }>(modules.api.get(`/wallets/${wallet}`));
    const holds = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        ok<{ allowed: boolean }>(
          modules.api.post('/credits/authorize', {
            customer_id,
            credits: '4.95',
            idempotency_key: `alerts-${wallet}-${n}`,
          }),
        ),
      ),
    );
    expect(holds.every(({ allowed }) => allowed)).toBe(true);
    expect(await told(wallet)).toEqual([]);
    expect(await marks(wallet)).toEqual({ spendable: '101', low: '100', high: null });
  });

  it('may be a high one: the condition says which way a threshold is crossed', async () => {
    const wallet = await watched({
      alert_settings: { alert_enabled: true, warning: { threshold: 500, condition: 'above' } },
    });
    await give(wallet, 299);
    expect(await told(wallet)).toEqual([]);
    await give(wallet, 1);
    await debit(wallet, '0.5');
    expect(await told(wallet)).toEqual(['raised warning 500', 'recovered ok 499.5']);
  });
});

describe('the settings of alerts', () => {
  const set = (wallet: string, alert_settings: object) => ok(modules.api.put(`/wallets/${wallet}`, { alert_settings }));

  it('are looked at when they change; a threshold is taken away with null, what is left out stays', async () => {
    const wallet = await watched({ alert_settings: { ...SETTINGS, alert_enabled: false } });
    await debit(wallet, 160);
    expect([await alertState(wallet), await told(wallet)]).toEqual([null, []]);
    expect(await marks(wallet)).toEqual({ spendable: null, low: null, high: null });
    expect((await set(wallet, { alert_enabled: true })).alert_state).toBe('warning');
    expect((await set(wallet, { warning: null })).alert_state).toBe('info');
    expect(await told(wallet)).toEqual(['raised warning 40', 'recovered info 40']);
  });

  it('switched off tell nothing, and begin anew when they are switched on', async () => {
    const wallet = await watched();
    await debit(wallet, 195);
    await set(wallet, { alert_enabled: false });
    expect(await told(wallet)).toEqual(['raised critical 5']);
    await set(wallet, { alert_enabled: true });
    expect(await told(wallet)).toEqual(['raised critical 5', 'raised critical 5']);
  });
});
