import { StandingClockJobs } from '@drawdown/invoicing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { declined, type InvoiceBody, InvoicingWorld, lost, succeeded } from './invoicing-world.js';

let world: InvoicingWorld;
const byHand = (invoiceId: string) => world.modules.api.post(`/invoices/${invoiceId}/payment/attempt`);
const money = async (invoiceId: string) => {
  const { payment_status, amount_paid, amount_remaining, overpaid_amount } = await world.read(invoiceId);
  return [payment_status, amount_paid, amount_remaining, overpaid_amount];
};
const PAID = ['SUCCEEDED', '149', '0', '0'];
const chargesOf = (invoiceId: string) => world.gateway.charged.filter((request) => request.invoiceId === invoiceId);

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('a finalized invoice with a saved card', () => {
  it('is charged once, after the commit, with the amount it asks for', async () => {
    const invoice = await world.invoice(await world.customer({ card: true }));
    expect(chargesOf(invoice)).toMatchObject([{ amount: '149', currency: 'usd', gatewayPaymentId: null }]);
    expect(await money(invoice)).toEqual(PAID);
    expect(await world.events(invoice)).toEqual([
      'invoice.drafted',
      'invoice.finalized',
      'payment.succeeded',
      'invoice.paid',
    ]);
    expect(await world.payments(invoice)).toMatchObject([
      {
        payment_status: 'SUCCEEDED',
        payment_method_type: 'CARD',
        attempts: [{ attempt_number: 1, state: 'succeeded' }],
      },
    ]);
  });

  it('has its attempt and the frozen request committed before anything is sent', async () => {
    const customer = await world.customer({ card: true });
    let seen: unknown[] = [];
    world.gateway.beforeCharge = async ({ attemptId }) => {
      seen = await world.rows(
        sql`select state, request ->> 'amount' amount from payment_attempt where id = ${attemptId}`,
      );
    };
    await world.invoice(customer);
    world.gateway.beforeCharge = null;
    expect(seen).toEqual([{ state: 'sent', amount: '149' }]);
  });

  it('is charged once though it is asked for five times at the same moment', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    world.putCard(customer);
    await Promise.all(Array.from({ length: 5 }, () => byHand(invoice)));
    const ids = new Set(chargesOf(invoice).map((request) => request.attemptId));
    expect(ids.size).toBe(1);
    expect(await world.attempts(invoice)).toMatchObject([{ state: 'succeeded' }]);
    expect(await money(invoice)).toEqual(PAID);
  });

  it('is not charged where invoices are sent, unless somebody asks', async () => {
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer, { collection_method: 'send_invoice' });
    expect(chargesOf(invoice)).toEqual([]);
    expect((await byHand(invoice)).body).toEqual({ message: 'the payment succeeded' });
    expect(await money(invoice)).toEqual(PAID);
  });
});

describe('a crash after the commit and before the call', () => {
  it('leaves an attempt that payment.retry sends', async () => {
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(await world.customer({ card: true }));
    // As it was before the call: nobody has sent it, and only the due work knows of it.
    await world.rows(sql`update payment_attempt set state = 'created', sent_at = null where invoice_id = ${invoice}`);
    const before = chargesOf(invoice).length;
    const happened = await world.wait(2);
    expect(happened).toContain('payment_attempt.left_open');
    expect(chargesOf(invoice)).toHaveLength(before + 1);
    expect(world.gateway.resolved.filter((request) => request.invoiceId === invoice)).toEqual([]);
    expect(await money(invoice)).toEqual(PAID);
  });
});

describe('an outcome that is not known', () => {
  it('blocks every other charge until the gateway has told', async () => {
    world.gateway.willAnswer(lost());
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer);
    expect(await world.attempts(invoice)).toMatchObject([{ state: 'unknown' }]);
    expect((await world.openPage({ mode: 'invoice', invoice_id: invoice })).status).toBe(409);
    world.gateway.willAnswer(lost());
    expect((await byHand(invoice)).body.message).toContain('not known yet');
    world.gateway.willAnswer(lost());
    await world.saveCard(customer);
    expect(chargesOf(invoice)).toHaveLength(1);
    expect(await money(invoice)).toEqual(['PENDING', '0', '149', '0']);

    world.gateway.willAnswer(succeeded({ invoiceId: invoice, amount: '149' }));
    await world.wait(60);
    expect(chargesOf(invoice)).toHaveLength(1);
    expect(await money(invoice)).toEqual(PAID);
  });

  it('is asked about again and again, later each time, and sent again under the same id when it never arrived', async () => {
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(await world.customer({ card: true }));
    const [attempt] = await world.attempts(invoice);
    const before = world.gateway.resolved.length;
    world.gateway.willAnswer(lost(), lost(), { status: 'none' }, succeeded({ invoiceId: invoice, amount: '149' }));
    await world.wait(1);
    expect(world.gateway.resolved).toHaveLength(before);
    await world.wait(1);
    expect(world.gateway.resolved).toHaveLength(before + 1);
    await world.wait(3);
    expect(world.gateway.resolved).toHaveLength(before + 1);
    await world.wait(1);
    expect(world.gateway.resolved).toHaveLength(before + 2);
    await world.wait(8);
    expect(chargesOf(invoice).map((request) => request.attemptId)).toEqual([attempt!.id, attempt!.id]);
    expect(await money(invoice)).toEqual(PAID);
  });

  it('is asked about in real time where the clock stands, once it has stayed open from one look to the next', async () => {
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(await world.customer({ card: true }));
    const before = world.gateway.resolved.length;
    const jobs = world.modules.get(StandingClockJobs);
    await jobs.look();
    expect(world.gateway.resolved).toHaveLength(before);
    world.gateway.willAnswer(succeeded({ invoiceId: invoice, amount: '149' }));
    await jobs.look();
    expect(world.gateway.resolved).toHaveLength(before + 1);
    expect(await money(invoice)).toEqual(PAID);
  });

  it('is settled by the webhook too, and the late answer of the resolver changes nothing', async () => {
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(await world.customer({ card: true }));
    const [attempt] = await world.attempts(invoice);
    const outcome = succeeded({ invoiceId: invoice, amount: '149' });
    await world.chargeTold(attempt!.id, outcome);
    await world.chargeTold(attempt!.id, outcome);
    await world.chargeTold(attempt!.id, declined());
    expect(await money(invoice)).toEqual(PAID);
    expect(await world.attempts(invoice)).toMatchObject([{ state: 'succeeded' }]);
  });
});

describe('a decline', () => {
  it('fails the payment, makes the subscription past due, and is healed by another card', async () => {
    world.gateway.willAnswer(declined());
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer);
    expect(await money(invoice)).toEqual(['FAILED', '0', '149', '0']);
    const subscription = String((await world.read(invoice))['subscription_id']);
    const status = async () =>
      (await world.modules.api.get(`/subscriptions/${subscription}`)).body.subscription_status as string;
    expect(await status()).toBe('past_due');
    await world.saveCard(customer);
    expect(await money(invoice)).toEqual(PAID);
    expect(await status()).toBe('active');
    expect(await world.payments(invoice)).toMatchObject([
      { payment_status: 'SUCCEEDED', error_message: null, attempts: [{ state: 'failed' }, { state: 'succeeded' }] },
    ]);
  });

  it('is followed by the same payment of the gateway, confirmed again', async () => {
    world.gateway.willAnswer({ ...declined(), gatewayPaymentId: 'pi_first' }, declined());
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer);
    await world.saveCard(customer);
    await world.saveCard(customer);
    expect(chargesOf(invoice).map((request) => request.gatewayPaymentId)).toEqual([null, 'pi_first', 'pi_first']);
  });

  it('is not repeated by the same cause told again', async () => {
    world.gateway.willAnswer(declined());
    const invoice = await world.invoice(await world.customer({ card: true }));
    await world.deliverAgain('invoice.finalized', invoice);
    expect(chargesOf(invoice)).toHaveLength(1);
  });

  it.each([
    ['a hard one', { hard: true }],
    ['one that needs the customer', { needsCustomer: true }],
  ])('%s is not repeated with the same card', async (_what, over) => {
    world.gateway.willAnswer(declined(over));
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer);
    const refused = await byHand(invoice);
    expect([refused.status, refused.body.details.reason]).toEqual([400, 'declined_for_good']);
    expect(chargesOf(invoice)).toHaveLength(1);
    await world.saveCard(customer);
    expect(await money(invoice)).toEqual(PAID);
  });

  it('told to the one who asked, with its reason', async () => {
    const customer = await world.customer();
    const invoice = await world.invoice(customer);
    expect((await byHand(invoice)).body.message).toContain('no saved payment method');
    world.putCard(customer);
    world.gateway.willAnswer(declined());
    const refused = await byHand(invoice);
    expect([refused.status, refused.body.details.decline_code]).toEqual([400, 'card_declined']);
    expect((await byHand(invoice)).status).toBe(200);
    expect((await byHand(invoice)).status).toBe(409);
  });
});

describe('news of the gateway in any order', () => {
  const told = (invoice: string) => ({
    processing: { status: 'processing', gatewayPaymentId: `pi_${invoice}` } as const,
    failed: declined(),
    succeeded: succeeded({ invoiceId: invoice, amount: '149' }),
  });
  const orders = [
    ['processing', 'failed', 'succeeded'],
    ['processing', 'succeeded', 'failed'],
    ['failed', 'processing', 'succeeded'],
    ['failed', 'succeeded', 'processing'],
    ['succeeded', 'processing', 'failed'],
    ['succeeded', 'failed', 'processing'],
  ] as const;

  it.each(orders)('%s, %s, %s ends in one payment', async (...order) => {
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(await world.customer({ card: true }));
    const [attempt] = await world.attempts(invoice);
    for (const status of [...order, ...order]) await world.chargeTold(attempt!.id, told(invoice)[status]);
    expect(await money(invoice)).toEqual(PAID);
    expect(await world.rows(sql`select amount from payment_receipt where invoice_id = ${invoice}`)).toHaveLength(1);
  });

  it('counts a second payment of one invoice as overpaid and says so', async () => {
    world.gateway.willAnswer(declined());
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer);
    await world.saveCard(customer);
    const [first] = await world.attempts(invoice);
    await world.chargeTold(first!.id, succeeded({ invoiceId: invoice, amount: '149' }, 'pi_another'));
    expect(await money(invoice)).toEqual(['OVERPAID', '149', '0', '149']);
    expect((await world.events(invoice)).slice(-2)).toEqual(['payment.succeeded', 'invoice.overpaid']);
  });
});

describe('a charge that is being processed', () => {
  it('blocks until it is decided, and the decision counts', async () => {
    const processing = { status: 'processing', gatewayPaymentId: 'pi_slow' } as const;
    world.gateway.willAnswer(processing);
    const invoice = await world.invoice(await world.customer({ card: true }));
    expect(await world.payments(invoice)).toMatchObject([{ payment_status: 'PROCESSING' }]);
    world.gateway.willAnswer(processing);
    expect((await byHand(invoice)).body).toEqual({ message: 'the payment is being processed' });
    const [attempt] = await world.attempts(invoice);
    await world.chargeTold(attempt!.id, declined());
    expect(await money(invoice)).toEqual(['FAILED', '0', '149', '0']);
  });
});

describe('an amount above what a card can be charged', () => {
  it('is not tried, and the reason is visible', async () => {
    const customer = await world.customer({ card: true });
    const invoice = await world.invoice(customer, { plan_id: await world.plan({ amount: '1000000' }) });
    expect(chargesOf(invoice)).toEqual([]);
    expect(await world.payments(invoice)).toMatchObject([
      { payment_status: 'FAILED', error_code: 'above_maximum', attempts: [] },
    ]);
    expect(await world.events(invoice)).toEqual(['invoice.drafted', 'invoice.finalized', 'payment.refused']);
    expect((await world.read(invoice)).payment_status).toBe('PENDING');
    expect((await world.openPage({ mode: 'invoice', invoice_id: invoice })).status).toBe(400);
  });
});

describe('an amount below what a card can be charged', () => {
  it('is put off to the next invoices until they can be charged: nobody falls behind, and it is charged once', async () => {
    const customer = await world.customer({ card: true });
    const { id } = await world.subscribe(customer, { plan_id: await world.plan({ amount: '0.3' }) });
    const invoices = async () =>
      (
        await world.ok<{ items: InvoiceBody[] }>(
          world.modules.api.post('/invoices/search', { customer_id: customer, order: 'asc' }),
        )
      ).items;
    await world.settled();
    const [first] = await invoices();
    expect(first).toMatchObject({
      amount_due: '0.3',
      carried_amount: '0.3',
      amount_remaining: '0',
      payment_status: 'SUCCEEDED',
    });
    expect(await world.events(first!.id)).toEqual([
      'invoice.drafted',
      'invoice.finalized',
      'invoice.carried',
      'invoice.paid',
    ]);
    await world.wait(60 * 24 * 8);
    const status = (await world.modules.api.get(`/subscriptions/${id}`)).body.subscription_status as string;
    expect([status, chargesOf(first!.id)]).toEqual(['active', []]);
    await world.wait(60 * 24 * 24);
    const [, second] = await invoices();
    expect(second).toMatchObject({ amount_due: '0.3', carried_amount: '-0.3', amount_paid: '0.6' });
    expect(chargesOf(second!.id)).toMatchObject([{ amount: '0.6' }]);
    await world.wait(60 * 24 * 31);
    const [, , third] = await invoices();
    expect(third).toMatchObject({ carried_amount: '0.3', amount_paid: '0' });
  });

  it('that was put off is owed no more when its invoice is withdrawn, and is owed again when the one that asked is', async () => {
    const customer = await world.customer();
    const balance = async () =>
      (
        await world.ok<{ summaries: { account_credit_amount: string }[] }>(
          world.modules.api.get(`/customers/${customer}/invoices/summary`),
        )
      ).summaries[0]?.account_credit_amount;
    const small = await world.invoice(customer, { plan_id: await world.plan({ amount: '0.3' }) });
    expect(await balance()).toBe('-0.3');
    const next = await world.invoice(customer);
    expect([await balance(), (await world.read(next)).amount_remaining]).toEqual(['0', '149.3']);
    await world.ok(world.modules.api.post(`/invoices/${next}/void`));
    expect(await balance()).toBe('-0.3');
    await world.ok(world.modules.api.post(`/invoices/${small}/void`));
    expect(await balance()).toBeUndefined();
  });
});

describe('a card saved while another is being charged', () => {
  it('gets its turn when that one is declined after all, once', async () => {
    const customer = await world.customer({ card: true });
    world.gateway.willAnswer(lost());
    const invoice = await world.invoice(customer);
    world.gateway.willAnswer(lost());
    await world.saveCard(customer);
    expect(chargesOf(invoice)).toHaveLength(1);
    world.gateway.willAnswer(declined(), declined());
    await world.wait(30);
    const cards = chargesOf(invoice).map((request) => request.paymentMethodId);
    expect(cards).toHaveLength(2);
    expect(cards[0]).not.toBe(cards[1]);
    expect(await money(invoice)).toEqual(['FAILED', '0', '149', '0']);
    await world.deliverAgain('payment_attempt.outdated', invoice);
    expect(chargesOf(invoice)).toHaveLength(2);
  });
});
