import { newId, Problem } from '@drawdown/platform';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { StripeWorld } from './stripe-world.js';

const SLOW_CARD = '4000000000000093';

let world: StripeWorld;

beforeAll(async () => {
  world = await StripeWorld.start({ webhooks: false });
});
beforeEach(() => {
  world.listener.heard = [];
});

const open = async (request = world.page('')) => (await world.gateway.openCheckout(request)).gatewaySessionId;
const look = (id: string) => world.gateway.refreshCheckout(world.scope, id);

describe('a hosted page to save a card', () => {
  it('tells of the card and of its end once, however often it is looked at', async () => {
    const customerId = await world.customer();
    const request = world.page(customerId);
    const id = await open(request);
    await look(id);
    expect(world.listener.heard).toEqual([]);
    await world.complete(id);
    await Promise.all([look(id), look(id), look(id)]);
    const method = await world.run((tx) => world.methods.defaultOf(tx, customerId));
    expect(method).toMatchObject({ brand: 'visa', last4: '4242' });
    expect(world.heard('saved')).toEqual([
      { customer_id: customerId, payment_method_id: method!.id, brand: 'visa', last4: '4242' },
    ]);
    expect(world.heard('checkout')).toEqual([
      {
        customer_id: customerId,
        session_id: request.sessionId,
        status: 'saved',
        gateway_payment_id: null,
        amount: null,
      },
    ]);
  });

  it('makes the newest card the default, and both are listed, newest first', async () => {
    const { customerId, paymentMethodId } = await world.cardholder('4242424242424242');
    const id = await open(world.page(customerId));
    await world.complete(id, '5555555555554444');
    await look(id);
    const chosen = await world.run((tx) => world.methods.defaultOf(tx, customerId));
    expect(chosen).toMatchObject({ brand: 'mastercard', last4: '4444' });
    const answer = await world.api('get', `/customers/${customerId}/payment-methods`);
    expect(answer.status).toBe(200);
    expect(answer.body.pagination).toEqual({ total: 2, limit: 50, offset: 0 });
    expect(answer.body.items).toHaveLength(2);
    expect(answer.body.items).toContainEqual(
      expect.objectContaining({
        id: chosen!.id,
        customer_id: customerId,
        is_default: true,
        exp_month: 12,
        type: 'card',
      }),
    );
    expect(answer.body.items).toContainEqual(expect.objectContaining({ id: paymentMethodId, is_default: false }));
  });

  it('is asked for in vain by the methods of a customer nobody knows', async () => {
    const answer = await world.api('get', '/customers/cust_unknown/payment-methods');
    expect(answer.status).toBe(404);
  });
});

describe('a hosted page to pay', () => {
  it('that is opened again is the same page', async () => {
    const request = world.payment(await world.customer());
    const first = await world.gateway.openCheckout(request);
    expect(await world.gateway.openCheckout(request)).toEqual(first);
    expect(first.url).toContain(first.gatewaySessionId);
    expect(new Date(first.expiresAt).getTime()).toBeGreaterThan(Date.now());
  });

  it('tells what was paid, once, to those who look at the same time', async () => {
    const request = world.payment(await world.customer());
    const id = await open(request);
    await world.complete(id);
    await Promise.all([look(id), look(id), world.gateway.expireCheckout(world.scope, id)]);
    expect(world.heard('checkout')).toEqual([
      {
        customer_id: request.customerId,
        session_id: request.sessionId,
        status: 'paid',
        gateway_payment_id: expect.stringMatching(/^pi_/),
        amount: '10',
      },
    ]);
    expect(await world.charged(request.payment!.invoiceId)).toBe(1);
  });

  it('keeps the card only when it is asked to', async () => {
    for (const saveMethod of [false, true]) {
      const request = world.payment(await world.customer(), { saveMethod });
      const id = await open(request);
      await world.complete(id);
      await look(id);
      const kept = await world.run((tx) => world.methods.defaultOf(tx, request.customerId));
      expect(kept !== null).toBe(saveMethod);
    }
  });

  it.each([
    ['succeeded', { status: 'paid', amount: '10' }],
    ['failed', { status: 'failed', amount: null }],
  ])('by a slow method tells nothing until that has %s', async (outcome, told) => {
    const request = world.payment(await world.customer());
    const id = await open(request);
    await world.complete(id, SLOW_CARD);
    await look(id);
    expect(world.heard('checkout')).toEqual([]);
    const { data } = await world.control<{ data: { payment_intent: string }[] }>(
      `/charges?metadata[invoice_id]=${request.payment!.invoiceId}`,
    );
    await world.control(`/payment_intents/${data[0]!.payment_intent}/settle`, { outcome });
    await look(id);
    expect(world.heard('checkout')).toEqual([expect.objectContaining(told)]);
  });

  it('that nobody used is closed and told as expired; a second time says nothing new', async () => {
    const id = await open(world.payment(await world.customer()));
    await world.gateway.expireCheckout(world.scope, id);
    await world.gateway.expireCheckout(world.scope, id);
    expect(world.heard('checkout')).toEqual([expect.objectContaining({ status: 'expired', amount: null })]);
  });

  it('that Stripe does not know any more counts as expired', async () => {
    const request = world.payment(await world.customer());
    const id = `cs_test_${newId('gone')}`;
    await world.run(async (tx) => {
      const { StripeCheckout } = await import('@drawdown/stripe');
      const at = { createdAt: tx.now, updatedAt: tx.now, expiresAt: tx.now, readAt: tx.now };
      tx.em.create(StripeCheckout, {
        id,
        ...tx.scope,
        customerId: request.customerId,
        sessionId: request.sessionId,
        status: 'open',
        ...at,
      });
    });
    await look(id);
    expect(world.heard('checkout')).toEqual([
      expect.objectContaining({ session_id: request.sessionId, status: 'expired' }),
    ]);
  });

  it('of another environment is not looked at from here', async () => {
    const id = await open(world.payment(await world.customer()));
    await world.complete(id);
    await expect(world.gateway.refreshCheckout(world.production, id)).rejects.toMatchObject({ status: 404 });
    expect(world.listener.heard).toEqual([]);
  });

  it('that a subscriber refuses is told again at the next look', async () => {
    const id = await open(world.payment(await world.customer()));
    await world.complete(id);
    world.listener.failures = 1;
    await expect(look(id)).rejects.toThrow('refused by the listener');
    expect(world.listener.heard).toEqual([]);
    await look(id);
    expect(world.heard('checkout')).toEqual([expect.objectContaining({ status: 'paid' })]);
  });
});

describe("a page over which Stripe failed, and remembers that under the page's key", () => {
  it.each([
    ['had done nothing', false],
    ['had opened it all the same', true],
  ])('is opened once at the next try, though Stripe %s', async (_what, execute) => {
    const request = world.payment(await world.customer());
    await world.fault('500_stored', '/v1/checkout/sessions', { execute });
    await expect(world.gateway.openCheckout(request)).rejects.toMatchObject({ status: 503 });
    const opened = await world.gateway.openCheckout(request);
    expect(await world.gateway.openCheckout(request)).toEqual(opened);
    const { entries } = await world.control<{ entries: { changes: { value: Record<string, unknown> }[] }[] }>(
      '/journal?object=checkout.session',
    );
    const made = entries.flatMap(({ changes }) => changes.map(({ value }) => value));
    const ours = made.filter((session) => session['client_reference_id'] === request.sessionId);
    expect(new Set(ours.map((session) => session['id']))).toEqual(new Set([opened.gatewaySessionId]));
  });

  it('is opened though the same happened to its customer', async () => {
    const request = world.page(await world.customer());
    await world.fault('500_stored', '/v1/customers');
    await expect(world.gateway.openCheckout(request)).rejects.toMatchObject({ status: 503 });
    expect(await world.gateway.openCheckout(request)).toMatchObject({ url: expect.any(String) });
  });
});

describe('a page that can not be opened', () => {
  it('is a 400 that names the field where Stripe refuses the request', async () => {
    const request = world.payment(await world.customer(), { successUrl: 'nowhere' });
    const refusal = await world.gateway.openCheckout(request).catch((error: Problem) => error);
    expect(refusal).toMatchObject({ status: 400, details: { field: 'success_url' } });
  });

  it('is a 503 where Stripe does not answer, and can be tried again', async () => {
    const request = world.payment(await world.customer());
    await world.fault('execute_then_drop', '/v1/checkout/sessions', { times: 2 });
    await expect(world.gateway.openCheckout(request)).rejects.toMatchObject({ status: 503 });
    const { gatewaySessionId } = await world.gateway.openCheckout(request);
    const { entries } = await world.control<{ entries: { changes: { id: string; value: unknown }[] }[] }>(
      '/journal?object=checkout.session',
    );
    const made = entries.flatMap((entry) => entry.changes).filter(({ value }) => isOf(value, request.sessionId));
    expect(new Set(made.map(({ id }) => id))).toEqual(new Set([gatewaySessionId]));
  });
});

function isOf(value: unknown, sessionId: string): boolean {
  return (value as { client_reference_id?: string } | null)?.client_reference_id === sessionId;
}
