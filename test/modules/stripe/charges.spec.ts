import { OutcomeUnknown } from '@drawdown/contracts';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ulid } from 'ulid';
import { StripeWorld } from './stripe-world.js';

const CREATE = '/v1/payment_intents';
const CONFIRM = '/v1/payment_intents/*/confirm';
const HOUR_MS = 3_600_000;

let world: StripeWorld;
let payer: { customerId: string; paymentMethodId: string };

beforeAll(async () => {
  world = await StripeWorld.start({ webhooks: false });
  payer = await world.cardholder();
});
afterEach(async () => {
  await fetch(`${world.sandbox.controlUrl}/faults`, { method: 'DELETE' });
});

/** From now on the card is declined like this test card. */
const behaveLike = (card: string) => world.control('/cards', { payment_method: payer.paymentMethodId, card });
const paid = { status: 'succeeded', gatewayPaymentId: expect.stringMatching(/^pi_/), amount: '149' };

describe('an off-session charge', () => {
  it('succeeds once, and once only when it is sent again', async () => {
    const request = world.attempt(payer);
    const first = await world.gateway.charge(request);
    expect(first).toEqual(paid);
    expect(await world.gateway.charge(request)).toEqual(first);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it.each([
    ['4000000000009995', { code: 'insufficient_funds', hard: false, needsCustomer: false }],
    ['4000000000009987', { code: 'lost_card', hard: true, needsCustomer: false }],
    ['4000002760003184', { code: 'authentication_required', hard: false, needsCustomer: true }],
  ])('of the card %s is a failure that says how hard', async (card, failure) => {
    await behaveLike(card);
    const request = world.attempt(payer);
    expect(await world.gateway.charge(request)).toMatchObject({ status: 'failed', ...failure });
    expect(await world.gateway.resolve(request)).toMatchObject({ status: 'failed', ...failure });
    await behaveLike('4242424242424242');
    expect(await world.charged(request.invoiceId)).toBe(0);
  });

  it('that is declined is confirmed again by the next attempt, on the same PaymentIntent', async () => {
    await behaveLike('4000000000009995');
    const first = world.attempt(payer);
    const declined = await world.gateway.charge(first);
    await behaveLike('4242424242424242');
    const second = world.attempt(payer, { invoiceId: first.invoiceId, gatewayPaymentId: idIn(declined) });
    expect(await world.gateway.resolve(second)).toEqual({ status: 'none' });
    expect(await world.gateway.charge(second)).toEqual({ ...paid, gatewayPaymentId: idIn(declined) });
    expect(await world.gateway.charge(second)).toEqual({ ...paid, gatewayPaymentId: idIn(declined) });
    expect(await world.charged(first.invoiceId)).toBe(1);
  });

  it('of an invoice whose PaymentIntent has succeeded charges nothing and tells of the money', async () => {
    const first = world.attempt(payer);
    const done = await world.gateway.charge(first);
    const second = world.attempt(payer, { invoiceId: first.invoiceId, gatewayPaymentId: idIn(done) });
    expect(await world.gateway.charge(second)).toEqual(done);
    expect(await world.charged(first.invoiceId)).toBe(1);
  });

  it('that takes its time is processing, and nothing else is charged meanwhile', async () => {
    await behaveLike('4000000000000093');
    const first = world.attempt(payer);
    const waiting = await world.gateway.charge(first);
    expect(waiting).toEqual({ status: 'processing', gatewayPaymentId: expect.any(String) });
    await behaveLike('4242424242424242');
    const second = world.attempt(payer, { invoiceId: first.invoiceId, gatewayPaymentId: idIn(waiting) });
    expect(await world.gateway.charge(second)).toEqual(waiting);
    await world.control(`/payment_intents/${idIn(waiting)}/settle`, { outcome: 'succeeded' });
    expect(await world.gateway.resolve(first)).toEqual({ ...paid, gatewayPaymentId: idIn(waiting) });
    expect(await world.charged(first.invoiceId)).toBe(1);
  });
});

describe('a charge whose answer is lost', () => {
  // A dropped connection is tried once more by the client itself, with the same key: so two drops in a row.
  it.each([
    ['dropped after it ran', 'execute_then_drop', { times: 2 }],
    ['cut off', 'half_body', {}],
    ['a 500 after it ran', '500_stored', { execute: true }],
  ])('(%s) is unknown, and found by asking', async (_what, act, more) => {
    const request = world.attempt(payer);
    await world.fault(act, CREATE, more);
    await expect(world.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it.each([
    ['dropped before it ran', 'drop_before', { times: 2 }],
    ['a 503', '503', {}],
  ])('(%s) is unknown, found not to be there, and sent again', async (_what, act, more) => {
    const request = world.attempt(payer);
    await world.fault(act, CREATE, more);
    await expect(world.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(request)).toEqual({ status: 'none' });
    expect(await world.gateway.charge(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it('and that Stripe remembers as a 500 without effect has failed; the next attempt is free to go', async () => {
    const request = world.attempt(payer);
    await world.fault('500_stored', CREATE);
    await expect(world.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(request)).toEqual({ status: 'none' });
    expect(await world.gateway.charge(request)).toMatchObject({ status: 'failed', code: 'gateway_error', hard: false });
    expect(await world.gateway.charge(world.attempt(payer, { invoiceId: request.invoiceId }))).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it('and that Stripe remembers as a 500 with effect is settled by reading', async () => {
    const request = world.attempt(payer);
    await world.fault('500_stored', CREATE, { execute: true });
    await expect(world.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.charge(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it.each([
    ['before it ran', 'drop_before', { status: 'none' }],
    ['after it ran', 'execute_then_drop', paid],
  ])('when it was confirmed again (%s) is told apart from the attempt before', async (_what, act, seen) => {
    await behaveLike('4000000000009995');
    const first = world.attempt(payer);
    const declined = await world.gateway.charge(first);
    await behaveLike('4242424242424242');
    const second = world.attempt(payer, { invoiceId: first.invoiceId, gatewayPaymentId: idIn(declined) });
    await world.fault(act, CONFIRM, { times: 2 });
    await expect(world.gateway.charge(second)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(second)).toEqual(seen);
    expect(await world.gateway.charge(second)).toEqual(paid);
    expect(await world.charged(first.invoiceId)).toBe(1);
  });

  it('between handing the PaymentIntent over and confirming it is found not to be thrown at the card', async () => {
    await behaveLike('4000000000009995');
    const first = world.attempt(payer);
    const declined = await world.gateway.charge(first);
    await behaveLike('4242424242424242');
    const second = world.attempt(payer, { invoiceId: first.invoiceId, gatewayPaymentId: idIn(declined) });
    await world.fault('execute_then_drop', '/v1/payment_intents/*', { times: 2 });
    await expect(world.gateway.charge(second)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(second)).toEqual({ status: 'none' });
    expect(await world.gateway.charge(second)).toEqual(paid);
    expect(await world.charged(first.invoiceId)).toBe(1);
  });
});

describe('a charge that is turned away', () => {
  it.each(['429', '409'])('with %s is sent again with the same key', async (act) => {
    const request = world.attempt(payer);
    await world.fault(act, CREATE, { times: 2 });
    expect(await world.gateway.charge(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it('too often is unknown, which here means not yet', async () => {
    const request = world.attempt(payer);
    await world.fault('429', CREATE, { times: 5 });
    await expect(world.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(request)).toEqual({ status: 'none' });
  });
});

describe('a key that Stripe has forgotten', () => {
  it('is not trusted: the attempt is looked for first', async () => {
    const attemptId = `att_${ulid(Date.now() - 25 * HOUR_MS)}`;
    const request = world.attempt(payer, { attemptId });
    expect(await world.gateway.charge(request)).toEqual(paid);
    await world.control('/clock', { advance_seconds: 25 * 3600 });
    expect(await world.gateway.charge(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });

  it('with other content under it is never charged anew', async () => {
    const request = world.attempt(payer);
    await world.gateway.charge(request);
    await expect(world.gateway.charge({ ...request, amount: '150' })).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await world.gateway.resolve(request)).toEqual(paid);
    expect(await world.charged(request.invoiceId)).toBe(1);
  });
});

describe('what Stripe has no more', () => {
  it('a card: the charge fails for good, and the card is gone here too', async () => {
    const holder = await world.cardholder();
    await stripeCall(`/v1/payment_methods/${holder.paymentMethodId}/detach`, 'POST');
    world.listener.heard = [];
    const outcome = await world.gateway.charge(world.attempt(holder));
    expect(outcome).toMatchObject({ status: 'failed', code: 'payment_method_unexpected_state', hard: true });
    expect(world.heard('removed')).toEqual([
      { customer_id: holder.customerId, payment_method_id: holder.paymentMethodId },
    ]);
    expect(await world.run((tx) => world.methods.defaultOf(tx, holder.customerId))).toBeNull();
  });

  it('a customer: the charge fails, its cards are gone here too, and the next page makes another', async () => {
    const holder = await world.cardholder();
    const [before] = await stripeCustomers(holder.customerId);
    await stripeCall(`/v1/customers/${before!.id}`, 'DELETE');
    const outcome = await world.gateway.charge(world.attempt(holder));
    expect(outcome).toMatchObject({ status: 'failed', code: 'customer_missing' });
    expect(await world.run((tx) => world.methods.defaultOf(tx, holder.customerId))).toBeNull();
    await world.gateway.openCheckout(world.page(holder.customerId));
    const after = await stripeCustomers(holder.customerId);
    expect(after.filter((row) => row.gone_at === null)).toHaveLength(1);
    expect(after).toHaveLength(2);
  });

  it('a customer that was never there can not be charged', async () => {
    const customerId = await world.customer();
    const request = world.attempt({ customerId, paymentMethodId: 'pm_none' });
    expect(await world.gateway.charge(request)).toMatchObject({ status: 'failed', code: 'customer_missing' });
    expect(await world.gateway.resolve(request)).toEqual({ status: 'none' });
  });
});

describe('what Stripe does not know, without having said that it is gone', () => {
  it('fails the attempt, which may be tried again, and takes nothing away here', async () => {
    const holder = await world.cardholder();
    const set = (id: string) =>
      world.run(async (tx) => {
        await sql`update stripe_customer set id = ${id} where customer_id = ${holder.customerId}`.execute(tx.db);
      });
    const [before] = await stripeCustomers(holder.customerId);
    await set(`cus_unknown_${before!.id}`);
    const refused = { status: 'failed', code: 'customer_missing', hard: false };
    expect(await world.gateway.charge(world.attempt(holder))).toMatchObject(refused);
    await expect(world.gateway.openCheckout(world.page(holder.customerId))).rejects.toMatchObject({ status: 400 });
    await set(before!.id);
    expect(await stripeCustomers(holder.customerId)).toMatchObject([{ gone_at: null }]);
    expect(await world.gateway.charge(world.attempt(holder))).toEqual(paid);
    const unknown = world.attempt({ ...holder, paymentMethodId: 'pm_unknown' });
    expect(await world.gateway.charge(unknown)).toMatchObject({ code: 'payment_method_missing', hard: false });
  });
});

describe('the key of another account', () => {
  it('charges nothing, settles nothing and takes nothing away; with the right key all goes on', async () => {
    const holder = await world.cardholder();
    const request = world.attempt(holder);
    const page = await world.gateway.openCheckout(world.payment(holder.customerId));
    const [before] = await stripeCustomers(holder.customerId);
    // Another process on the same database, whose key opens another account: a sandbox of its own.
    const intruder = await StripeWorld.start({ webhooks: false });
    const message = expect.stringMatching(/of account acct_.* are at acct_/);
    await expect(intruder.gateway.charge(request)).rejects.toBeInstanceOf(OutcomeUnknown);
    await expect(intruder.gateway.charge(request)).rejects.toMatchObject({ message });
    await expect(intruder.gateway.resolve(request)).rejects.toMatchObject({ message });
    const refused = { status: 503, message };
    await expect(intruder.gateway.openCheckout(world.page(holder.customerId))).rejects.toMatchObject(refused);
    await expect(intruder.gateway.expireCheckout(world.scope, page.gatewaySessionId)).rejects.toMatchObject(refused);
    await expect(intruder.reconciliation.sweepEvents()).rejects.toMatchObject(refused);
    await intruder.stop();
    expect(await stripeCustomers(holder.customerId)).toEqual([before]);
    expect(await world.run((tx) => world.methods.defaultOf(tx, holder.customerId))).toMatchObject({
      id: holder.paymentMethodId,
    });
    expect(intruder.listener.heard).toEqual([]);
    expect(await world.gateway.charge(request)).toEqual(paid);
  });
});

function idIn(outcome: object): string {
  return (outcome as { gatewayPaymentId: string }).gatewayPaymentId;
}

async function stripeCustomers(customerId: string): Promise<{ id: string; gone_at: string | null }[]> {
  const rows = await world.rows<{ id: string; customer_id: string; gone_at: string | null }>('stripe_customer');
  return rows.filter((row) => row.customer_id === customerId);
}

/** Somebody does something in Stripe's dashboard. */
async function stripeCall(route: string, method: 'POST' | 'DELETE'): Promise<void> {
  const answer = await fetch(`${world.sandbox.url}${route}`, {
    method,
    headers: { authorization: 'Bearer sk_test_dashboard', 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(answer.status).toBe(200);
}
