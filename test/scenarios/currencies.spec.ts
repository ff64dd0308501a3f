import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody } from './story.js';

/** Money without digits, with three, and the two that Stripe counts in hundredths they don't have. */
describe('money that is not counted in hundredths', () => {
  let modules: Modules;
  let story: Story;
  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    story = new Story(modules);
  }, 120_000);

  it.each([
    ['jpy', '1500', 1500, '500', 500],
    ['kwd', '12.34', 12_340, '2.5', 2_500],
    ['isk', '700', 70_000, '200', 20_000],
    ['usd', '15.07', 1_507, '5.01', 501],
  ])('%s %s is charged and given back to the last digit', async (currency, total, charged, back, returned) => {
    const { id: customer_id } = await story.post<{ id: string }>('/customers', { external_id: `payer-${currency}` });
    const invoice = await story.post<InvoiceBody>('/invoices', {
      customer_id,
      currency,
      amount_due: total,
      subtotal: total,
      total,
      line_items: [{ display_name: 'Work', amount: total, quantity: '1' }],
    });
    await story.checkout({ mode: 'invoice', invoice_id: invoice.id });
    expect(await story.get(`/invoices/${invoice.id}`)).toMatchObject({
      payment_status: 'SUCCEEDED',
      amount_paid: total,
    });
    const { items } = await story.get<{ items: { id: string }[] }>(`/payments?destination_id=${invoice.id}`);
    await story.post(`/payments/${items[0]!.id}/refunds`, { amount: back });
    const answer = await fetch(`${modules.sandbox.controlUrl}/charges?metadata[invoice_id]=${invoice.id}`);
    const { data } = (await answer.json()) as { data: { amount: number; amount_refunded: number }[] };
    expect(data.map(({ amount, amount_refunded }) => [amount, amount_refunded])).toEqual([[charged, returned]]);
  });

  it.each([
    ['jpy', '49', 'invoice_id'],
    ['usd', '0.49', 'invoice_id'],
  ])(
    '%s %s is less than a card can be charged: it is put off, and no page asks for it',
    async (currency, total, field) => {
      const { id: customer_id } = await story.post<{ id: string }>('/customers', { external_id: `small-${currency}` });
      const invoice = await story.post<InvoiceBody & { carried_amount: string }>('/invoices', {
        customer_id,
        currency,
        amount_due: total,
        subtotal: total,
        total,
        line_items: [{ display_name: 'Work', amount: total, quantity: '1' }],
      });
      expect([invoice.carried_amount, invoice.amount_remaining]).toEqual([total, '0']);
      const urls = { success_url: 'https://example.com', cancel_url: 'https://example.com' };
      const { status } = await modules.api.post('/checkout/sessions', {
        mode: 'invoice',
        [field]: invoice.id,
        ...urls,
      });
      expect(status).toBe(409);
    },
  );
});
