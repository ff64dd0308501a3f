import { newId } from '@drawdown/platform';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createHmac } from 'node:crypto';
import { StripeWorld } from './stripe-world.js';

interface EventRow {
  id: string;
  environment_id: string;
  type: string;
  object_id: string;
  status: string;
  attempts: number;
  last_error: string | null;
}

let world: StripeWorld;

beforeAll(async () => {
  world = await StripeWorld.start();
});
beforeEach(async () => {
  await world.settle();
  await world.run(async (tx) => void (await sql`delete from stripe_event`.execute(tx.db)));
  world.listener.heard = [];
  world.listener.failures = 0;
});
afterEach(async () => {
  for (const rules of ['faults', 'webhooks']) {
    await fetch(`${world.sandbox.controlUrl}/${rules}`, { method: 'DELETE' });
  }
});

const events = () => world.rows<EventRow>('stripe_event');
const statuses = async () => [...new Set((await events()).map((row) => row.status))];
const rule = (act: string, more: object = {}) => world.control('/webhooks', { act, ...more });

/** A page, and what its customer did there. */
async function paidPage() {
  const request = world.payment(await world.customer());
  const { gatewaySessionId } = await world.gateway.openCheckout(request);
  await world.complete(gatewaySessionId);
  return { request, gatewaySessionId };
}

const toldOnce = (sessionId: string) =>
  expect(world.heard('checkout')).toEqual([
    expect.objectContaining({ session_id: sessionId, status: 'paid', amount: '10' }),
  ]);

describe('an event of Stripe', () => {
  it('is acknowledged, kept, and handled with its effect', async () => {
    const { request } = await paidPage();
    await world.control('/webhooks/drain', {});
    expect(await statuses()).toEqual(['received']);
    expect(world.listener.heard).toEqual([]);
    await world.inbox.handleDue();
    expect(await statuses()).toEqual(['handled']);
    toldOnce(request.sessionId);
  });

  it('that comes three times at once is kept and told once', async () => {
    await rule('duplicate', { n: 3, times: null });
    const { request } = await paidPage();
    await Promise.all([world.settle(), world.inbox.handleDue()]);
    await world.settle();
    const rows = await events();
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    toldOnce(request.sessionId);
  });

  it('that has a twin with another id is told once', async () => {
    await rule('twin', { times: null });
    const { request } = await paidPage();
    await world.settle();
    expect((await events()).filter((row) => row.type === 'checkout.session.completed')).toHaveLength(2);
    toldOnce(request.sessionId);
  });

  it.each([
    ['as they were made', (made: string[]) => made],
    ['backwards', (made: string[]) => made.toReversed()],
    ['from the middle', (made: string[]) => [...made.slice(2), ...made.slice(0, 2)]],
  ])('and its fellows may come in any order (%s): the state that is read decides', async (_how, ordered) => {
    await rule('hold');
    const request = world.payment(await world.customer());
    const { gatewaySessionId } = await world.gateway.openCheckout(request);
    expect(await world.complete(gatewaySessionId, '4000000000009995')).toBe('declined');
    await world.complete(gatewaySessionId);
    const { data } = await world.control<{ data: { event: string }[] }>('/webhooks/deliveries?status=held');
    const order = ordered(data.map((one) => one.event));
    expect(order.length).toBeGreaterThan(2);
    for (const event of order) {
      await world.control('/webhooks/release', { order: [event] });
      await world.settle();
    }
    toldOnce(request.sessionId);
    expect(await statuses()).toEqual(['handled']);
  });

  it('may come before the answer of the call that caused it', async () => {
    const request = world.payment(await world.customer());
    await world.fault('delay', '/v1/checkout/sessions', { ms: 1500 });
    const opening = world.gateway.openCheckout(request);
    const id = await eventually(() => sessionOf(request.sessionId));
    await world.complete(id);
    await world.settle();
    toldOnce(request.sessionId);
    expect((await opening).gatewaySessionId).toBe(id);
    await world.gateway.refreshCheckout(world.scope, id);
    toldOnce(request.sessionId);
  });

  it('of a charge tells its outcome by our attempt, before and after the answer', async () => {
    const payer = await world.cardholder();
    await world.settle();
    const good = world.attempt(payer);
    const outcome = await world.gateway.charge(good);
    await world.control('/cards', { payment_method: payer.paymentMethodId, card: '4000000000009995' });
    const bad = world.attempt(payer);
    await world.gateway.charge(bad);
    await world.settle();
    expect(world.heard('charge')).toContainEqual({ attempt_id: good.attemptId, outcome });
    expect(world.heard('charge')).toContainEqual({
      attempt_id: bad.attemptId,
      outcome: expect.objectContaining({ status: 'failed', code: 'insufficient_funds' }),
    });
  });

  it('of a card detached at Stripe takes the card away here', async () => {
    const { customerId, paymentMethodId } = await world.cardholder();
    await dashboard(`/v1/payment_methods/${paymentMethodId}/detach`);
    await world.settle();
    expect(world.heard('removed')).toEqual([{ customer_id: customerId, payment_method_id: paymentMethodId }]);
    expect(await world.run((tx) => world.methods.defaultOf(tx, customerId))).toBeNull();
  });
});

describe('a delivery that proves nothing', () => {
  const body = (livemode = false) =>
    JSON.stringify({
      id: `evt_${newId('forged')}`,
      object: 'event',
      type: 'payment_intent.succeeded',
      livemode,
      created: Math.floor(Date.now() / 1000),
      data: { object: { id: 'pi_forged' } },
    });
  const secret = async () => (await world.rows<{ secret: string }>('stripe_webhook_secret'))[0]!.secret;
  const sign = (payload: string, key: string, at = Math.floor(Date.now() / 1000)) =>
    `t=${at},v1=${createHmac('sha256', key).update(`${at}.${payload}`).digest('hex')}`;
  const post = (payload: string, headers: Record<string, string>, scope = world.scope) =>
    world
      .api('post', `/webhooks/stripe/${scope.tenantId}/${scope.environmentId}`)
      .set({ 'content-type': 'application/json', ...headers })
      .send(payload);

  it('is 400 and leaves nothing behind', async () => {
    const payload = body();
    const now = Math.floor(Date.now() / 1000);
    const key = await secret();
    for (const signature of [
      null,
      'nonsense',
      sign(payload, 'whsec_another'),
      sign(`${payload}\n`, key),
      sign(payload, key, now - 400),
      sign(payload, key, now + 400),
    ]) {
      const answer = await post(payload, signature === null ? {} : { 'stripe-signature': signature });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: 'validation_error', details: { field: 'Stripe-Signature' } });
    }
    expect(await events()).toEqual([]);
  });

  it('is 400 with the wrong mode, however well signed', async () => {
    const payload = body(true);
    const answer = await post(payload, { 'stripe-signature': sign(payload, await secret()) });
    expect(answer.status).toBe(400);
    expect(answer.body.details).toEqual({ field: 'livemode' });
    expect(await events()).toEqual([]);
  });

  it('is 400 at the door of an environment that has no secret, or does not exist', async () => {
    const payload = body();
    const headers = { 'stripe-signature': sign(payload, await secret()) };
    expect((await post(payload, headers, world.production)).status).toBe(400);
    expect((await post(payload, headers, { tenantId: 'no', environmentId: 'no' })).status).toBe(400);
    expect(await events()).toEqual([]);
  });

  it('is refused by the bytes: a body re-encoded on the way is another body', async () => {
    const escaped = body().replace('pi_forged', 'pi_\\u0066orged');
    const headers = { 'stripe-signature': sign(escaped, await secret()) };
    expect((await post(JSON.stringify(JSON.parse(escaped)), headers)).status).toBe(400);
    expect(await events()).toEqual([]);
    const answer = await post(escaped, headers);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ received: 'true' });
  });

  it('of an old delivery is refused, and the next attempt of Stripe is taken', async () => {
    await rule('old_timestamp', { times: 1, types: ['checkout.session.completed'] });
    const { request } = await paidPage();
    await world.control('/webhooks/drain', {});
    const { data } = await world.control<{ data: { attempts: { status: number }[] }[] }>(
      '/webhooks/deliveries?type=checkout.session.completed&status=pending',
    );
    expect(data.map((one) => one.attempts.map(({ status }) => status))).toEqual([[400]]);
    await world.control('/clock', { advance_seconds: 5 });
    await world.settle();
    toldOnce(request.sessionId);
  });

  it('is none while a secret is rolled: both sign', async () => {
    const { id } = (await world.rows<{ id: string }>('stripe_webhook_secret'))[0]!;
    await world.control(`/webhook_endpoints/${id}/roll_secret`, { overlap_seconds: 3600 });
    const { request } = await paidPage();
    await world.settle();
    toldOnce(request.sessionId);
  });
});

describe('a handling that fails', () => {
  it('is rolled back whole and tried again: the effect is there once', async () => {
    world.listener.failures = 1;
    await rule('never', { types: ['payment_intent.*', 'charge.*'] });
    const { request } = await paidPage();
    await world.settle();
    expect(world.listener.heard).toEqual([]);
    expect(await events()).toEqual([
      expect.objectContaining({ status: 'received', attempts: 1, last_error: 'refused by the listener' }),
    ]);
    await world.hurry();
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
    expect(await statuses()).toEqual(['handled']);
  });

  it('by a process that died is taken over', async () => {
    const { request } = await paidPage();
    await world.control('/webhooks/drain', {});
    await world.run(
      async (tx) =>
        void (await sql`update stripe_event set attempts = 1, next_attempt_at = now() + interval '180 s'`.execute(
          tx.db,
        )),
    );
    await world.inbox.handleDue();
    expect(world.listener.heard).toEqual([]);
    await world.hurry();
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
  });

  it('again and again is parked with its reason while others go on, and can be run again', async () => {
    await world.run((tx) =>
      world.inbox.keep(tx, [
        { id: 'evt_poison', type: 'payment_intent.succeeded', objectId: 'pi_of_nobody', happenedAt: tx.now },
      ]),
    );
    await world.run(async (tx) => void (await sql`update stripe_event set attempts = 23`.execute(tx.db)));
    const { request } = await paidPage();
    await world.settle();
    toldOnce(request.sessionId);

    const listed = await world.api('get', '/stripe/events?event_status=parked');
    expect(listed.body.items).toEqual([
      expect.objectContaining({ id: 'evt_poison', attempts: 24, last_error: expect.stringContaining('pi_of_nobody') }),
    ]);
    const answer = await world.api('post', '/stripe/events/evt_poison/retry');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ event_status: 'received', attempts: 0 });
    expect((await world.api('post', '/stripe/events/evt_poison/retry')).status).toBe(409);
    expect((await world.api('post', '/stripe/events/evt_unknown/retry')).status).toBe(404);
  });

  it('for want of an owner is parked sooner', async () => {
    await rule('never');
    const answer = await dashboard('/v1/payment_intents', 'amount=100&currency=usd');
    const keep = (id: string) =>
      world.run((tx) =>
        world.inbox.keep(tx, [{ id, type: 'payment_intent.succeeded', objectId: answer.id, happenedAt: tx.now }]),
      );
    await keep('evt_foreign');
    await world.run(async (tx) => void (await sql`update stripe_event set attempts = 9`.execute(tx.db)));
    await world.inbox.handleDue();
    expect(await events()).toEqual([expect.objectContaining({ status: 'parked', attempts: 10 })]);
  });

  it("is none where the event is somebody else's: it is ignored, and says why", async () => {
    const { gatewaySessionId } = await paidPage();
    await world.settle();
    world.listener.heard = [];
    await world.run(
      async (tx) =>
        void (await sql`
          insert into stripe_event (environment_id, tenant_id, id, type, object_id, happened_at)
          values (${world.production.environmentId}, ${world.production.tenantId}, 'evt_astray',
                  'checkout.session.completed', ${gatewaySessionId}, now())`.execute(tx.db)),
    );
    await world.inbox.handleDue();
    expect((await events()).find((row) => row.id === 'evt_astray')).toMatchObject({
      status: 'ignored',
      last_error: 'belongs to another environment',
    });
    expect(world.listener.heard).toEqual([]);
  });
});

describe('without any webhook', () => {
  beforeEach(() => rule('never'));

  it('the sweep finds every event, once', async () => {
    const payer = await world.cardholder();
    world.listener.heard = [];
    const { request } = await paidPage();
    const attempt = world.attempt(payer);
    const outcome = await world.gateway.charge(attempt);
    await world.control('/webhooks/drain', {});
    expect(await events()).toEqual([]);
    for (let sweep = 0; sweep < 2; sweep++) {
      await world.reconciliation.sweepEvents();
      await world.inbox.handleDue();
    }
    toldOnce(request.sessionId);
    const heard = world.heard('charge').filter((one) => one.attempt_id === attempt.attemptId);
    expect(heard).toEqual([{ attempt_id: attempt.attemptId, outcome }]);
  });

  it('the sweep goes on where the last one ended, a little before', async () => {
    await world.reconciliation.sweepEvents();
    const [before] = await world.rows<{ seen_until: string }>('stripe_sweep');
    await world.control('/clock', { advance_seconds: 86_400 });
    const { request } = await paidPage();
    await world.reconciliation.sweepEvents();
    const [after] = await world.rows<{ seen_until: string }>('stripe_sweep');
    expect(new Date(after!.seen_until).getTime() - new Date(before!.seen_until).getTime()).toBeGreaterThan(86_000_000);
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
  });

  it('a sweep that broke off begins again where it began', async () => {
    await world.reconciliation.sweepEvents();
    const { request } = await paidPage();
    const seen = () => world.rows<{ seen_until: string }>('stripe_sweep').then(([row]) => row!.seen_until);
    const before = await seen();
    await world.control('/faults', { act: '503', match: { method: 'GET', path: '/v1/events' }, times: 2 });
    await expect(world.reconciliation.sweepEvents()).rejects.toThrow('Service unavailable');
    expect(await seen()).toEqual(before);
    await world.reconciliation.sweepEvents();
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
  });

  it('two sweeps at once: one leaves', async () => {
    const { request } = await paidPage();
    await Promise.all([world.reconciliation.sweepEvents(), world.reconciliation.sweepEvents()]);
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
  });

  it('a page that has been open for a while is looked at', async () => {
    const { request } = await paidPage();
    await world.reconciliation.sweepCheckouts();
    expect(world.listener.heard).toEqual([]);
    await world.run(
      async (tx) =>
        void (await sql`update stripe_checkout set read_at = now() - interval '11 minutes' where status = 'open'`.execute(
          tx.db,
        )),
    );
    await Promise.all([world.reconciliation.sweepCheckouts(), world.reconciliation.sweepCheckouts()]);
    toldOnce(request.sessionId);
  });

  it('settled events are forgotten when Stripe can not send them any more', async () => {
    const { request } = await paidPage();
    await world.reconciliation.sweepEvents();
    await world.inbox.handleDue();
    toldOnce(request.sessionId);
    await world.reconciliation.forget();
    expect(await events()).not.toEqual([]);
    await world.run(
      async (tx) => void (await sql`update stripe_event set settled_at = now() - interval '36 days'`.execute(tx.db)),
    );
    await world.reconciliation.forget();
    expect(await events()).toEqual([]);
  });
});

async function sessionOf(sessionId: string): Promise<string | undefined> {
  const { entries } = await world.control<{
    entries: { changes: { id: string; value: { client_reference_id?: string } }[] }[];
  }>('/journal?object=checkout.session');
  return entries.flatMap((entry) => entry.changes).find(({ value }) => value?.client_reference_id === sessionId)?.id;
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Somebody does something at Stripe that we know nothing of. */
async function dashboard(route: string, body = ''): Promise<{ id: string }> {
  const answer = await fetch(`${world.sandbox.url}${route}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_dashboard', 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { id: string };
}
