import { Agenda } from '@drawdown/platform';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { defineStarter, type StarterIds } from '../../../apps/demo/src/starter-plan.js';
import { InvoicingWorld, type InvoiceBody } from './invoicing-world.js';

let world: InvoicingWorld;
let starter: StarterIds;
let starterWithoutTrial: StarterIds;
const lines = (invoice: InvoiceBody) =>
  invoice.line_items.map((line) => [
    line['display_name'],
    line['quantity'],
    line['free_units'],
    line['amount'],
    line['prepaid_credits_applied'],
    line['line_item_discount'],
    line['amount_due'],
  ]);
const totals = (invoice: InvoiceBody) => [
  invoice['subtotal'],
  invoice['total_discount'],
  invoice['total_prepaid_credits_applied'],
  invoice.amount_due,
];
const invoicesOf = async (subscription: string) =>
  (
    await world.ok<{ items: InvoiceBody[] }>(
      world.modules.api.post('/invoices/search', { subscription_id: subscription, order: 'asc' }),
    )
  ).items;
const last = async (subscription: string) => (await invoicesOf(subscription)).at(-1)!;
const subscription = (id: string) => world.ok<Record<string, unknown>>(world.modules.api.get(`/subscriptions/${id}`));

/** On the Starter plan: (14 days of trial with 100 credits, then) 149 and 2,000 credits a month. */
const onStarter = async ({ planId } = starter) => {
  const customer = await world.customer();
  return { customer, id: (await world.subscribe(customer, { plan_id: planId })).id };
};
let events = 0;
const use = (customer: string, event_name: string, properties: Record<string, string>) =>
  world.ok(
    world.modules.api.post('/events', { event_name, customer_id: customer, event_id: `e${++events}`, properties }),
    202,
  );

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
  const post = (path: string, body: object) =>
    world.ok<{ id: string; meter_id: string }>(world.modules.api.post(path, body), 201);
  starter = await defineStarter(post, 'bills');
  starterWithoutTrial = await defineStarter(post, 'bills-without-trial', 0);
}, 60_000);

describe('a trial', () => {
  it('is billed with the first fee at its end: free units, credits, and the uncovered part waived', async () => {
    const { customer, id } = await onStarter();
    for (let table = 0; table < 6; table++) await use(customer, 'table_create', { status: 'success' });
    await use(customer, 'contact_enrich', { rows: '80' });
    await world.modules.advanceTo('2026-01-24T09:00:00Z');
    const draft = await last(id);
    expect([draft.invoice_status, draft.invoice_number]).toEqual(['DRAFT', null]);
    const said = [
      ['Starter', '1', '0', '149', '0', '0', '149'],
      ['Tables created', '6', '5', '10', '10', '0', '0'],
      ['Contacts enriched', '80', '0', '120', '90', '30', '0'],
    ];
    expect(lines(draft)).toEqual(said);
    expect(totals(draft)).toEqual(['279', '30', '100', '149']);

    await world.modules.advanceTo('2026-01-24T10:00:00Z');
    const invoice = await last(id);
    expect([invoice.id, invoice.invoice_status, invoice['billing_reason']]).toEqual([
      draft.id,
      'FINALIZED',
      'SUBSCRIPTION_CYCLE',
    ]);
    expect(lines(invoice)).toEqual(said);
    expect(totals(invoice)).toEqual(totals(draft));
    expect(invoice['due_date']).toBe('2026-01-31T10:00:00.000Z');
  });
});

describe('a paid month', () => {
  it('ends with the next fee and what credits did not cover: 149 + 250 = 399, and the preview said so', async () => {
    const { customer, id } = await onStarter(starterWithoutTrial);
    const start = (await subscription(id))['current_period_start'] as string;
    const first = await last(id);
    expect([first.invoice_status, first.amount_due, first['billing_reason']]).toEqual([
      'FINALIZED',
      '149',
      'SUBSCRIPTION_CREATE',
    ]);
    await use(customer, 'contact_enrich', { rows: '1500' });

    const written = () =>
      world.rows<object>(sql`
        select (select count(*) from invoice) i, (select count(*) from invoice_line) l,
               (select count(*) from outbox_event) e, (select count(*) from due_work) d`);
    const before = await written();
    const preview = await world.ok<InvoiceBody>(world.modules.api.post('/invoices/preview', { subscription_id: id }));
    expect(await written()).toEqual(before);
    expect([preview.id, preview.invoice_number, preview.amount_due]).toEqual([null, null, '399']);

    const end = new Date(start);
    end.setUTCMonth(end.getUTCMonth() + 1);
    await world.modules.advanceTo(new Date(end.getTime() + 3_600_000).toISOString());
    const invoice = await last(id);
    expect(invoice.invoice_status).toBe('FINALIZED');
    expect(lines(invoice)).toEqual(lines(preview));
    expect(totals(invoice)).toEqual(['2399', '0', '2000', '399']);
    expect(invoice['period_start']).toBe(end.toISOString());
    expect(invoice.line_items.map((line) => line['period_start'])).toEqual([end.toISOString(), start]);
  });

  it('is billed once, whatever runs again', async () => {
    const { customer, id } = await onStarter(starterWithoutTrial);
    const invoice = await last(id);
    const before = await world.events(invoice.id);
    await world.modules.run(async (tx) => {
      const again = { customerId: customer, dueAt: tx.now };
      const agenda = world.modules.get(Agenda);
      await agenda.schedule(tx, { ...again, kind: 'subscription.start', subjectId: id });
      await agenda.schedule(tx, { ...again, kind: 'period.open', subjectId: id });
      await agenda.schedule(tx, { ...again, kind: 'invoice.finalize', subjectId: invoice.id });
    });
    await world.wait(1);
    expect(await invoicesOf(id)).toHaveLength(1);
    expect(await world.events(invoice.id)).toEqual(before);
    const again = await world.modules.api.post(`/invoices/${invoice.id}/finalize`);
    expect([again.status, again.body.details.state]).toEqual([409, 'FINALIZED']);
  });
});

describe('a subscription without usage', () => {
  it('is billed and finalized at once, due in 7 days or by its terms', async () => {
    const usual = await world.subscribe(await world.customer());
    const { now } = await world.ok<{ now: string }>(world.modules.api.get('/clock'));
    const inDays = (days: number) => new Date(Date.parse(now) + days * 86_400_000).toISOString();
    expect(usual.latest_invoice).toMatchObject({ invoice_status: 'FINALIZED', due_date: inDays(7) });
    const terms = await world.subscribe(await world.customer(), { payment_terms: '15 NET' });
    expect(terms.latest_invoice).toMatchObject({ due_date: inDays(15) });
  });

  it('that costs nothing is paid at once', async () => {
    const free = await world.subscribe(await world.customer(), { plan_id: await world.plan({ amount: '0' }) });
    expect(free.latest_invoice).toMatchObject({
      amount_due: '0',
      payment_status: 'SUCCEEDED',
      invoice_status: 'FINALIZED',
    });
  });
});

describe('an invoice with nothing on it', () => {
  it('is not made: the draft of a month without usage is gone when it is finalized', async () => {
    const arrears = await world.subscribe(await world.customer(), {
      plan_id: await world.plan({ amount: '5', invoice_cadence: 'ARREAR' }),
    });
    expect(arrears.latest_invoice).toBeNull();
    const feature = await world.ok<{ meter_id: string }>(
      world.modules.api.post('/features', {
        name: 'Calls',
        type: 'metered',
        meter: { name: 'Calls', event_name: 'call', aggregation: { type: 'COUNT' }, reset_usage: 'BILLING_PERIOD' },
      }),
      201,
    );
    const usagePlan = await world.plan({
      type: 'USAGE',
      invoice_cadence: 'ARREAR',
      amount: '2',
      meter_id: feature.meter_id,
    });
    const { id } = await world.subscribe(await world.customer(), { plan_id: usagePlan });
    expect(await invoicesOf(id)).toEqual([]);
    const end = (await subscription(id))['current_period_end'] as string;
    await world.modules.advanceTo(end);
    expect(await invoicesOf(id)).toMatchObject([{ invoice_status: 'DRAFT', line_items: [], amount_due: '0' }]);
    const happened = await world.wait(60);
    expect(happened).toContain('invoice.dropped');
    expect(await invoicesOf(id)).toEqual([]);
    expect(await invoicesOf(arrears.id)).toMatchObject([{ amount_due: '5' }]);
  });
});

describe('a finalized invoice', () => {
  it('keeps its numbers gap-free although a finalization is rolled back', async () => {
    const number = async () => (await world.subscribe(await world.customer())).latest_invoice!.invoice_number;
    const first = await number();
    await expect(
      world.modules.run(async (tx) => {
        await sql`update invoice_number set last = last + 1`.execute(tx.db);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    const [, month, counter] = first.split('-');
    expect(await number()).toBe(`INV-${month}-${String(Number(counter) + 1).padStart(5, '0')}`);
  });

  it('is numbered without gap or repeat when many are finalized at the same time', async () => {
    const customers = await Promise.all(Array.from({ length: 6 }, () => world.customer()));
    const made = await Promise.all(customers.map((customer) => world.subscribe(customer)));
    const counters = made
      .map((one) => Number(one.latest_invoice!.invoice_number.split('-')[2]))
      .toSorted((a, b) => a - b);
    expect(counters).toEqual(Array.from({ length: 6 }, (_, n) => counters[0]! + n));
  });

  it.each([
    ['its total', sql`update invoice set total = 1, subtotal = 1`],
    ['its number', sql`update invoice set number = 'INV-1'`],
    ['its status, back to draft', sql`update invoice set status = 'DRAFT', number = null, finalized_at = null`],
    ['its currency', sql`update invoice set currency = 'eur'`],
    ['a line', sql`update invoice_line set gross = gross + 1, due = due + 1`],
    ['the lines, by deleting them', sql`delete from invoice_line`],
    ['itself, by being deleted', sql`delete from invoice`],
  ])('refuses in the database itself to change %s', async (_what, statement) => {
    await world.subscribe(await world.customer());
    await expect(world.modules.run((tx) => statement.execute(tx.db))).rejects.toThrow(/is finalized/);
  });

  it('refuses another line', async () => {
    const { latest_invoice: invoice } = await world.subscribe(await world.customer());
    const another = sql`
      insert into invoice_line
      select (jsonb_populate_record(l, jsonb_build_object('id', 'inv_line_x', 'position', l.position + 1))).*
      from invoice_line l where l.invoice_id = ${invoice!.id}`;
    await expect(world.modules.run((tx) => another.execute(tx.db))).rejects.toThrow(/INSERT of a line refused/);
  });

  it('falls due unpaid, makes the subscription past due, and is healed by a page', async () => {
    const { id, latest_invoice: invoice } = await world.subscribe(await world.customer());
    const happened = await world.wait(7 * 24 * 60);
    expect(happened).toEqual(expect.arrayContaining(['invoice.fell_due', 'subscription.past_due']));
    expect((await subscription(id))['subscription_status']).toBe('past_due');
    const page = await world.ok<{ id: string }>(world.openPage({ mode: 'invoice', invoice_id: invoice!.id }), 201);
    await world.pageTold(page.id, 'paid', '149');
    expect((await subscription(id))['subscription_status']).toBe('active');
    expect((await world.events(invoice!.id)).slice(-5)).toEqual([
      'invoice.fell_due',
      'dunning.started',
      'payment.succeeded',
      'invoice.paid',
      'dunning.healed',
    ]);
  });
});

describe('a cancellation', () => {
  const cancel = (id: string, over: object = {}) =>
    world.ok<Record<string, unknown> & { proration_invoice: InvoiceBody | null }>(
      world.modules.api.post(`/subscriptions/${id}/cancel`, { cancellation_type: 'immediate', ...over }),
    );

  it('bills what is unbilled on a final invoice, which waits for late usage', async () => {
    const { customer, id } = await onStarter(starterWithoutTrial);
    await use(customer, 'contact_enrich', { rows: '1500' });
    const cancelled = await cancel(id, { reason: 'moving on' });
    expect(cancelled).toMatchObject({
      subscription_id: id,
      status: 'cancelled',
      reason: 'moving on',
      proration_invoice: { invoice_status: 'DRAFT', amount_due: '250', billing_reason: 'SUBSCRIPTION_UPDATE' },
    });
    await world.wait(60);
    const invoice = await last(id);
    expect([invoice.id, invoice.invoice_status, invoice.amount_due]).toEqual([
      cancelled.proration_invoice!.id,
      'FINALIZED',
      '250',
    ]);
  });

  it('leaves it unbilled on request', async () => {
    const { customer, id } = await onStarter(starterWithoutTrial);
    await use(customer, 'contact_enrich', { rows: '1500' });
    const cancelled = await cancel(id, { cancel_immediately_inovice_policy: 'skip' });
    expect(cancelled.proration_invoice).toBeNull();
    await world.wait(60);
    expect(await invoicesOf(id)).toHaveLength(1);
  });
});

describe('reading invoices', () => {
  it('searches by what they say', async () => {
    const customer = await world.customer();
    const { id, latest_invoice: invoice } = await world.subscribe(customer);
    const search = async (body: object) =>
      (
        await world.ok<{ items: InvoiceBody[] }>(
          world.modules.api.post('/invoices/search', { customer_id: customer, ...body }),
        )
      ).items.map((one) => one.id);
    const found = [invoice!.id];
    expect(await search({})).toEqual(found);
    expect(await search({ subscription_id: id, invoice_type: 'SUBSCRIPTION', invoice_status: ['FINALIZED'] })).toEqual(
      found,
    );
    expect(await search({ amount_due_gt: 148.99, amount_remaining_gt: '148', payment_status: ['PENDING'] })).toEqual(
      found,
    );
    expect(await search({ amount_due_gt: 149 })).toEqual([]);
    expect(await search({ period_start_gte: '2020-01-01T00:00:00Z', period_end_lte: '2040-01-01T00:00:00Z' })).toEqual(
      found,
    );
    expect(await search({ period_start_lte: '2020-01-01T00:00:00Z' })).toEqual([]);
    expect(await search({ external_customer_id: 'nobody', customer_id: null })).toEqual([]);
    const refused = await world.modules.api.post('/invoices/search', { invoice_status: ['OPEN'] });
    expect([refused.status, refused.body.details.field]).toEqual([400, 'invoice_status']);
  });

  it('sums them up per currency', async () => {
    const customer = await world.customer();
    await world.subscribe(customer);
    const path = `/customers/${customer}/invoices/summary`;
    expect(await world.ok(world.modules.api.get(path))).toEqual({
      customer_id: customer,
      default_currency: 'usd',
      summaries: [
        {
          customer_id: customer,
          currency: 'usd',
          total_invoice_count: 1,
          unpaid_invoice_count: 1,
          overdue_invoice_count: 0,
          total_revenue_amount: '149',
          total_unpaid_amount: '149',
          total_overdue_amount: '0',
          unpaid_usage_charges: '0',
          unpaid_fixed_charges: '149',
          account_credit_amount: '0',
        },
      ],
    });
    expect((await world.modules.api.get('/customers/cust_none/invoices/summary')).status).toBe(404);
  });

  it('answers 404 for what does not exist, and 409 for a preview of nothing', async () => {
    for (const path of [
      '/invoices/inv_none',
      '/payments/pay_none',
      '/checkout/sessions/none',
      '/wallets/none/balance/real-time',
    ])
      expect([path, (await world.modules.api.get(path)).status]).toEqual([path, 404]);
    const future = await world.subscribe(await world.customer(), { start_date: '2027-01-01T00:00:00Z' });
    expect((await world.modules.api.post('/invoices/preview', { subscription_id: future.id })).status).toBe(409);
  });
});
