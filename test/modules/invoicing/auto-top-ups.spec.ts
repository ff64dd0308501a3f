import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { declined, InvoicingWorld, lost, succeeded } from './invoicing-world.js';

interface WalletBody {
  id: string;
  credit_balance: string;
  wallet_status: string;
  auto_topup: Record<string, unknown> | null;
  auto_topup_state: {
    status: string;
    reason: string | null;
    next_attempt_at: string | null;
    last_attempt_at: string | null;
    invoice_id: string | null;
    failures: number;
    last_failure: string | null;
    stopped_at: string | null;
  };
}

let world: InvoicingWorld;
const RULE = { enabled: true, threshold: 200, amount: 2000 };

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

/** 250 credits at first, a cent each to buy: 2,000 cost 20. */
async function buyer({ card = true, rule = {}, more = {} } = {}): Promise<{ customer: string; wallet: string }> {
  const customer = await world.customer({ card });
  const { id: wallet } = await world.ok<WalletBody>(
    world.modules.api.post('/wallets', {
      customer_id: customer,
      currency: 'usd',
      topup_conversion_rate: '0.01',
      initial_credits_to_load: '250',
      auto_topup: { ...RULE, ...rule },
      ...more,
    }),
  );
  return { customer, wallet };
}
const debit = (wallet: string, credits: number) =>
  world.ok<WalletBody>(world.modules.api.post(`/wallets/${wallet}/debit`, { credits }));
const put = (wallet: string, autoTopup: object) =>
  world.ok<WalletBody>(world.modules.api.put(`/wallets/${wallet}`, { auto_topup: autoTopup }));
const read = (wallet: string) => world.ok<WalletBody>(world.modules.api.get(`/wallets/${wallet}`));
const state = async (wallet: string) => (await read(wallet)).auto_topup_state;
const chargesOf = (customer: string) => world.gateway.charged.filter((request) => request.customerId === customer);
const invoicesOf = async (customer: string) =>
  (
    await world.ok<{ items: { id: string; invoice_status: string; amount_due: string; payment_status: string }[] }>(
      world.modules.api.post('/invoices/search', { customer_id: customer, order: 'asc' }),
    )
  ).items;
const told = (wallet: string) =>
  world.rows<{ name: string; retry: boolean | null; failures: number | null }>(sql`
    select name, (payload ->> 'retry')::boolean retry, (payload ->> 'failures')::int failures from outbox_event
    where payload ->> 'wallet_id' = ${wallet} and name like 'auto\\_top\\_up.%' and name not like '%.fell\\_due' order by seq`);
const minutesFrom = (at: string, minutes: number) => new Date(Date.parse(at) + minutes * 60_000).toISOString();

describe('a wallet whose balance falls to its threshold', () => {
  it('buys credits by the saved card, once, and only then', async () => {
    const { customer, wallet } = await buyer();
    const before = await debit(wallet, 49);
    expect(before.auto_topup_state).toMatchObject({ status: 'ready', last_attempt_at: null });
    const after = await debit(wallet, 1);
    expect(after.auto_topup_state).toMatchObject({ status: 'in_progress', failures: 0 });
    await world.settled();
    expect(chargesOf(customer)).toMatchObject([{ amount: '20', currency: 'usd' }]);
    expect(await read(wallet)).toMatchObject({
      credit_balance: '2200',
      auto_topup_state: { status: 'ready', invoice_id: null, last_attempt_at: after.auto_topup_state.last_attempt_at },
    });
    expect(await told(wallet)).toMatchObject([{ name: 'auto_top_up.ordered', retry: false }]);
    await debit(wallet, 100);
    await world.settled();
    expect(await invoicesOf(customer)).toHaveLength(1);
  });

  it('buys once though fifty spend it at the same moment', async () => {
    const { customer, wallet } = await buyer();
    await Promise.all(Array.from({ length: 50 }, () => debit(wallet, 3)));
    await world.settled();
    expect(chargesOf(customer)).toHaveLength(1);
    expect(await read(wallet)).toMatchObject({ credit_balance: '2100' });
  });

  it('buys when it is switched on, and right away in a new wallet', async () => {
    const { customer, wallet } = await buyer({ rule: { enabled: false }, more: { initial_credits_to_load: '150' } });
    expect(await state(wallet)).toMatchObject({ status: 'off' });
    expect((await put(wallet, { enabled: true })).auto_topup_state.status).toBe('in_progress');
    await world.settled();
    expect([chargesOf(customer).length, (await read(wallet)).credit_balance]).toEqual([1, '2150']);
    const second = await buyer({ more: { initial_credits_to_load: '0' } });
    expect(await state(second.wallet)).toMatchObject({ status: 'in_progress' });
    await world.settled();
    expect(await read(second.wallet)).toMatchObject({ credit_balance: '2000' });
  });

  it('buys at the instant at which its credits expire, not when they are written off', async () => {
    const { customer, wallet } = await buyer({ more: { initial_credits_expiry_date_utc: '2026-01-20T00:00:00Z' } });
    const { now } = await world.ok<{ now: string }>(world.modules.api.get('/clock'));
    expect(Date.parse(now)).toBeLessThan(Date.parse('2026-01-20T00:00:00Z'));
    await world.modules.advanceTo('2026-01-20T00:00:00Z');
    expect(chargesOf(customer)).toHaveLength(1);
    expect(await read(wallet)).toMatchObject({ auto_topup_state: { last_attempt_at: '2026-01-20T00:00:00.000Z' } });
  });

  it('waits for the cooldown, and for the cap of a day', async () => {
    const { customer, wallet } = await buyer({
      rule: { amount: 100, threshold: 200, cooldown_seconds: 3600, daily_cap: 2 },
    });
    await debit(wallet, 150);
    await world.settled();
    const first = (await state(wallet)).last_attempt_at!;
    expect(await state(wallet)).toMatchObject({
      status: 'waiting',
      reason: 'cooling_down',
      next_attempt_at: minutesFrom(first, 60),
    });
    await world.wait(59);
    expect(chargesOf(customer)).toHaveLength(1);
    await world.wait(1);
    expect(chargesOf(customer)).toHaveLength(2);
    await debit(wallet, 250);
    expect(await state(wallet)).toMatchObject({ reason: 'daily_cap', next_attempt_at: minutesFrom(first, 24 * 60) });
    await world.wait(23 * 60);
    expect(chargesOf(customer)).toHaveLength(3);
  });

  it('does not wait any more when credits came another way', async () => {
    const { customer, wallet } = await buyer({ rule: { amount: 100, cooldown_seconds: 3600 } });
    await debit(wallet, 200);
    await world.settled();
    expect(await state(wallet)).toMatchObject({ reason: 'cooling_down' });
    await world.ok(
      world.modules.api.post(`/wallets/${wallet}/top-up`, {
        transaction_reason: 'FREE_CREDIT_GRANT',
        credits_to_add: '1000',
      }),
    );
    expect(await state(wallet)).toMatchObject({ status: 'ready', next_attempt_at: null });
    await world.wait(120);
    expect(chargesOf(customer)).toHaveLength(1);
  });

  it('buys nothing in a trial, and what is due at its end', async () => {
    const customer = await world.customer({ card: true });
    const plan = await world.plan({ amount: '5', trial_period: 3 });
    await world.subscribe(customer, { plan_id: plan });
    const body = { customer_id: customer, currency: 'usd', topup_conversion_rate: '0.01', auto_topup: RULE };
    const { id: wallet } = await world.ok<WalletBody>(world.modules.api.post('/wallets', body));
    expect(await state(wallet)).toMatchObject({ status: 'waiting', reason: 'trialing', next_attempt_at: null });
    await world.wait(3 * 24 * 60 - 1);
    expect(chargesOf(customer)).toEqual([]);
    await world.wait(1);
    expect(await read(wallet)).toMatchObject({ credit_balance: '2000', auto_topup_state: { status: 'ready' } });
  });
});

describe('an automatic top-up that is declined', () => {
  it('backs off, longer each time, charges the same invoice again, and stops as configured', async () => {
    const { customer, wallet } = await buyer({ rule: { stop_after_declines: 3 } });
    world.gateway.willAnswer(declined(), declined(), declined());
    await debit(wallet, 50);
    await world.settled();
    const first = await state(wallet);
    expect(first).toMatchObject({
      status: 'waiting',
      reason: 'backing_off',
      failures: 1,
      last_failure: 'the card was declined',
      next_attempt_at: minutesFrom(first.last_attempt_at!, 60),
    });
    await debit(wallet, 10);
    await world.wait(59);
    expect(chargesOf(customer)).toHaveLength(1);
    await world.wait(1);
    expect(chargesOf(customer)).toHaveLength(2);
    expect(await state(wallet)).toMatchObject({
      failures: 2,
      next_attempt_at: minutesFrom(first.last_attempt_at!, 180),
    });
    await world.wait(120);
    expect(await state(wallet)).toMatchObject({ status: 'stopped', failures: 3, next_attempt_at: null });
    expect(new Set(chargesOf(customer).map(({ invoiceId }) => invoiceId)).size).toBe(1);
    expect(await told(wallet)).toMatchObject([
      { name: 'auto_top_up.ordered', retry: false },
      { name: 'auto_top_up.declined', failures: 1 },
      { name: 'auto_top_up.ordered', retry: true },
      { name: 'auto_top_up.declined', failures: 2 },
      { name: 'auto_top_up.ordered', retry: true },
      { name: 'auto_top_up.declined', failures: 3 },
      { name: 'auto_top_up.stopped', failures: 3 },
    ]);
    await debit(wallet, 10);
    await world.wait(7 * 24 * 60);
    expect(chargesOf(customer)).toHaveLength(3);
    await put(wallet, { enabled: true });
    await world.settled();
    expect(await read(wallet)).toMatchObject({
      credit_balance: '2180',
      auto_topup_state: { status: 'ready', failures: 0 },
    });
    expect(await invoicesOf(customer)).toHaveLength(1);
  });

  it('counts no saved card as a failure; its invoice can be paid by hand', async () => {
    const { customer, wallet } = await buyer({ card: false });
    await debit(wallet, 50);
    await world.settled();
    const { failures, last_failure, invoice_id } = await state(wallet);
    expect([failures, last_failure]).toEqual([1, 'the customer has no saved payment method']);
    const page = await world.ok<{ id: string }>(world.openPage({ mode: 'invoice', invoice_id }), 201);
    await world.pageTold(page.id, 'paid', '20');
    expect(await read(wallet)).toMatchObject({
      credit_balance: '2200',
      auto_topup_state: { status: 'ready', failures: 0 },
    });
    await world.wait(120);
    expect(await invoicesOf(customer)).toHaveLength(1);
  });

  it('does not try a card again that needs its holder, and takes a new one at once', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(declined({ needsCustomer: true }));
    await debit(wallet, 50);
    await world.settled();
    await world.wait(60);
    expect(chargesOf(customer)).toHaveLength(1);
    expect(await state(wallet)).toMatchObject({
      failures: 2,
      last_failure: expect.stringContaining('declined for good'),
    });
    await world.saveCard(customer);
    expect(await read(wallet)).toMatchObject({
      credit_balance: '2200',
      auto_topup_state: { status: 'ready', failures: 0 },
    });
  });

  it('gives its order up when there are enough credits again, and when it is switched off', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(declined(), declined());
    await debit(wallet, 50);
    await world.settled();
    await world.ok(
      world.modules.api.post(`/wallets/${wallet}/top-up`, {
        transaction_reason: 'PURCHASED_CREDIT_DIRECT',
        credits_to_add: '100',
      }),
    );
    expect(await state(wallet)).toMatchObject({ status: 'ready', invoice_id: null, failures: 1 });
    await world.saveCard(customer);
    expect(chargesOf(customer)).toHaveLength(1);
    await world.wait(10);
    await debit(wallet, 100);
    await world.settled();
    expect(await state(wallet)).toMatchObject({ status: 'waiting', reason: 'backing_off' });
    await world.wait(60);
    expect(await state(wallet)).toMatchObject({ failures: 2 });
    await put(wallet, { enabled: false });
    expect((await invoicesOf(customer)).map(({ invoice_status }) => invoice_status)).toEqual(['VOIDED', 'VOIDED']);
    await world.wait(24 * 60);
    expect(chargesOf(customer)).toHaveLength(2);
  });

  it('orders anew when another amount is wanted', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(declined());
    await debit(wallet, 50);
    await world.settled();
    await put(wallet, { amount: 3000, enabled: true });
    await world.settled();
    expect(await invoicesOf(customer)).toMatchObject([
      { invoice_status: 'VOIDED' },
      { invoice_status: 'FINALIZED', amount_due: '30', payment_status: 'SUCCEEDED' },
    ]);
    expect(await read(wallet)).toMatchObject({ credit_balance: '3200' });
  });

  it('whose outcome is not known is the only one until it is', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(lost());
    await debit(wallet, 50);
    await world.settled();
    await debit(wallet, 50);
    await put(wallet, { enabled: true });
    expect(await state(wallet)).toMatchObject({ status: 'in_progress' });
    const { invoice_id: invoiceId } = await state(wallet);
    world.gateway.willAnswer(succeeded({ invoiceId: invoiceId!, amount: '20' }));
    await world.wait(60);
    expect([chargesOf(customer).length, (await read(wallet)).credit_balance]).toEqual([1, '2150']);
  });

  it('rests while its wallet is frozen, its unpaid order withdrawn', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(declined());
    await debit(wallet, 50);
    await world.settled();
    await world.ok(world.modules.api.post(`/wallets/${wallet}/freeze`));
    await world.wait(24 * 60);
    expect(await invoicesOf(customer)).toMatchObject([{ invoice_status: 'VOIDED' }]);
    expect(chargesOf(customer)).toHaveLength(1);
    await world.ok(world.modules.api.post(`/wallets/${wallet}/unfreeze`));
    await world.settled();
    expect(await read(wallet)).toMatchObject({ credit_balance: '2200' });
  });

  it('is withdrawn with its wallet', async () => {
    const { customer, wallet } = await buyer();
    world.gateway.willAnswer(declined());
    await debit(wallet, 50);
    await world.settled();
    await world.ok(world.modules.api.post(`/wallets/${wallet}/terminate`));
    await world.wait(24 * 60);
    expect(await invoicesOf(customer)).toMatchObject([{ invoice_status: 'VOIDED' }]);
    expect(chargesOf(customer)).toHaveLength(1);
  });
});

describe('the rule', () => {
  it.each([
    ['auto_topup.threshold', { enabled: true, amount: 10 }],
    ['auto_topup.amount', { enabled: true, threshold: 10 }],
    ['auto_topup.amount', { enabled: true, threshold: 10, amount: 0.1 }],
    ['auto_topup.amount', { enabled: true, threshold: 10, amount: '99999999999999999999999999' }],
    ['auto_topup.daily_cap', { ...RULE, daily_cap: 0 }],
    ['auto_topup.cooldown_seconds', { ...RULE, cooldown_seconds: -1 }],
    ['auto_topup.stop_after_declines', { ...RULE, stop_after_declines: 1.5 }],
  ])('with a bad %s is refused, and nothing is made', async (field, auto_topup) => {
    const customer_id = await world.customer();
    const refused = await world.modules.api.post('/wallets', { customer_id, currency: 'usd', auto_topup });
    expect([refused.status, refused.body.details.field]).toEqual([400, field]);
    expect((await world.modules.api.get(`/customers/${customer_id}/wallets`)).body).toEqual([]);
  });

  it('keeps what a change leaves out', async () => {
    const { wallet } = await buyer({ rule: { cooldown_seconds: 7 } });
    expect((await put(wallet, { threshold: '50' })).auto_topup).toEqual({
      enabled: true,
      threshold: '50',
      amount: '2000',
      invoicing: false,
      cooldown_seconds: 7,
      daily_cap: 10,
      stop_after_declines: 4,
    });
  });
});
