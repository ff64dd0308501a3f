import { Flexprice } from '@flexprice/sdk';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Outbox } from '@drawdown/platform';
import { API_KEY, startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody } from './story.js';

const GOOD = '4242424242424242';
const DECLINED = '4000000000000341';
const URLS = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };

let modules: Modules;
let story: Story;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
}, 120_000);

/** Payments by the published client of the market, and what it is refused. */
describe('payments', () => {
  let client: Flexprice;
  let customers = 0;

  const customer = async (...cards: string[]): Promise<string> => {
    const { id } = await story.post<{ id: string }>('/customers', { external_id: `payer-${++customers}` });
    for (const card of cards) await story.saveCardOf(id, card);
    return id;
  };
  /** Nobody charges it by itself: the collection that follows finalization finds no card, or is told so. */
  const invoice = async (customer_id: string, total = '100') => {
    const { id } = await story.post<InvoiceBody>('/invoices', {
      customer_id,
      currency: 'usd',
      amount_due: total,
      subtotal: total,
      total,
      line_items: [{ display_name: 'Work', amount: total, quantity: '1' }],
    });
    await modules.get(Outbox).drain(modules.scope);
    return id;
  };
  const read = (id: string) => story.get<Record<string, string>>(`/invoices/${id}`);
  const wanted = (destinationId: string, method: string, more: object = {}) => ({
    amount: '100',
    currency: 'usd',
    destinationType: 'INVOICE' as const,
    destinationId,
    paymentMethodType: method as 'CARD',
    ...more,
  });
  const refused = async (destination_id: string, body: object) => {
    const answer = await modules.api.post('/payments', {
      amount: '100',
      currency: 'usd',
      destination_type: 'INVOICE',
      destination_id,
      ...body,
    });
    return [answer.status, answer.body.details?.field ?? answer.body.details?.state ?? answer.body.details?.reason];
  };

  beforeAll(() => {
    client = new Flexprice({ serverURL: `${modules.url}/v1`, apiKeyAuth: API_KEY });
  });

  it('made to wait charge nothing until they are processed', async () => {
    const payer = await customer();
    const due = await invoice(payer);
    const made = await client.payments.createPayment(
      wanted(due, 'CARD', { processPayment: false, metadata: { order: '7' }, idempotencyKey: 'order-7' }),
    );
    expect([made.paymentStatus, made.metadata, made.attempts]).toEqual(['INITIATED', { order: '7' }, []]);
    const again = await client.payments.createPayment(
      wanted(due, 'CARD', { processPayment: false, metadata: { order: '7' }, idempotencyKey: 'order-7' }),
    );
    expect(again.id).toBe(made.id);
    expect(await refused(due, { payment_method_type: 'OFFLINE', idempotency_key: 'order-7' })).toEqual([
      409,
      'idempotency_key',
    ]);
    await expect(client.payments.processPayment(made.id!)).rejects.toMatchObject({ statusCode: 400 });
    await story.saveCardOf(payer, GOOD);
    await modules.get(Outbox).drain(modules.scope);
    const paid = await client.payments.getPayment(made.id!);
    expect([paid.paymentStatus, paid.attempts!.length]).toEqual(['SUCCEEDED', 1]);
    expect(await read(due)).toMatchObject({ payment_status: 'SUCCEEDED', amount_paid: '100' });
    await expect(client.payments.processPayment(made.id!)).rejects.toMatchObject({ statusCode: 409 });
  });

  it('by a chosen card charge that one', async () => {
    const payer = await customer(GOOD, DECLINED);
    const due = await invoice(payer);
    expect(await read(due)).toMatchObject({ payment_status: 'FAILED' });
    const { items } = await story.get<{ items: { id: string; last4: string }[] }>(
      `/customers/${payer}/payment-methods`,
    );
    const good = items.find(({ last4 }) => last4 === '4242')!;
    const paid = await client.payments.createPayment(wanted(due, 'CARD', { paymentMethodId: good.id }));
    expect([paid.paymentStatus, paid.paymentMethodId, paid.attempts!.length]).toEqual(['SUCCEEDED', good.id, 2]);
  });

  it('by a link are paid on its page, and the card is kept where that was asked', async () => {
    const payer = await customer();
    const due = await invoice(payer);
    const made = await client.payments.createPayment(
      wanted(due, 'PAYMENT_LINK', {
        successUrl: URLS.success_url,
        cancelUrl: URLS.cancel_url,
        saveCardAndMakeDefault: true,
        processPayment: false,
      }),
    );
    expect([made.paymentStatus, made.paymentUrl]).toEqual(['INITIATED', undefined]);
    const open = await client.payments.processPayment(made.id!);
    expect(open).toMatchObject({ paymentStatus: 'PENDING', paymentUrl: expect.stringContaining('http') });
    await story.fillIn(open.paymentUrl!, GOOD);
    await story.hear();
    expect((await client.payments.getPayment(made.id!)).paymentStatus).toBe('SUCCEEDED');
    const { items } = await story.get<{ items: object[] }>(`/customers/${payer}/payment-methods`);
    expect(items).toMatchObject([{ last4: '4242', is_default: true }]);
  });

  it('recorded in parts leave the rest to pay, and too much is kept as such', async () => {
    const due = await invoice(await customer());
    const part = await client.payments.createPayment(wanted(due, 'OFFLINE', { amount: '30' }));
    expect(part.paymentStatus).toBe('SUCCEEDED');
    expect(await read(due)).toMatchObject({ payment_status: 'PENDING', amount_remaining: '70' });
    const waiting = await client.payments.createPayment(
      wanted(due, 'OFFLINE', { amount: '90', processPayment: false }),
    );
    await client.payments.updatePayment(waiting.id!, { paymentStatus: 'SUCCEEDED', metadata: { bank: 'x' } });
    expect(await client.payments.getPayment(waiting.id!)).toMatchObject({ metadata: { bank: 'x' } });
    expect(await read(due)).toMatchObject({ payment_status: 'OVERPAID', amount_paid: '100', overpaid_amount: '20' });
  });

  it('by credits take them from a wallet that may pay fees', async () => {
    const payer = await customer();
    const due = await invoice(payer);
    const body = {
      customer_id: payer,
      currency: 'usd',
      conversion_rate: '0.5',
      initial_credits_to_load: '150',
      config: { allowed_price_types: ['ALL'] },
    };
    const wallet = await story.post<{ id: string }>('/wallets', body, 200);
    expect(await refused(due, { payment_method_type: 'CREDITS' })).toEqual([409, 'amount']);
    const paid = await client.payments.createPayment(wanted(due, 'CREDITS', { amount: '60' }));
    expect([paid.paymentStatus, paid.paymentGateway]).toEqual(['SUCCEEDED', undefined]);
    expect(await read(due)).toMatchObject({ amount_paid: '60', amount_remaining: '40' });
    const left = await story.get<Record<string, string>>(`/wallets/${wallet.id}/balance/real-time`);
    expect(left['credit_balance']).toBe('30');
    expect((await modules.api.post(`/payments/${paid.id}/refunds`, {})).status).toBe(400);
    await story.saveCardOf(payer, GOOD);
    await modules.get(Outbox).drain(modules.scope);
    expect(await read(due)).toMatchObject({ payment_status: 'SUCCEEDED', amount_paid: '100' });
  });

  it('that came to nothing are deleted, others stay', async () => {
    const due = await invoice(await customer());
    const made = await client.payments.createPayment(wanted(due, 'OFFLINE', { processPayment: false }));
    const failed = await client.payments.updatePayment(made.id!, { paymentStatus: 'FAILED', errorMessage: 'no money' });
    expect([failed.paymentStatus, failed.errorMessage]).toEqual(['FAILED', 'no money']);
    expect((await client.payments.deletePayment(made.id!)).message).toContain('deleted');
    expect((await modules.api.get(`/payments/${made.id}`)).status).toBe(404);
    const paid = await client.payments.createPayment(wanted(due, 'OFFLINE'));
    await expect(client.payments.deletePayment(paid.id!)).rejects.toMatchObject({ statusCode: 409 });
    const { items } = await client.payments.listPayments({ destinationId: due });
    expect(items!.map(({ id }) => id)).toEqual([paid.id]);
  });

  it.each([
    ['a part by card', { payment_method_type: 'CARD', amount: '50' }, [400, 'amount']],
    ['more than is owed by credits', { payment_method_type: 'CREDITS', amount: '100.01' }, [400, 'amount']],
    ['another currency', { payment_method_type: 'OFFLINE', currency: 'eur' }, [400, 'currency']],
    ['half a cent', { payment_method_type: 'OFFLINE', amount: '0.005' }, [400, 'amount']],
    ['a page to nowhere', { payment_method_type: 'PAYMENT_LINK' }, [400, 'success_url']],
    [
      'a card kept from a payment without one',
      { payment_method_type: 'OFFLINE', save_card_and_make_default: true },
      [400, 'save_card_and_make_default'],
    ],
    [
      'a card nobody has saved',
      { payment_method_type: 'CARD', payment_method_id: 'pm_unknown' },
      [400, 'no_saved_method'],
    ],
  ])('refuse %s', async (_what, body, answer) => {
    expect(await refused(await invoice(await customer()), body)).toEqual(answer);
  });
});

describe('saved payment methods', () => {
  const methods = async (id: string) =>
    (
      await story.get<{ items: { id: string; last4: string; is_default: boolean }[] }>(
        `/customers/${id}/payment-methods`,
      )
    ).items;
  it('are listed, the preferred one is charged, removed ones are gone at Stripe too', async () => {
    const { id } = await story.post<{ id: string }>('/customers', { external_id: 'keeper' });
    await story.saveCardOf(id, '4242424242424242');
    await story.saveCardOf(id, '5555555555554444');
    const second = (await methods(id)).find(({ last4 }) => last4 === '4444');
    const first = (await methods(id)).find(({ last4 }) => last4 === '4242');
    expect([second!.is_default, first!.is_default]).toEqual([true, false]);
    expect((await modules.api.post(`/customers/${id}/payment-methods/${first!.id}/default`)).status).toBe(200);
    expect((await methods(id)).find(({ is_default }) => is_default)!.id).toBe(first!.id);
    expect((await modules.api.delete(`/customers/${id}/payment-methods/${first!.id}`)).status).toBe(204);
    expect((await modules.api.delete(`/customers/${id}/payment-methods/${first!.id}`)).status).toBe(404);
    expect(await methods(id)).toMatchObject([{ id: second!.id, is_default: true }]);
    const { default: Stripe } = await import('stripe');
    const { hostname, port } = new URL(modules.sandbox.url);
    const stripe = new Stripe('sk_test_sandbox', { host: hostname, port, protocol: 'http', telemetry: false });
    expect((await stripe.paymentMethods.retrieve(first!.id)).customer).toBeNull();
    const other = await story.post<{ id: string }>('/customers', { external_id: 'other' });
    for (const path of [`${second!.id}/default`, `pm_unknown/default`]) {
      expect((await modules.api.post(`/customers/${other.id}/payment-methods/${path}`)).status).toBe(404);
    }
    expect((await modules.api.delete(`/customers/${other.id}/payment-methods/${second!.id}`)).status).toBe(404);
  });
});
