/** reference/stripe.md, section 3: webhooks. */
import { createHmac } from 'node:crypto';
import type Stripe from 'stripe';
import { failure, startHarness, type Harness, type Received, type Receiver } from '../test/harness.js';
import { PAUSES } from './dispatcher.js';

let h: Harness;
let receiver: Receiver;
let endpoint: Stripe.WebhookEndpoint;
beforeEach(async () => {
  h = await startHarness();
  receiver = await h.receiver();
  endpoint = await h.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['*'] });
});
afterEach(() => h.close());

const signature = (one: Received | undefined) => String(one?.headers['stripe-signature']);
const timestamp = (one: Received | undefined) => Number(/t=(\d+)/.exec(signature(one))?.[1]);
const verify = (one: Received | undefined, secret = endpoint.secret ?? '') =>
  h.stripe.webhooks.constructEvent(one?.body ?? '', signature(one), secret);
const newCustomer = (name = 'a') => h.stripe.customers.create({ name });

test('Stripe-Signature is t and v1: HMAC-SHA256 over t, a dot and the raw body', async () => {
  await newCustomer('naïve “ü” 💶');
  const [delivery] = await receiver.wait(1);
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature(delivery)) ?? [];
  expect(
    createHmac('sha256', endpoint.secret ?? '')
      .update(`${t}.${delivery?.body}`)
      .digest('hex'),
  ).toBe(v1);
  expect(verify(delivery).type).toBe('customer.created');
});

test('each attempt has a fresh t and a fresh signature', async () => {
  receiver.answerWith((nth) => (nth === 1 ? 500 : 200));
  await newCustomer();
  const [first, second] = await receiver.wait(2);
  expect(timestamp(second)).toBeGreaterThanOrEqual(timestamp(first) + 1);
  expect(signature(second)).not.toBe(signature(first));
  expect(second?.body).toBe(first?.body);
  verify(second);
});

test('during a secret roll-over two v1 values come; after it only the new one', async () => {
  const { secret } = await h.control('POST', `/webhook_endpoints/${endpoint.id}/roll_secret`, {
    overlap_seconds: 3600,
  });
  await newCustomer();
  const [during] = await receiver.wait(1);
  expect(signature(during).match(/v1=/g)).toHaveLength(2);
  verify(during);
  verify(during, secret);
  await h.control('POST', '/clock', { advance_seconds: 3601 });
  await newCustomer();
  const [, after] = await receiver.wait(2);
  expect(signature(after).match(/v1=/g)).toHaveLength(1);
  verify(after, secret);
  expect(() => verify(after)).toThrow(/No signatures found/);
});

test('attempts go on for about three days with growing pauses, then end', async () => {
  receiver.answerWith(500);
  await newCustomer();
  await receiver.wait(1);
  for (const pause of PAUSES) {
    await h.control('POST', '/webhooks/drain');
    await h.control('POST', '/clock', { advance_seconds: Math.ceil(pause / 1000) });
    await h.control('POST', '/webhooks/drain');
  }
  const { data } = await h.control('GET', '/webhooks/deliveries');
  expect(data[0].status).toBe('failed');
  expect(receiver.received).toHaveLength(PAUSES.length + 1);
  const days = PAUSES.reduce((sum, pause) => sum + pause, 0) / 86_400_000;
  expect(days).toBeGreaterThan(2.8);
  expect(days).toBeLessThanOrEqual(3);
  expect([...PAUSES].sort((a, b) => a - b)).toEqual(PAUSES);
});

test('a 3xx counts as failure and is not followed', async () => {
  receiver.answerWith((nth) => (nth === 1 ? 302 : 200));
  await newCustomer();
  await receiver.wait(2);
  await h.control('POST', '/webhooks/drain');
  const { data } = await h.control('GET', '/webhooks/deliveries');
  expect(data[0]).toMatchObject({ status: 'succeeded', attempts: [{ status: 302 }, { status: 200 }] });
});

test('an unreachable endpoint is tried again', async () => {
  await receiver.close();
  await newCustomer();
  await h.control('POST', '/webhooks/drain');
  const { data } = await h.control('GET', '/webhooks/deliveries');
  expect(data[0]).toMatchObject({ status: 'pending', attempts: [{ status: null, error: 'ECONNREFUSED' }] });
});

test('there are at most 16 endpoints', async () => {
  for (let nth = 2; nth <= 16; nth += 1) {
    await h.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['charge.failed'] });
  }
  const error = await failure(h.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['*'] }));
  expect(error).toMatchObject({ statusCode: 400 });
});

test('the secret is told only at creation', async () => {
  expect(endpoint.secret).toMatch(/^whsec_/);
  expect((await h.stripe.webhookEndpoints.retrieve(endpoint.id)).secret).toBeUndefined();
  expect((await h.stripe.webhookEndpoints.list()).data[0]?.secret).toBeUndefined();
  expect(JSON.stringify(await h.control('GET', '/journal'))).not.toContain(endpoint.secret);
});

test('an endpoint gets only the events it listens to, while it is enabled', async () => {
  await h.stripe.webhookEndpoints.update(endpoint.id, { enabled_events: ['customer.deleted'] });
  const { id } = await newCustomer();
  await h.stripe.customers.del(id);
  await receiver.wait(1);
  await h.stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
  await h.stripe.customers.del((await newCustomer()).id);
  await h.control('POST', '/webhooks/drain');
  expect(receiver.events().map((event) => event.type)).toEqual(['customer.deleted']);
});

test('duplicates happen', async () => {
  await h.control('POST', '/webhooks', { act: 'duplicate', n: 3 });
  await newCustomer();
  await receiver.wait(3);
  expect(new Set(receiver.events().map((event) => event.id)).size).toBe(1);
});

test('rarely two different event ids tell of one change: object id and type match', async () => {
  await h.control('POST', '/webhooks', { act: 'twin', types: ['customer.created'] });
  const { id } = await newCustomer();
  await receiver.wait(2);
  const events = receiver.events();
  expect(new Set(events.map((event) => event.id)).size).toBe(2);
  expect(events.map((event) => [event.type, (event.data.object as Stripe.Customer).id])).toEqual([
    ['customer.created', id],
    ['customer.created', id],
  ]);
});

test('order is not promised: two events change places', async () => {
  await h.control('POST', '/webhooks', { act: 'swap' });
  const { id } = await newCustomer();
  await h.stripe.customers.update(id, { name: 'b' });
  await receiver.wait(2);
  expect(receiver.events().map((event) => event.type)).toEqual(['customer.updated', 'customer.created']);
});

test('order is not promised: held events go out as told', async () => {
  await h.control('POST', '/webhooks', { act: 'hold' });
  const { id } = await newCustomer();
  await h.stripe.customers.update(id, { name: 'b' });
  await h.stripe.customers.del(id);
  const [a, b, c] = (await h.stripe.events.list()).data.reverse().map((event) => event.id);
  expect(receiver.received).toHaveLength(0);
  await h.control('POST', '/webhooks/release', { order: [c, a, b] });
  expect(receiver.events().map((event) => event.id)).toEqual([c, a, b]);
});

test('an event may arrive before the answer of the call that caused it', async () => {
  await h.control('POST', '/faults', { act: 'delay', ms: 400, match: { path: '/v1/customers' } });
  let answered = false;
  const call = newCustomer().then(() => (answered = true));
  await receiver.wait(1);
  expect(answered).toBe(false);
  await call;
});

test('event bodies are frozen at creation, in the API version', async () => {
  await h.control('POST', '/webhooks', { act: 'hold' });
  const { id } = await newCustomer('before');
  await h.stripe.customers.update(id, { name: 'after' });
  await h.control('POST', '/webhooks/release');
  const [created, updated] = receiver.events();
  expect(created).toMatchObject({
    api_version: '2026-10-28.endive',
    livemode: false,
    data: { object: { name: 'before' } },
  });
  expect(updated?.data).toMatchObject({ object: { name: 'after' }, previous_attributes: { name: 'before' } });
});

test('an event names the request and the key that caused it', async () => {
  const made = await h.stripe.customers.create({}, { idempotencyKey: 'cause_1' });
  const [event] = (await h.stripe.events.list({ type: 'customer.created' })).data;
  expect(event?.request).toEqual({ id: made.lastResponse.requestId, idempotency_key: 'cause_1' });
});

test('GET /v1/events takes delivery_success=false, and types with a wildcard', async () => {
  receiver.answerWith((nth) => (nth === 1 ? 200 : 500));
  const { id } = await newCustomer();
  await receiver.wait(1);
  await h.control('POST', '/webhooks/drain');
  await h.stripe.customers.update(id, { name: 'b' });
  await receiver.wait(2);
  await h.control('POST', '/webhooks/drain');
  const missed = await h.stripe.events.list({ delivery_success: false });
  expect(missed.data.map((event) => event.type)).toEqual(['customer.updated']);
  expect(missed.data[0]?.pending_webhooks).toBe(1);
  const delivered = await h.stripe.events.list({ delivery_success: true, type: 'customer.*' });
  expect(delivered.data.map((event) => event.type)).toEqual(['customer.created']);
});

test('GET /v1/events reaches 30 days back', async () => {
  await newCustomer();
  await h.control('POST', '/clock', { advance_seconds: 31 * 86_400 });
  await newCustomer();
  expect((await h.stripe.events.list()).data).toHaveLength(1);
});

test('webhooks that never arrive can be found by the list and sent again by hand', async () => {
  await h.control('POST', '/webhooks', { act: 'never' });
  await newCustomer();
  const [missed] = (await h.stripe.events.list({ delivery_success: false })).data;
  expect(receiver.received).toHaveLength(0);
  await h.control('POST', `/events/${missed?.id}/send`);
  expect(receiver.events().map((event) => event.id)).toEqual([missed?.id]);
});

test('a wrong signature can be ordered, and the retry is right', async () => {
  receiver.answerWith((nth) => (nth === 1 ? 400 : 200));
  await h.control('POST', '/webhooks', { act: 'wrong_secret' });
  await newCustomer();
  const [forged, right] = await receiver.wait(2);
  expect(() => verify(forged)).toThrow(/No signatures found/);
  verify(right);
});

test('an old timestamp can be ordered: the client refuses what is older than 300 s', async () => {
  await h.control('POST', '/webhooks', { act: 'old_timestamp', seconds: 301 });
  await newCustomer();
  const [old] = await receiver.wait(1);
  expect(() => verify(old)).toThrow(/tolerance/);
});

test('an event of the wrong mode can be ordered', async () => {
  await h.control('POST', '/webhooks', { act: 'livemode' });
  await newCustomer();
  await receiver.wait(1);
  expect(receiver.events()[0]?.livemode).toBe(true);
});

test('deliveries still due survive a restart', async () => {
  receiver.answerWith((nth) => (nth === 1 ? 500 : 200));
  await newCustomer();
  await receiver.wait(1);
  await h.restart();
  await receiver.wait(2);
  verify(receiver.received[1]);
});
