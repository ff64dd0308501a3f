import { beforeAll, describe, expect, it } from '@jest/globals';
import { Outbox } from '@drawdown/platform';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody } from './story.js';

const DECLINED = '4000000000000341';
const GOOD = '4242424242424242';

interface Subscribed {
  id: string;
  subscription_status: string;
  payment_behavior: string;
  latest_invoice: InvoiceBody | null;
}

/** `payment_behavior`: what a subscription is until its first invoice is paid. */
describe('a first payment', () => {
  let modules: Modules;
  let story: Story;
  let customers = 0;
  const customer = async (card: string | null) => {
    const external_id = `first-${++customers}`;
    const { id } = await story.post<{ id: string }>('/customers', { external_id, name: external_id });
    if (card) await story.saveCardOf(id, card);
    return { id, external_id };
  };
  const subscribe = (external_customer_id: string, options: object, headers: Record<string, string> = {}) =>
    modules.api.post(
      '/subscriptions',
      {
        external_customer_id,
        plan_id: story.starter.planId,
        currency: 'usd',
        billing_period: 'MONTHLY',
        ...options,
      },
      headers,
    );
  const read = (id: string) => story.get<Subscribed>(`/subscriptions/${id}`);
  const balance = async (customerId: string) => {
    const [wallet] = await story.get<{ id: string }[]>(`/customers/${customerId}/wallets`);
    if (!wallet) return null;
    const body = await story.get<Record<string, string>>(`/wallets/${wallet.id}/balance/real-time`);
    return body['real_time_credit_balance'];
  };
  const mayUse = async (external_customer_id: string) => {
    const asked = { external_customer_id, event_name: 'table_create', properties: { status: 'success' }, hold: false };
    const { allowed, reason } = await story.post<{ allowed: boolean; reason: string }>(
      '/credits/authorize',
      asked,
      200,
    );
    return allowed || reason;
  };

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
  }, 120_000);

  it('that succeeds is in the answer', async () => {
    for (const payment_behavior of ['allow_incomplete', 'error_if_incomplete']) {
      const { id, external_id } = await customer(GOOD);
      const { status, body } = await subscribe(external_id, { payment_behavior });
      expect([status, body.subscription_status, body.payment_behavior]).toEqual([201, 'active', payment_behavior]);
      expect(body.latest_invoice.payment_status).toBe('SUCCEEDED');
      await modules.get(Outbox).drain(modules.scope);
      expect(await balance(id)).toBe('2000');
    }
  });

  it('that is declined leaves it incomplete where that is allowed: nothing is given and nothing may be used until it is paid', async () => {
    const { id, external_id } = await customer(DECLINED);
    const { status, body } = await subscribe(external_id, { payment_behavior: 'allow_incomplete' });
    expect([status, body.subscription_status, body.latest_invoice.payment_status]).toEqual([
      201,
      'incomplete',
      'FAILED',
    ]);
    expect([await balance(id), await mayUse(external_id)]).toEqual([null, 'no_running_subscription']);
    await story.checkout({ mode: 'invoice', invoice_id: body.latest_invoice.id });
    expect((await read(body.id)).subscription_status).toBe('active');
    expect([await balance(id), await mayUse(external_id)]).toEqual(['2000', true]);
  });

  it('that is declined refuses the subscription where it must succeed, and says so again to who repeats it', async () => {
    const { id, external_id } = await customer(DECLINED);
    const key = { 'idempotency-key': 'subscribe-once' };
    for (let repeated = 0; repeated < 2; repeated++) {
      const { status, body } = await subscribe(external_id, { payment_behavior: 'error_if_incomplete' }, key);
      expect([status, body.details.decline_code]).toEqual([400, 'generic_decline']);
      expect((await read(body.details.subscription_id)).subscription_status).toBe('cancelled');
    }
    const { items } = await story.post<{ items: InvoiceBody[] }>('/invoices/search', { customer_id: id }, 200);
    expect(items.map((invoice) => invoice.invoice_status)).toEqual(['VOIDED']);
    const cardless = await subscribe((await customer(null)).external_id, { payment_behavior: 'error_if_incomplete' });
    expect([cardless.status, cardless.body.message]).toEqual([400, expect.stringContaining('no saved payment method')]);
  });

  it('that the customer is to make itself is not charged by us, and given up after 23 hours', async () => {
    const { id, external_id } = await customer(GOOD);
    const { body } = await subscribe(external_id, { payment_behavior: 'default_incomplete' });
    await modules.advanceTo('2026-01-11T07:59:59Z');
    expect((await read(body.id)).subscription_status).toBe('incomplete');
    await modules.advanceTo('2026-01-11T08:00:00Z');
    const given = await read(body.id);
    expect([given.subscription_status, given.latest_invoice?.invoice_status ?? 'none']).toEqual(['cancelled', 'none']);
    const { items } = await story.post<{ items: InvoiceBody[] }>('/invoices/search', { customer_id: id }, 200);
    expect(items.map(({ invoice_status, payment_status }) => [invoice_status, payment_status])).toEqual([
      ['VOIDED', 'PENDING'],
    ]);
    expect(await balance(id)).toBeNull();
  });

  it('that the customer makes in time completes it', async () => {
    const { id, external_id } = await customer(null);
    const { body } = await subscribe(external_id, { payment_behavior: 'default_incomplete' });
    await story.checkout({ mode: 'invoice', invoice_id: body.latest_invoice.id });
    await modules.advanceTo('2026-01-13T00:00:00Z');
    expect((await read(body.id)).subscription_status).toBe('active');
    expect(await balance(id)).toBe('2000');
  });

  it('is asked for by no trial, and by no plan that asks for nothing in advance', async () => {
    const { external_id } = await customer(null);
    const trial = await subscribe(external_id, { payment_behavior: 'error_if_incomplete', trial_period_days: 7 });
    expect([trial.status, trial.body.subscription_status]).toEqual([201, 'trialing']);
    const free = await story.post<{ id: string }>('/plans', { name: 'Free' });
    await story.post('/prices', {
      type: 'FIXED',
      invoice_cadence: 'ARREAR',
      billing_model: 'FLAT_FEE',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      price_unit_type: 'FIAT',
      currency: 'usd',
      amount: '1',
      entity_type: 'PLAN',
      entity_id: free.id,
    });
    const { body } = await subscribe(external_id, { payment_behavior: 'allow_incomplete', plan_id: free.id });
    expect(body.subscription_status).toBe('active');
  });

  it.each([
    ['a charge where invoices are sent', { payment_behavior: 'allow_incomplete', collection_method: 'send_invoice' }],
    ['a refusal of what starts later', { payment_behavior: 'error_if_incomplete', start_date: '2026-03-01T00:00:00Z' }],
    ['a first period that is over', { payment_behavior: 'allow_incomplete', start_date: '2025-11-01T00:00:00Z' }],
    ['another word', { payment_behavior: 'maybe' }],
  ])('refuses %s', async (_what, options) => {
    const { status, body } = await subscribe((await customer(null)).external_id, options);
    expect([status, body.details.field]).toEqual([400, 'payment_behavior']);
  });
});
