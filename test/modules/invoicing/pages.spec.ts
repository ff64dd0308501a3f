import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { declined, InvoicingWorld } from './invoicing-world.js';

interface Page {
  id: string;
  url: string;
  status: string;
  invoice_id: string;
}

let world: InvoicingWorld;
const open = (body: object) => world.ok<Page>(world.openPage(body), 201);
const page = async (id: string) => (await world.ok<Page>(world.modules.api.get(`/checkout/sessions/${id}`))).status;
const lots = (invoiceId: string) =>
  world.rows<{ credits: string }>(sql`
    select l.granted::float::text credits from credit_purchase p join lot l on l.id = p.lot_id
    where p.invoice_id = ${invoiceId}`);
const chargesOf = (invoiceId: string) => world.gateway.charged.filter((request) => request.invoiceId === invoiceId);

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('a hosted page for an open invoice', () => {
  it('is the one open collection of it: no card is charged beside it, another page is the same page', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    const opened = await open({ mode: 'invoice', invoice_id: invoice });
    expect(opened).toMatchObject({ status: 'open', invoice_id: invoice, url: expect.stringContaining('cs_') });
    expect(await open({ mode: 'invoice', invoice_id: invoice })).toEqual(opened);
    await world.saveCard(customer);
    expect(chargesOf(invoice)).toEqual([]);
    expect((await world.modules.api.post(`/invoices/${invoice}/payment/attempt`)).status).toBe(409);

    await world.pageTold(opened.id, 'paid', '149');
    await world.pageTold(opened.id, 'paid', '149');
    await world.pageTold(opened.id, 'expired');
    expect(await world.read(invoice)).toMatchObject({
      payment_status: 'SUCCEEDED',
      amount_paid: '149',
      overpaid_amount: '0',
    });
    expect(await page(opened.id)).toBe('complete');
    expect((await world.openPage({ mode: 'invoice', invoice_id: invoice })).status).toBe(409);
  });

  it('leaves the invoice open when it expires, and the saved card is charged then', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    const opened = await open({ mode: 'invoice', invoice_id: invoice });
    world.putCard(customer);
    await world.wait(24 * 60);
    expect(world.gateway.closed).toHaveLength(1);
    expect(chargesOf(invoice)).toEqual([]);
    await world.pageTold(opened.id, 'expired');
    expect(chargesOf(invoice)).toHaveLength(1);
    expect(await world.read(invoice)).toMatchObject({ invoice_status: 'FINALIZED', payment_status: 'SUCCEEDED' });
  });

  it('is closed when the invoice is paid in another way, or withdrawn', async () => {
    const customer = await world.customer({ card: true });
    world.gateway.willAnswer(declined());
    const invoice = await world.invoice(customer);
    const opened = await open({ mode: 'invoice', invoice_id: invoice });
    const [attempt] = await world.attempts(invoice);
    await world.chargeTold(attempt!.id, { status: 'succeeded', gatewayPaymentId: 'pi_late', amount: '149' });
    expect(await world.read(invoice)).toMatchObject({ payment_status: 'SUCCEEDED' });
    expect(world.gateway.closed).toContain(opened.url.split('/').at(-1));
    await world.pageTold(opened.id, 'expired');
    expect(await world.read(invoice)).toMatchObject({ payment_status: 'SUCCEEDED', overpaid_amount: '0' });
  });

  it('paid after the card had been charged, late, is recorded as overpaid', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    const opened = await open({ mode: 'invoice', invoice_id: invoice });
    world.putCard(customer);
    await world.pageTold(opened.id, 'expired');
    await world.pageTold(opened.id, 'paid', '149');
    expect(await world.read(invoice)).toMatchObject({
      payment_status: 'OVERPAID',
      amount_paid: '149',
      overpaid_amount: '149',
    });
    expect(await world.events(invoice)).toContain('invoice.overpaid');
  });

  it('is not made for an invoice that is still a draft or does not exist', async () => {
    expect((await world.openPage({ mode: 'invoice', invoice_id: 'inv_none' })).status).toBe(404);
  });

  it('that never opened blocks nothing for longer than a page lives', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    world.gateway.unreachable = true;
    expect((await world.openPage({ mode: 'invoice', invoice_id: invoice })).status).toBe(503);
    world.gateway.unreachable = false;
    world.putCard(customer);
    await world.wait(24 * 60);
    expect(await world.rows(sql`select status from checkout_session where invoice_id = ${invoice}`)).toEqual([
      { status: 'expired' },
    ]);
    expect(chargesOf(invoice)).toEqual([]);
  });
});

describe('credits bought on a hosted page', () => {
  it('come when the money is there, once', async () => {
    const wallet = await world.wallet(await world.customer());
    const opened = await open({ mode: 'top_up', wallet_id: wallet, credits: '500' });
    const bought = await world.read(opened.invoice_id);
    expect([bought['invoice_type'], bought.invoice_status, bought.amount_due]).toEqual(['CREDIT', 'FINALIZED', '250']);
    expect(bought.line_items).toMatchObject([{ quantity: '500', amount: '250', amount_due: '250' }]);
    expect(await world.balance(wallet)).toMatchObject({ real_time_credit_balance: '0', unpaid_invoices_amount: '250' });
    await world.pageTold(opened.id, 'paid', '250');
    await world.pageTold(opened.id, 'paid', '250');
    expect(await world.balance(wallet)).toMatchObject({
      real_time_credit_balance: '500',
      real_time_balance: '500',
      unpaid_invoices_amount: '0',
      credits_available_breakdown: { free: '0', purchased: '500' },
    });
    expect(await lots(opened.invoice_id)).toEqual([{ credits: '500' }]);
  });

  it('never come from a page that expired, whose invoice is voided', async () => {
    const wallet = await world.wallet(await world.customer());
    const opened = await open({ mode: 'top_up', wallet_id: wallet, credits: '500' });
    await world.pageTold(opened.id, 'expired');
    expect(await world.read(opened.invoice_id)).toMatchObject({ invoice_status: 'VOIDED', amount_remaining: '0' });
    expect(await world.balance(wallet)).toMatchObject({ real_time_credit_balance: '0', unpaid_invoices_amount: '0' });
    expect(await world.events(opened.invoice_id)).toEqual(['invoice.drafted', 'invoice.finalized', 'invoice.voided']);
  });

  it('come after all when an expired page turns out to be paid: money is the truth', async () => {
    const wallet = await world.wallet(await world.customer());
    const opened = await open({ mode: 'top_up', wallet_id: wallet, credits: '500' });
    await world.pageTold(opened.id, 'expired');
    await world.pageTold(opened.id, 'paid', '250');
    expect(await world.read(opened.invoice_id)).toMatchObject({
      invoice_status: 'FINALIZED',
      payment_status: 'SUCCEEDED',
      voided_at: null,
    });
    expect(await lots(opened.invoice_id)).toEqual([{ credits: '500' }]);
  });

  it('are not sold for less than a card can be charged, or out of the field of another mode', async () => {
    const wallet = await world.wallet(await world.customer());
    const tooCheap = await world.openPage({ mode: 'top_up', wallet_id: wallet, credits: '0.5' });
    expect([tooCheap.status, tooCheap.body.details.field]).toEqual([400, 'credits']);
    const mixed = await world.openPage({ mode: 'top_up', wallet_id: wallet, credits: '500', invoice_id: 'inv_1' });
    expect([mixed.status, mixed.body.details.field]).toEqual([400, 'invoice_id']);
    const address = await world.modules.api.post('/checkout/sessions', {
      mode: 'top_up',
      wallet_id: wallet,
      credits: '500',
      success_url: 'javascript:alert(1)',
      cancel_url: 'https://example.com',
    });
    expect([address.status, address.body.details.field]).toEqual([400, 'success_url']);
    expect(await world.rows(sql`select from credit_purchase where wallet_id = ${wallet}`)).toEqual([]);
  });

  it('are ordered once under one Idempotency-Key, and the page is the same', async () => {
    const wallet = await world.wallet(await world.customer());
    const body = {
      mode: 'top_up',
      wallet_id: wallet,
      credits: '500',
      success_url: 'https://a.example',
      cancel_url: 'https://a.example',
    };
    const ask = () =>
      world.ok<Page>(world.modules.api.post('/checkout/sessions', body, { 'idempotency-key': 'one-page' }), 201);
    expect(await ask()).toEqual(await ask());
    expect(await world.rows(sql`select from credit_purchase where wallet_id = ${wallet}`)).toHaveLength(1);
  });

  it('that were paid into a wallet closed meanwhile are not lost sight of', async () => {
    const customer = await world.customer();
    const wallet = await world.wallet(customer);
    const opened = await open({ mode: 'top_up', wallet_id: wallet, credits: '500' });
    await world.ok(world.modules.api.post(`/wallets/${wallet}/terminate`));
    await world.settled();
    expect(world.gateway.closed).toContain(opened.url.split('/').at(-1));
    await world.pageTold(opened.id, 'paid', '250');
    expect(await world.read(opened.invoice_id)).toMatchObject({ payment_status: 'SUCCEEDED', amount_paid: '250' });
    expect(await world.events(opened.invoice_id)).toContain('credit_purchase.stranded');
  });
});

describe('a page that saves a card', () => {
  it('needs a customer and nothing else', async () => {
    const customer = await world.customer();
    const opened = await open({ mode: 'setup', customer_id: customer });
    expect(opened).toMatchObject({ status: 'open', invoice_id: null });
    await world.pageTold(opened.id, 'saved');
    expect(await page(opened.id)).toBe('complete');
    const nobody = await world.openPage({ mode: 'setup' });
    expect([nobody.status, nobody.body.details.field]).toEqual([400, 'customer_id']);
  });
});
