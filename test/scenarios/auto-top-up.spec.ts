import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type Subscriber } from './story.js';

/** Issue 4, show 6: the balance crosses 200, and 2,000 credits are bought off-session, in the sandbox of Stripe. */
const DECLINES_OFF_SESSION = '4000000000000341';

let modules: Modules;
let story: Story;
beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
}, 60_000);

interface WalletBody {
  credit_balance: string;
  auto_topup_state: { status: string; failures: number; next_attempt_at: string | null; last_failure: string | null };
}

/** In paid time with 2,000 credits, which buys 2,000 at a cent each when it has 200. */
async function subscriber(name: string, card?: string): Promise<{ buyer: Subscriber; wallet: string }> {
  const buyer = await story.subscribe(name);
  const body = {
    customer_id: buyer.customerId,
    currency: 'usd',
    topup_conversion_rate: '0.01',
    auto_topup: { enabled: true, threshold: 200, amount: 2000, stop_after_declines: 2 },
  };
  const { id } = await story.post<{ id: string }>('/wallets', body, 200);
  await buyer.saveCard(card);
  return { buyer, wallet: id };
}
const read = (wallet: string) => story.get<WalletBody>(`/wallets/${wallet}`);
const purchases = async (buyer: Subscriber) =>
  (await buyer.invoices()).filter((invoice) => invoice.billing_reason === 'MANUAL');
/** Successful charges of the customer's purchases in Stripe's own books. */
async function charged(buyer: Subscriber): Promise<number> {
  let successful = 0;
  for (const { id } of await purchases(buyer)) {
    const url = `${modules.sandbox.controlUrl}/charges?group_by=invoice_id&metadata[invoice_id]=${id}`;
    const { groups } = (await (await fetch(url)).json()) as { groups: Record<string, { successful: number }> };
    successful += groups[id]?.successful ?? 0;
  }
  return successful;
}
const event = (buyer: Subscriber, id: string, rows: number) =>
  modules.api.post('/events', {
    event_name: 'contact_enrich',
    external_customer_id: buyer.externalId,
    event_id: `${buyer.externalId}-${id}`,
    properties: { rows: String(rows) },
  });

describe('automatic top-up', () => {
  it('buys 2,000 credits once, though fifty events cross 200 at the same moment', async () => {
    const { buyer, wallet } = await subscriber('crossing');
    await buyer.enrich(1180);
    expect(await buyer.balance()).toBe('230');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => event(buyer, `many-${n}`, 2)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 202));
    await modules.advanceTo('2026-01-10T09:00:01Z');
    const [invoice, ...others] = await purchases(buyer);
    expect(others).toEqual([]);
    expect(invoice).toMatchObject({ amount_due: '20', payment_status: 'SUCCEEDED' });
    expect(await charged(buyer)).toBe(1);
    expect(await buyer.balance()).toBe('2080');
    expect(await read(wallet)).toMatchObject({ auto_topup_state: { status: 'ready', failures: 0 } });
  });

  it('with a card that is declined backs off, stops, tells both, and goes on with another card', async () => {
    const { buyer, wallet } = await subscriber('declined', DECLINES_OFF_SESSION);
    await buyer.enrich(1200);
    await modules.advanceTo('2026-01-10T09:00:02Z');
    expect(await read(wallet)).toMatchObject({
      credit_balance: '200',
      auto_topup_state: { status: 'waiting', failures: 1, next_attempt_at: expect.any(String) },
    });
    const happened = await modules.advanceTo('2026-01-10T12:00:00Z');
    expect(happened.filter((name) => name.startsWith('auto_top_up.') && !name.endsWith('fell_due'))).toEqual([
      'auto_top_up.ordered',
      'auto_top_up.declined',
      'auto_top_up.stopped',
    ]);
    expect(await read(wallet)).toMatchObject({ auto_topup_state: { status: 'stopped', next_attempt_at: null } });
    const later = await modules.advanceTo('2026-01-12T12:00:00Z');
    expect(later).not.toContain('auto_top_up.ordered');
    expect([await charged(buyer), (await purchases(buyer)).length]).toEqual([0, 1]);
    await buyer.saveCard();
    await modules.advanceTo('2026-01-12T12:00:01Z');
    expect(await read(wallet)).toMatchObject({
      credit_balance: '2200',
      auto_topup_state: { status: 'ready', failures: 0 },
    });
    expect(await charged(buyer)).toBe(1);
  });
});

describe('at one instant', () => {
  it('only the state after all of it counts: credits that expire as others are granted call for nothing', async () => {
    const { buyer, wallet } = await subscriber('renewal');
    await buyer.enrich(600);
    const alert_settings = { alert_enabled: true, critical: { threshold: 500, condition: 'below' } };
    const changed = await modules.api.put(`/wallets/${wallet}`, { alert_settings });
    expect(changed.status).toBe(200);
    for (const month of ['02', '03', '04']) {
      const happened = await modules.advanceTo(`2026-${month}-15T00:00:00Z`);
      expect(happened).not.toContain('balance_alert.raised');
      expect(await purchases(buyer)).toEqual([]);
      expect(await buyer.balance()).toBe('2000');
    }
  });
});
