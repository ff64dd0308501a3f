import { afterEach, describe, expect, it } from '@jest/globals';
import { StripeWorld } from './stripe-world.js';

let world: StripeWorld;
afterEach(() => world.stop());

const standing = async () => {
  const answer = await fetch(`${world.sandbox.url}/v1/webhook_endpoints?limit=100`, {
    headers: { authorization: 'Bearer sk_test_dashboard' },
  });
  return ((await answer.json()) as { data: { id: string; url: string }[] }).data;
};
const removeAll = async () => {
  for (const { id } of await standing()) {
    await fetch(`${world.sandbox.url}/v1/webhook_endpoints/${id}`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer sk_test_dashboard' },
    });
  }
};

describe('a worker', () => {
  it('handles an event right after it was acknowledged', async () => {
    world = await StripeWorld.start({ role: 'all' });
    const request = world.payment(await world.customer());
    const { gatewaySessionId } = await world.gateway.openCheckout(request);
    await world.complete(gatewaySessionId);
    for (let waited = 0; world.heard('checkout').length === 0 && waited < 100; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(world.heard('checkout')).toEqual([
      expect.objectContaining({ session_id: request.sessionId, status: 'paid' }),
    ]);
  });
});

describe('the registration of webhooks', () => {
  it('is done once for each development environment and address', async () => {
    world = await StripeWorld.start({ webhooks: false });
    for (const base of ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/', 'http://127.0.0.1:5000']) {
      await world.endpoints.registerAt(base);
    }
    const path = `/v1/webhooks/stripe/${world.scope.tenantId}/${world.scope.environmentId}`;
    expect((await standing()).map(({ url }) => url).toSorted()).toEqual([
      `http://127.0.0.1:4000${path}`,
      `http://127.0.0.1:5000${path}`,
    ]);
    const held = await world.rows<{ secret: string; url: string }>('stripe_webhook_secret');
    const ours = held.filter(({ url }) => /:[45]000/.test(url)).map(({ secret }) => secret);
    expect(ours).toHaveLength(2);
    expect(await world.endpoints.secretsOf(world.scope)).toEqual(expect.arrayContaining(ours));
    expect(await world.endpoints.secretsOf(world.production)).toEqual([]);
    expect(await world.endpoints.secretsOf({ ...world.scope, tenantId: 'tenant_other' })).toEqual([]);
  });

  it('is done again where Stripe has lost it, and in place of one whose secret nobody holds', async () => {
    world = await StripeWorld.start({ webhooks: false });
    const base = 'http://127.0.0.1:6000';
    await world.endpoints.registerAt(base);
    const [before] = await ofBase(base);
    await removeAll();
    await world.endpoints.registerAt(base);
    const [after] = await ofBase(base);
    expect(after!.id).not.toBe(before!.id);
    const held = await world.rows<{ id: string; url: string }>('stripe_webhook_secret');
    expect(held.filter(({ url }) => url.startsWith(base)).map(({ id }) => id)).toEqual([after!.id]);
    expect(await ofBase(base)).toHaveLength(1);
  });
});

describe('a live key', () => {
  it('moves no money for a development environment', async () => {
    world = await StripeWorld.start({ webhooks: false, secretKey: 'sk_live_of_this_test' });
    const customerId = await world.customer();
    const charge = world.gateway.charge(world.attempt({ customerId, paymentMethodId: 'pm_1' }));
    expect(await charge).toMatchObject({ status: 'failed', code: 'wrong_key_mode', hard: false });
    await expect(world.gateway.openCheckout(world.payment(customerId))).rejects.toMatchObject({ status: 400 });
    const { data } = await world.control<{ data: unknown[] }>('/requests');
    expect(data).toEqual([]);
  });
});

describe('a test key, or the sandbox', () => {
  it('takes no payments of a production environment, and nothing is sent', async () => {
    world = await StripeWorld.start({ webhooks: false });
    const customerId = await world.customer(world.production);
    const opened = world.gateway.openCheckout({ ...world.payment(customerId), ...world.production });
    await expect(opened).rejects.toMatchObject({ status: 400, message: expect.stringContaining('test key') });
    const charge = { ...world.attempt({ customerId, paymentMethodId: 'pm_1' }), ...world.production };
    expect(await world.gateway.charge(charge)).toMatchObject({ status: 'failed', code: 'wrong_key_mode', hard: false });
    await expect(world.gateway.resolve(charge)).rejects.toMatchObject({ status: 400 });
    const { data } = await world.control<{ data: unknown[] }>('/requests');
    expect(data).toEqual([]);
  });
});

async function ofBase(base: string): Promise<{ id: string; url: string }[]> {
  return (await standing()).filter(({ url }) => url.startsWith(base));
}
