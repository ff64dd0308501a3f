import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody } from './story.js';

interface Payment {
  id: string;
  payment_status: string;
  gateway_payment_id: string;
  destination_id: string;
}

interface Refund {
  id: string;
  refund_status: string;
  amount: string;
  credits: string;
  gateway_refund_id: string;
}

let modules: Modules;
let story: Story;
let buyers = 0;

const control = async <T>(path: string, body?: object): Promise<T> => {
  const answer = await fetch(`${modules.sandbox.controlUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
};

/** Somebody who bought credits at half a dollar each. */
class Buyer {
  customerId: string;
  walletId: string;

  static async with(credits: string): Promise<Buyer> {
    const buyer = new Buyer();
    const external_id = `buyer-${++buyers}`;
    buyer.customerId = (await story.post<{ id: string }>('/customers', { external_id })).id;
    const body = { customer_id: buyer.customerId, currency: 'usd', topup_conversion_rate: '0.5' };
    buyer.walletId = (await story.post<{ id: string }>('/wallets', body, 200)).id;
    await buyer.buy(credits);
    return buyer;
  }

  buy(credits: string): Promise<void> {
    return story.checkout({ mode: 'top_up', wallet_id: this.walletId, credits });
  }

  spend(credits: string): Promise<unknown> {
    return story.post(`/wallets/${this.walletId}/debit`, { credits }, 200);
  }

  async wallet(): Promise<[credits: string, debt: string]> {
    const body = await story.get<Record<string, string>>(`/wallets/${this.walletId}/balance/real-time`);
    return [body['real_time_credit_balance']!, body['credit_debt']!];
  }

  async payment(): Promise<Payment> {
    const { items } = await story.post<{ items: InvoiceBody[] }>(
      '/invoices/search',
      { customer_id: this.customerId, order: 'asc' },
      200,
    );
    const found = await story.get<{ items: Payment[] }>(`/payments?destination_id=${items[0]!.id}`);
    return found.items[0]!;
  }

  invoice(payment: Payment): Promise<Record<string, string>> {
    return story.get(`/invoices/${payment.destination_id}`);
  }

  async dispute(): Promise<{ id: string }> {
    const { gateway_payment_id: payment_intent } = await this.payment();
    const opened = await control<{ id: string }>('/disputes', { payment_intent });
    await story.hear();
    return opened;
  }

  async told(about: 'refund_id' | 'dispute_id'): Promise<string[]> {
    const found = await modules.run((tx) =>
      sql<{ name: string }>`
        select name from outbox_event where payload ->> 'customer_id' = ${this.customerId} and payload ? ${about}
        order by seq`.execute(tx.db),
    );
    return found.rows.map(({ name }) => name);
  }
}

const refund = (payment: Payment, body: object = {}, status = 201) =>
  story.post<Refund>(`/payments/${payment.id}/refunds`, body, status);
const refused = async (payment: Payment, body: object = {}) => {
  const answer = await modules.api.post(`/payments/${payment.id}/refunds`, body);
  return [answer.status, answer.body.details?.refundable_amount ?? answer.body.details?.state ?? answer.body.message];
};
const atStripe = async ({ gateway_payment_id: intent }: Payment): Promise<number> => {
  const { data } = await control<{ data: { amount_refunded: number }[] }>(`/charges?payment_intent=${intent}`);
  return data.reduce((total, charge) => total + charge.amount_refunded, 0);
};

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
}, 120_000);

describe('a refund of bought credits', () => {
  it('gives the money back and takes the credits', async () => {
    const buyer = await Buyer.with('500');
    const payment = await buyer.payment();
    const made = await refund(payment, { reason: 'asked for' });
    expect(made).toMatchObject({ refund_status: 'succeeded', amount: '250', credits: '500' });
    expect(await buyer.wallet()).toEqual(['0', '0']);
    expect(await atStripe(payment)).toBe(25_000);
    expect(await buyer.payment()).toMatchObject({ payment_status: 'REFUNDED', refunded_at: expect.any(String) });
    expect(await buyer.invoice(payment)).toMatchObject({ refunded_amount: '250', payment_status: 'SUCCEEDED' });
    expect(await buyer.told('refund_id')).toEqual(['refund.created', 'refund.succeeded']);
    expect(await refused(payment)).toEqual([409, '0']);
    await story.hear();
    expect(await buyer.told('refund_id')).toEqual(['refund.created', 'refund.succeeded']);
  });

  it('after a part of them was spent gives back at most what is left', async () => {
    const buyer = await Buyer.with('500');
    const payment = await buyer.payment();
    await buyer.spend('120.5');
    expect(await refused(payment)).toEqual([409, '189.75']);
    expect(await refused(payment, { amount: '189.76' })).toEqual([409, '189.75']);
    expect(await refund(payment, { amount: '189.75' })).toMatchObject({ refund_status: 'succeeded', credits: '379.5' });
    expect(await buyer.wallet()).toEqual(['0', '0']);
    expect(await buyer.payment()).toMatchObject({ payment_status: 'PARTIALLY_REFUNDED' });
    expect(await refused(payment)).toEqual([409, '0']);
  });

  it('in parts adds up to the whole, and under one key is one', async () => {
    const buyer = await Buyer.with('300');
    const payment = await buyer.payment();
    const first = await refund(payment, { amount: '33.33', idempotency_key: `part-${buyers}` });
    const again = await refund(payment, { amount: '33.33', idempotency_key: `part-${buyers}` });
    expect(again.id).toBe(first.id);
    await refund(payment, { amount: '33.34' });
    await refund(payment);
    const { items } = await story.get<{ items: Refund[] }>(`/payments/${payment.id}/refunds`);
    expect(items.map(({ amount }) => amount)).toEqual(['83.33', '33.34', '33.33']);
    expect(await buyer.wallet()).toEqual(['0', '0']);
    expect(await atStripe(payment)).toBe(15_000);
  });

  it('that the bank sends back later returns everything', async () => {
    const buyer = await Buyer.with('200');
    const payment = await buyer.payment();
    const made = await refund(payment);
    await control(`/refunds/${made.gateway_refund_id}/fail`, {});
    await story.hear();
    await story.hear();
    expect(await buyer.told('refund_id')).toEqual(['refund.created', 'refund.succeeded', 'refund.failed']);
    expect(await buyer.wallet()).toEqual(['200', '0']);
    expect(await buyer.payment()).toMatchObject({ payment_status: 'SUCCEEDED', refunded_at: null });
    expect(await buyer.invoice(payment)).toMatchObject({ refunded_amount: '0' });
    expect(await refund(payment)).toMatchObject({ refund_status: 'succeeded', credits: '200' });
  });

  it('whose answer was lost is asked about, and given back once', async () => {
    for (const act of ['execute_then_drop', 'drop_before']) {
      const buyer = await Buyer.with('100');
      const payment = await buyer.payment();
      await control('/faults', { act, times: 2, match: { method: 'POST', path: '/v1/refunds' } });
      expect(await refund(payment)).toMatchObject({ refund_status: 'unknown' });
      expect(await buyer.wallet()).toEqual(['0', '0']);
      const { now } = await story.get<{ now: string }>('/clock');
      await modules.advanceTo(new Date(Date.parse(now) + 3 * 60_000).toISOString());
      expect(await buyer.told('refund_id')).toEqual(['refund.created', 'refund.left_open', 'refund.succeeded']);
      expect(await atStripe(payment)).toBe(5_000);
    }
  });

  it('that somebody made at Stripe itself takes what is left and owes the rest', async () => {
    const buyer = await Buyer.with('100');
    const payment = await buyer.payment();
    await buyer.spend('70');
    const { stripe } = await stripeClient();
    await stripe.refunds.create({ payment_intent: payment.gateway_payment_id });
    await story.hear();
    expect(await buyer.wallet()).toEqual(['0', '70']);
    expect(await buyer.payment()).toMatchObject({ payment_status: 'REFUNDED' });
  });
});

describe('other money that goes back', () => {
  it('by hand what came by hand, and what came too much', async () => {
    const external_id = `buyer-${++buyers}`;
    const { id: customer_id } = await story.post<{ id: string }>('/customers', { external_id });
    const invoice = await story.post<InvoiceBody>('/invoices', {
      customer_id,
      currency: 'usd',
      amount_due: '100',
      subtotal: '100',
      total: '100',
      line_items: [{ display_name: 'Work', amount: '100', quantity: '1' }],
    });
    const paid = await story.post<Payment>('/payments', {
      amount: '130',
      currency: 'usd',
      destination_type: 'INVOICE',
      destination_id: invoice.id,
      payment_method_type: 'OFFLINE',
    });
    expect(await story.get(`/invoices/${invoice.id}`)).toMatchObject({ overpaid_amount: '30' });
    expect(await refund(paid, { amount: '30' })).toMatchObject({ refund_status: 'succeeded', gateway_refund_id: null });
    expect(await story.get(`/invoices/${invoice.id}`)).toMatchObject({
      refunded_amount: '30',
      payment_status: 'OVERPAID',
    });
    expect(await refused(paid, { amount: '100.01' })).toEqual([409, '100']);
    expect(await refused(paid, { amount: '0.001' })).toEqual([400, expect.stringContaining('minor units')]);
  });

  it('of an invoice nobody has paid, or that is not there, nothing does', async () => {
    expect((await modules.api.post('/payments/pay_unknown/refunds', {})).status).toBe(404);
    expect((await modules.api.get('/refunds/refund_unknown')).status).toBe(404);
    expect((await modules.api.get('/disputes/dispute_unknown')).status).toBe(404);
  });
});

describe('a dispute', () => {
  it('that is lost after all credits were spent is a debt of the wallet, which the next purchase pays', async () => {
    const buyer = await Buyer.with('100');
    await buyer.spend('100');
    const { id } = await buyer.dispute();
    expect(await buyer.wallet()).toEqual(['0', '0']);
    await control(`/disputes/${id}/close`, { outcome: 'lost' });
    await story.hear();
    expect(await buyer.told('dispute_id')).toEqual(['dispute.created', 'dispute.lost']);
    expect(await buyer.wallet()).toEqual(['0', '100']);
    const payment = await buyer.payment();
    expect(await buyer.invoice(payment)).toMatchObject({ disputed_amount: '50', refunded_amount: '0' });
    expect(await refused(payment)).toEqual([409, '0']);
    await buyer.buy('150');
    expect(await buyer.wallet()).toEqual(['50', '0']);
  });

  it('sets aside what is left while it is open, and returns it when it is won', async () => {
    const buyer = await Buyer.with('100');
    await buyer.spend('40');
    const { id } = await buyer.dispute();
    expect(await buyer.wallet()).toEqual(['0', '0']);
    expect((await refused(await buyer.payment()))[0]).toBe(409);
    await control(`/disputes/${id}/close`, { outcome: 'won' });
    await story.hear();
    await story.hear();
    expect(await buyer.told('dispute_id')).toEqual(['dispute.created', 'dispute.won']);
    expect(await buyer.wallet()).toEqual(['60', '0']);
    const { items } = await story.get<{ items: object[] }>(`/disputes?customer_id=${buyer.customerId}`);
    expect(items).toMatchObject([{ dispute_status: 'won', amount: '50', credits: '100', credits_set_aside: '60' }]);
    expect(await buyer.invoice(await buyer.payment())).toMatchObject({ disputed_amount: '0' });
  });

  it('that is lost owes what was spent, and keeps what was set aside', async () => {
    const buyer = await Buyer.with('100');
    await buyer.spend('40');
    const { id } = await buyer.dispute();
    await control(`/disputes/${id}/close`, { outcome: 'lost' });
    await story.hear();
    expect(await buyer.wallet()).toEqual(['0', '40']);
  });

  it('that was lost and is won on appeal gives everything back, once', async () => {
    const buyer = await Buyer.with('100');
    await buyer.spend('40');
    const { id } = await buyer.dispute();
    await control(`/disputes/${id}/close`, { outcome: 'lost' });
    await story.hear();
    await buyer.buy('30');
    // They paid a part of the debt.
    expect(await buyer.wallet()).toEqual(['0', '10']);
    await control(`/disputes/${id}/appeal`, {});
    await story.hear();
    await story.hear();
    expect(await buyer.wallet()).toEqual(['90', '0']);
    expect(await buyer.told('dispute_id')).toEqual(['dispute.created', 'dispute.lost', 'dispute.won']);
    const { items } = await story.get<{ items: object[] }>(`/disputes?customer_id=${buyer.customerId}`);
    expect(items).toMatchObject([{ dispute_status: 'won', credits_set_aside: '60' }]);
    expect(await buyer.invoice(await buyer.payment())).toMatchObject({ disputed_amount: '0' });
    expect(await modules.audit()).toEqual([]);
  });
});

async function stripeClient() {
  const { default: Stripe } = await import('stripe');
  const { hostname, port } = new URL(modules.sandbox.url);
  return { stripe: new Stripe('sk_test_sandbox', { host: hostname, port, protocol: 'http', telemetry: false }) };
}
