import { beforeAll, describe, expect, it } from '@jest/globals';
import { Outbox } from '@drawdown/platform';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody, type Subscriber } from './story.js';

const AUTHENTICATED = '4000002760003184';

/** The link on an invoice: no key, no end, and looking at it changes nothing. */
describe('the link of an invoice', () => {
  let modules: Modules;
  let story: Story;
  let buyer: Subscriber;
  let invoice: InvoiceBody & { payment_url: string | null };
  const visit = (path: string, method = 'GET') => fetch(`${modules.url}${path}`, { method, redirect: 'manual' });
  const pathOf = (address: string | null) => new URL(address!).pathname;
  const read = async () => story.get<typeof invoice>(`/invoices/${(await buyer.invoices())[0]!.id}`);

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
    const { id } = await story.post<{ id: string }>('/customers', { external_id: 'linked', name: 'linked' });
    await story.saveCardOf(id, AUTHENTICATED);
    buyer = await story.subscribeCustomer('linked', id);
    await modules.get(Outbox).drain(modules.scope);
    invoice = await read();
  }, 120_000);

  it('stands on it while there is something to pay, and in its PDF', async () => {
    expect(invoice.payment_status).toBe('FAILED');
    expect(invoice.payment_url).toMatch(/\/v1\/pay\/[\w-]{32}$/);
    const pdf = await modules.api.get(`/invoices/${invoice.id}/pdf`).buffer(true);
    expect(pdf.status).toBe(200);
    expect(Buffer.from(pdf.body as Buffer).toString('latin1')).toContain(pathOf(invoice.payment_url));
  });

  it('says what is asked for, and opens no page by being looked at', async () => {
    for (let looks = 0; looks < 3; looks++) {
      const page = await visit(pathOf(invoice.payment_url));
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await page.text()).toContain('149.00');
    }
    const { items } = await story.get<{ items: { payment_method_type: string }[] }>(
      `/payments?destination_id=${invoice.id}`,
    );
    expect(items.map(({ payment_method_type }) => payment_method_type)).toEqual(['CARD']);
  });

  it('leads to the page of the gateway, twice to the same, where the holder of the card authenticates and all is well', async () => {
    const first = await visit(pathOf(invoice.payment_url), 'POST');
    const second = await visit(pathOf(invoice.payment_url), 'POST');
    expect([first.status, second.headers.get('location')]).toEqual([303, first.headers.get('location')]);
    await story.fillIn(first.headers.get('location')!, AUTHENTICATED);
    const back = await Promise.all([1, 2, 3].map(() => visit(`${pathOf(invoice.payment_url)}/done`)));
    for (const page of back) expect(await page.text()).toContain('is paid');
    expect(await read()).toMatchObject({ payment_status: 'SUCCEEDED', amount_paid: '149', payment_url: null });
    expect((await buyer.subscription()).subscription_status).toBe('active');
  });

  it('asks for nothing once it is paid, and is nothing where it is wrong', async () => {
    const page = await visit(pathOf(invoice.payment_url));
    expect(await page.text()).not.toContain('<form');
    expect((await visit(pathOf(invoice.payment_url), 'POST')).status).toBe(409);
    expect((await visit('/v1/pay/unknown')).status).toBe(404);
    expect((await visit('/v1/pay/unknown', 'POST')).status).toBe(404);
  });
});
