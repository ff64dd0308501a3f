import { beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, Story, Subscriber, type InvoiceBody } from './story.js';

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
    // PDF_OUT=second.pdf keeps it, to be looked at.
    if (process.env.PDF_OUT) (await import('node:fs')).writeFileSync(process.env.PDF_OUT, answer.body as Buffer);
  });

  it('tells which events made its usage line', async () => {
    const { line_items } = await story.get<{ line_items: Record<string, unknown>[] }>(
      `/invoices/${second.id}?expand_by_source=true&group_by=rows,plan`,
    );
    const part = { cost: '2250', usage: '1500', percentage: '100', event_count: 1 };
    expect(line_items.map((line) => [line.price_type, line.usage_analytics, line.usage_breakdown])).toEqual([
      ['FIXED', null, null],
      ['USAGE', [{ source: '', ...part }], [{ grouped_by: { rows: '1500', plan: '' }, ...part }]],
    ]);
  });

  it('can be read under a link without a key, a guessed link not', async () => {
    const { presigned_url } = await story.get<{ presigned_url: string }>(`/invoices/${second.id}/pdf?url=true`);
    const { origin, pathname } = new URL(presigned_url);
    expect(origin).toBe(new URL(modules.url).origin);
    const opened = await request(modules.url).get(pathname);
    expect([opened.status, opened.headers['content-type']]).toEqual([200, 'application/pdf']);
    const guessed = pathname.slice(0, -1) + (pathname.endsWith('A') ? 'B' : 'A');
    expect((await request(modules.url).get(guessed)).status).toBe(404);
  });

  it('of an unknown invoice is 404', async () => {
    expect((await modules.api.get('/invoices/inv_none/pdf')).status).toBe(404);
    expect((await modules.api.get('/invoices/inv_none/pdf?url=true')).status).toBe(404);
  });
});

describe('a void invoice', () => {
  let buyer: Subscriber;
  let first: InvoiceBody;
  beforeAll(async () => {
    buyer = await story.subscribe('voider', { start_date: '2026-02-24T10:00:00Z' });
    await modules.advanceTo('2026-03-10T11:00:00Z');
    first = await buyer.lastInvoice();
    expect([first.invoice_status, ...amounts(first.amount_remaining)]).toEqual(['FINALIZED', '149']);
  });

  it('is only made of a finalized one, nobody has a payment under way of', async () => {
    const page = await story.post<{ id: string }>('/checkout/sessions', {
      mode: 'invoice',
      invoice_id: first.id,
      ...PAGES,
    });
    expect(await refusal('post', `/invoices/${first.id}/void`)).toEqual([409, 'invalid_state', 'in_progress']);
    expect((await story.get<{ status: string }>(`/checkout/sessions/${page.id}`)).status).toBe('open');
    await modules.advanceTo('2026-03-11T12:00:00Z');
  });

  it('asks for nothing, keeps its number, and can be neither paid nor changed', async () => {
    await modules.advanceTo('2026-03-18T00:00:00Z');
    expect((await buyer.subscription()).subscription_status).toBe('past_due');
    expect(await story.post(`/invoices/${first.id}/void`, {}, 200)).toEqual({ message: 'the invoice is void' });
    const gone = await story.get<InvoiceBody & { voided_at: string }>(`/invoices/${first.id}`);
    expect([
      gone.invoice_status,
      gone.invoice_number,
      gone.voided_at,
      ...amounts(gone.total, gone.amount_remaining),
    ]).toEqual(['VOIDED', first.invoice_number, '2026-03-18T00:00:00.000Z', '149', '0']);
    expect((await buyer.subscription()).subscription_status).toBe('active');
    expect(await refusal('post', `/invoices/${first.id}/void`)).toEqual([409, 'invalid_state', 'VOIDED']);
    expect(await refusal('put', `/invoices/${first.id}/payment`, { payment_status: 'SUCCEEDED' })).toEqual([
      409,
      'invalid_state',
      'VOIDED',
    ]);
    expect((await pdfOf(first.id)).status).toBe(200);
  });

  it('is not billed again: the next invoice is of the next period', async () => {
    await modules.advanceTo('2026-04-10T11:00:00Z');
    const invoices = await buyer.invoices();
    expect(invoices.map((invoice) => [invoice.invoice_status, invoice.period_start])).toEqual([
      ['VOIDED', '2026-03-10T10:00:00.000Z'],
      ['FINALIZED', '2026-04-10T10:00:00.000Z'],
    ]);
    expect(await modules.advanceTo('2026-04-10T11:00:00Z')).toEqual([]);
  });
});

describe('a one-off invoice', () => {
  const write = (more: object = {}) => ({
    customer_id: customerId,
    currency: 'usd',
    subtotal: '250.50',
    total: '250.50',
    amount_due: '250.50',
    line_items: [
      { display_name: 'Set-up', amount: '300.50', quantity: '1' },
      { display_name: 'Goodwill', amount: '-50', quantity: '1' },
    ],
    ...more,
  });
  let customerId: string;
  beforeAll(async () => {
    customerId = (await story.post<{ id: string }>('/customers', { external_id: 'one-off', name: 'One-Off' })).id;
  });

  it('is finalized at once, with a number and its lines', async () => {
    const made = await story.post<InvoiceBody & { due_date: string; invoice_type: string }>('/invoices', write());
    expect([made.invoice_status, made.invoice_type, made.billing_reason, made.payment_status]).toEqual([
      'FINALIZED',
      'ONE_OFF',
      'MANUAL',
      'PENDING',
    ]);
    expect([...amounts(made.total, made.amount_remaining), made.due_date]).toEqual([
      '250.5',
      '250.5',
      '2026-04-17T11:00:00.000Z',
    ]);
    expect(made.line_items.map((line) => [line.display_name, ...amounts(line.amount)])).toEqual([
      ['Set-up', '300.5'],
      ['Goodwill', '-50'],
    ]);
  });

  it('is one per key', async () => {
    const body = write({ idempotency_key: 'once' });
    const [made, again] = [
      await story.post<InvoiceBody>('/invoices', body),
      await story.post<InvoiceBody>('/invoices', body),
    ];
    expect(again.id).toBe(made.id);
    const other = {
      ...body,
      subtotal: '1',
      total: '1',
      amount_due: '1',
      line_items: [{ display_name: 'x', amount: '1', quantity: '1' }],
    };
    expect((await modules.api.post('/invoices', other)).status).toBe(409);
  });

  it('waits as a draft, takes a due date, and keeps its lines when it is finalized', async () => {
    const draft = await story.post<InvoiceBody>('/invoices', write({ invoice_status: 'DRAFT' }));
    expect([draft.invoice_status, draft.invoice_number, ...amounts(draft.total)]).toEqual(['DRAFT', null, '250.5']);
    const changed = await modules.api.put(`/invoices/${draft.id}`, {
      due_date: '2026-05-01T00:00:00Z',
      metadata: { po: '7' },
    });
    expect([changed.status, changed.body.due_date, changed.body.metadata]).toEqual([
      200,
      '2026-05-01T00:00:00.000Z',
      { po: '7' },
    ]);
    const done = await story.post<InvoiceBody & { due_date: string }>(
      `/invoices/${draft.id}/recalculate?finalize=true`,
      {},
      200,
    );
    expect([done.invoice_status, done.due_date, done.line_items.length, ...amounts(done.amount_remaining)]).toEqual([
      'FINALIZED',
      '2026-05-01T00:00:00.000Z',
      2,
      '250.5',
    ]);
    expect(await refusal('post', `/invoices/${draft.id}/recalculate`)).toEqual([409, 'invalid_state', 'FINALIZED']);
    expect(await refusal('put', `/invoices/${draft.id}`, { due_date: '2026-04-01T00:00:00Z' })).toEqual([
      400,
      'validation_error',
      null,
    ]);
    expect(await story.post(`/invoices/${draft.id}/comms/trigger`, {}, 200)).toEqual({
      message: 'invoice.comms_triggered was published',
    });
  });

  it.each([
    ['total', { total: '250' }],
    ['line_items[0].amount', { line_items: [{ display_name: 'x', amount: '250.505', quantity: '1' }] }],
    ['due_date', { due_date: '2026-01-01T00:00:00Z' }],
    ['period_end', { period_start: '2026-01-01T00:00:00Z' }],
    [
      'subtotal',
      { subtotal: '0', total: '0', amount_due: '0', line_items: [{ display_name: 'x', amount: '-1', quantity: '1' }] },
    ],
  ])('is refused for its %s when it does not add up', async (field, more) => {
    const answer = await modules.api.post('/invoices', write(more));
    expect([answer.status, JSON.stringify(answer.body).includes(field)]).toEqual([400, true]);
  });
});

describe('money recorded by hand', () => {
  let id: string;
  const read = () => story.get<InvoiceBody & { amount_paid: string; overpaid_amount: string }>(`/invoices/${id}`);
  beforeAll(async () => {
    const customer = await story.post<{ id: string }>('/customers', { external_id: 'by-hand' });
    const made = await story.post<InvoiceBody>('/invoices', {
      customer_id: customer.id,
      currency: 'usd',
      subtotal: '100',
      total: '100',
      amount_due: '100',
      line_items: [{ display_name: 'Advice', amount: '100', quantity: '4' }],
    });
    id = made.id;
  });

  it('pays a part, then the rest', async () => {
    const part = await modules.api.put(`/invoices/${id}/payment`, { payment_status: 'SUCCEEDED', amount: '40' });
    expect([
      part.status,
      part.body.payment_status,
      ...amounts(part.body.amount_paid, part.body.amount_remaining),
    ]).toEqual([200, 'PENDING', '40', '60']);
    expect(await refusal('post', `/invoices/${id}/void`)).toEqual([409, 'invalid_state', 'PENDING']);
    const payment = await story.post<{ id: string; payment_method_type: string; payment_status: string }>('/payments', {
      amount: '60',
      currency: 'usd',
      destination_type: 'INVOICE',
      destination_id: id,
      payment_method_type: 'OFFLINE',
    });
    expect([payment.payment_method_type, payment.payment_status]).toEqual(['OFFLINE', 'SUCCEEDED']);
    const paid = await read();
    expect([paid.payment_status, ...amounts(paid.amount_paid, paid.amount_remaining)]).toEqual([
      'SUCCEEDED',
      '100',
      '0',
    ]);
    const listed = await story.get<{ items: unknown[] }>(`/payments?destination_id=${id}&payment_method_type=OFFLINE`);
    expect(listed.items).toHaveLength(2);
  });

  it('is refused for what is paid', async () => {
    expect(await refusal('put', `/invoices/${id}/payment`, { payment_status: 'SUCCEEDED' })).toEqual([
      409,
      'invalid_state',
      'SUCCEEDED',
    ]);
  });

  it('is refused in parts of a cent, and in a status that says nothing arrived', async () => {
    const put = (body: object) => refusal('put', `/invoices/${id}/payment`, body);
    expect((await put({ payment_status: 'FAILED' }))[0]).toBe(400);
    expect((await put({ payment_status: 'SUCCEEDED', amount: '0' }))[0]).toBe(400);
  });
});

describe('payments asked for', () => {
  let payer: Subscriber;
  let open: InvoiceBody;
  const ask = (type: string, more: object = {}) => ({
    amount: '30',
    currency: 'usd',
    destination_type: 'INVOICE',
    destination_id: open.id,
    payment_method_type: type,
    ...more,
  });
  beforeAll(async () => {
    payer = await story.subscribe('payer');
    open = await story.post<InvoiceBody>('/invoices', {
      customer_id: payer.customerId,
      currency: 'usd',
      subtotal: '30',
      total: '30',
      amount_due: '30',
      line_items: [{ display_name: 'Advice', amount: '30', quantity: '1' }],
    });
  });

  it('by card need a saved card and the whole amount', async () => {
    expect((await refusal('post', '/payments', ask('CARD')))[2]).toBe('no_saved_method');
    expect((await refusal('post', '/payments', ask('CARD', { amount: '29' })))[0]).toBe(400);
    expect((await refusal('post', '/payments', ask('OFFLINE', { currency: 'eur' })))[0]).toBe(400);
  });

  it('on a hosted page answer its address', async () => {
    expect((await refusal('post', '/payments', ask('PAYMENT_LINK')))[0]).toBe(400);
    const made = await story.post<{ payment_status: string; payment_url: string }>(
      '/payments',
      ask('PAYMENT_LINK', PAGES),
    );
    expect([made.payment_status, new URL(made.payment_url).protocol]).toEqual(['PENDING', 'http:']);
    expect(await refusal('post', '/payments', ask('OFFLINE'))).toEqual([409, 'invalid_state', 'in_progress']);
  });
});

describe('credits of a wallet that allows fees', () => {
  let payer: Subscriber;
  const ledger = async () => {
    const { id } = await payer.wallet();
    const { items } = await story.get<{ items: { transaction_reason: string; credit_amount: string; type: string }[] }>(
      `/wallets/${id}/transactions?limit=100&order=asc`,
    );
    return items.map((entry) => `${entry.type} ${entry.transaction_reason} ${amounts(entry.credit_amount)[0]}`);
  };
  beforeAll(async () => {
    const customer = await story.post<{ id: string }>('/customers', { external_id: 'fee-payer' });
    const wallet = {
      customer_id: customer.id,
      currency: 'usd',
      initial_credits_to_load: '200',
      config: { allowed_price_types: ['ALL'] },
    };
    await story.post('/wallets', wallet, 200);
    const subscription = await story.post<{ id: string; trial_end: string }>('/subscriptions', {
      customer_id: customer.id,
      plan_id: story.starter.planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
    });
    payer = new Subscriber(story, 'fee-payer', customer.id, subscription.id);
    await payer.enrich(20);
    await modules.advanceTo(subscription.trial_end);
  });

  it('pay the fee at finalization, as the draft shows; the grant of its own period does not', async () => {
    const draft = await payer.lastInvoice();
    expect([draft.invoice_status, ...amounts(draft.amount_due, draft.total_prepaid_credits_applied)]).toEqual([
      'DRAFT',
      '0',
      '179',
    ]);
    expect(await payer.balance()).toBe('2200');
    await modules.advanceTo('2026-04-24T12:00:00Z');
    const invoice = await payer.lastInvoice();
    expect([
      invoice.invoice_status,
      invoice.payment_status,
      ...amounts(invoice.total, invoice.total_prepaid_credits_applied),
    ]).toEqual(['FINALIZED', 'SUCCEEDED', '0', '179']);
    expect(await payer.balance()).toBe('2051');
  });

  it('return to their lots when the invoice is withdrawn', async () => {
    const invoice = await payer.lastInvoice();
    await story.post(`/invoices/${invoice.id}/void`, {}, 200);
    expect(await payer.balance()).toBe('2200');
    expect((await ledger()).filter((entry) => entry.endsWith(' 149'))).toEqual([
      'debit INVOICE_PAYMENT 149',
      'credit CREDIT_ADJUSTMENT 149',
    ]);
  });
});

const PAGES = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };

/** Status, code, and the state or reason it names. */
async function refusal(method: 'post' | 'put', path: string, body: object = {}): Promise<unknown[]> {
  const { status, body: said } = await modules.api[method](path, body);
  const { code, details } = said as { code: string; details: { state?: string; reason?: string } };
  return [status, code, details.state ?? details.reason ?? null];
}

const pdfOf = (id: string) =>
  modules.api
    .get(`/invoices/${id}/pdf`)
    .buffer(true)
    .parse((response, done) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => done(null, Buffer.concat(parts)));
    });
