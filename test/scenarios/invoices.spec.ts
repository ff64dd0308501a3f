import { beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type InvoiceBody, type Subscriber } from './story.js';

/** Invoices beside the billing run: on paper, withdrawn, made by hand, paid by hand. */
let modules: Modules;
let story: Story;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
  await story.defineStarter();
});

describe('the PDF of the second invoice of the walk-through', () => {
  let acme: Subscriber;
  let second: InvoiceBody;
  beforeAll(async () => {
    const tenant = await modules.api.put('/tenants/update', {
      name: 'Enrich & Søns',
      billing_details: {
        email: 'billing@enrich.example',
        address: { address_line1: '1 Market Street', address_city: 'San Francisco', address_country: 'US' },
      },
    });
    expect(tenant.status).toBe(200);
    acme = await story.subscribe('acme');
    const customer = await modules.api.put(`/customers?id=${acme.customerId}`, {
      name: 'Müller € Ελλάς Ірина Յան 東京 🙂',
      email: 'ap@acme.example',
      address_line1: 'Hauptstraße 5',
      address_city: 'Köln',
      address_country: 'DE',
    });
    expect(customer.status).toBe(200);
    await modules.advanceTo('2026-01-24T10:00:00Z');
    await acme.pay(await acme.lastInvoice());
    await acme.enrich(1500);
    await modules.advanceTo('2026-02-24T09:00:00Z');
  });

  it('is marked as a draft while it is one', async () => {
    const draft = await acme.lastInvoice();
    expect(draft.invoice_status).toBe('DRAFT');
    const answer = await pdfOf(draft.id);
    expect([answer.status, answer.headers['content-disposition']]).toEqual([
      200,
      `inline; filename="draft-${draft.id}.pdf"`,
    ]);
  });

  it('is a PDF named by its number', async () => {
    await modules.advanceTo('2026-02-24T10:00:00Z');
    second = await acme.lastInvoice();
    const answer = await pdfOf(second.id);
    expect([answer.status, answer.headers['content-type'], answer.headers['content-disposition']]).toEqual([
      200,
      'application/pdf',
      `inline; filename="${second.invoice_number}.pdf"`,
    ]);
    expect((answer.body as Buffer).subarray(0, 5).toString()).toBe('%PDF-');
    if (process.env.PDF_OUT) (await import('node:fs')).writeFileSync(process.env.PDF_OUT, answer.body as Buffer);
  });

  it('can be read under a link without a key, a guessed link not', async () => {
    const { presigned_url } = await story.get<{ presigned_url: string }>(`/invoices/${second.id}/pdf?url=true`);
    const { origin, pathname } = new URL(presigned_url);
    expect(origin).toBe(new URL(modules.url).origin);
    const opened = await request(modules.url).get(pathname);
    expect([opened.status, opened.headers['content-type']]).toEqual([200, 'application/pdf']);
    expect((await request(modules.url).get(`${pathname.slice(0, -1)}_`)).status).toBe(404);
  });

  it('of an unknown invoice is 404', async () => {
    expect((await modules.api.get('/invoices/inv_none/pdf')).status).toBe(404);
    expect((await modules.api.get('/invoices/inv_none/pdf?url=true')).status).toBe(404);
  });
});

const pdfOf = (id: string) =>
  modules.api
    .get(`/invoices/${id}/pdf`)
    .buffer(true)
    .parse((response, done) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => done(null, Buffer.concat(parts)));
    });
