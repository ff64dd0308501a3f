/** reference/stripe.md, section 1: Idempotency-Key. Each test is named by the statement it holds the sandbox to. */
import { randomUUID } from 'node:crypto';
import { failure, startHarness, type Harness } from '../test/harness.js';

let h: Harness;
let customer: string;
let card: string;
beforeAll(async () => {
  h = await startHarness();
});
beforeEach(async () => {
  customer = (await h.stripe.customers.create({})).id;
  card = (await h.stripe.paymentMethods.attach('pm_card_visa', { customer })).id;
});
afterEach(async () => {
  await h.control('DELETE', '/faults');
});
afterAll(() => h.close());

const body = (over: object = {}) => ({
  amount: 1000,
  currency: 'usd',
  customer,
  payment_method: card,
  off_session: true,
  confirm: true,
  ...over,
});
const charge = (idempotencyKey: string, over: object = {}) =>
  h.stripe.paymentIntents.create(body(over), { idempotencyKey });
const charges = async () => (await h.control('GET', `/charges?customer=${customer}&status=succeeded`)).count as number;

/** The same over a raw socket, where no client retries or hides headers. */
async function raw(method: string, path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  const query = new URLSearchParams(form).toString();
  const answer = await fetch(`${h.sandbox.url}${path}${method === 'POST' ? '' : `?${query}`}`, {
    method,
    headers: {
      authorization: 'Bearer sk_test_sandbox',
      ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(method === 'POST' && { body: query }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as any };
}

test('POST only: a key is ignored on GET', async () => {
  const key = randomUUID();
  await raw('GET', '/v1/customers', { limit: '1' }, { 'idempotency-key': key });
  const second = await raw('GET', '/v1/customers', { limit: '2' }, { 'idempotency-key': key });
  expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([200, null]);
});

test('POST only: a key is ignored on DELETE', async () => {
  const key = randomUUID();
  await raw('DELETE', `/v1/customers/${customer}`, {}, { 'idempotency-key': key });
  const second = await raw('DELETE', `/v1/customers/${customer}`, {}, { 'idempotency-key': key });
  expect(second.status).toBe(404);
});

test('a key has at most 255 characters', async () => {
  expect(await failure(charge('k'.repeat(256)))).toMatchObject({ statusCode: 400, rawType: 'idempotency_error' });
  expect(await charge('k'.repeat(255))).toMatchObject({ status: 'succeeded' });
});

test('status and body of the first run are stored: a repeat shows them and executes nothing', async () => {
  const key = randomUUID();
  const first = await charge(key);
  const second = await charge(key);
  expect(second).toEqual(first);
  expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  expect(await charges()).toBe(1);
});

test('a stored 402 is repeated', async () => {
  const key = randomUUID();
  const first = await failure(charge(key, { payment_method: 'pm_card_chargeDeclined' }));
  const second = await failure(charge(key, { payment_method: 'pm_card_chargeDeclined' }));
  expect([first.statusCode, second.statusCode]).toEqual([402, 402]);
  expect(second.payment_intent?.id).toBe(first.payment_intent?.id);
});

test('a stored 404 of a running endpoint is repeated', async () => {
  const key = randomUUID();
  const confirm = () => h.stripe.paymentIntents.confirm('pi_missing', {}, { idempotencyKey: key });
  await failure(confirm());
  const again = await failure(confirm());
  expect([again.statusCode, again.headers?.['idempotent-replayed']]).toEqual([404, 'true']);
});

test('a 500 is stored too: no charge was made, and the repeat does not make one', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: '500_stored', match: { path: '/v1/payment_intents' } });
  expect(await failure(charge(key))).toMatchObject({ statusCode: 500, type: 'StripeAPIError' });
  const again = await failure(charge(key));
  expect([again.statusCode, again.headers?.['idempotent-replayed']]).toEqual([500, 'true']);
  expect(await charges()).toBe(0);
});

test('a 500 is stored too: the charge was made, and the repeat still shows the 500', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: '500_stored', execute: true, match: { path: '/v1/payment_intents' } });
  expect(await failure(charge(key))).toMatchObject({ statusCode: 500 });
  expect(await failure(charge(key))).toMatchObject({ statusCode: 500 });
  expect(await charges()).toBe(1);
});

test('not stored: parameter validation failed', async () => {
  const key = randomUUID();
  const refused = await failure(
    h.stripe.paymentIntents.create(body({ nonsense: 1 }) as never, { idempotencyKey: key }),
  );
  expect(refused).toMatchObject({ statusCode: 400, code: 'parameter_unknown' });
  expect(await charge(key)).toMatchObject({ status: 'succeeded' });
});

test('not stored: another request with the key is running, 409 idempotency_key_in_use', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: 'delay', ms: 300, match: { path: '/v1/payment_intents' } });
  const first = charge(key);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = await failure(charge(key));
  expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
  expect(second.headers?.['stripe-should-retry']).toBe('true');
  const done = await first;
  expect((await charge(key)).id).toBe(done.id);
  expect(await charges()).toBe(1);
});

test('the client waits out a running request by itself', async () => {
  const idempotencyKey = randomUUID();
  await h.control('POST', '/faults', { act: 'delay', ms: 200, match: { path: '/v1/payment_intents' } });
  const patient = h.client({ maxNetworkRetries: 2 });
  const first = patient.paymentIntents.create(body(), { idempotencyKey });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await patient.paymentIntents.create(body(), { idempotencyKey })).id).toBe((await first).id);
});

test('401 is refused before the layer', async () => {
  const key = randomUUID();
  const stranger = h.client({}, 'sk_live_nope');
  expect(await failure(stranger.customers.create({}, { idempotencyKey: key }))).toMatchObject({ statusCode: 401 });
  expect(await h.stripe.customers.create({ name: 'other' }, { idempotencyKey: key })).toMatchObject({ name: 'other' });
});

test('429 is refused before the layer, and the client does not repeat it', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: '429', match: { path: '/v1/payment_intents' } });
  const error = await failure(
    h.client({ maxNetworkRetries: 2 }).paymentIntents.create(body(), { idempotencyKey: key }),
  );
  expect(error).toMatchObject({ statusCode: 429, type: 'StripeRateLimitError' });
  expect(await charge(key, { amount: 2000 })).toMatchObject({ amount: 2000 });
});

test('503 is not stored: the same key executes when the storm is over', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: '503', match: { path: '/v1/payment_intents' } });
  expect(await failure(charge(key))).toMatchObject({ statusCode: 503 });
  expect(await charge(key)).toMatchObject({ status: 'succeeded' });
});

test('the same key with other parameters is an idempotency_error (400)', async () => {
  const key = randomUUID();
  await charge(key);
  const error = await failure(charge(key, { amount: 1001 }));
  expect(error).toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError', rawType: 'idempotency_error' });
  expect(await failure(charge(key, { metadata: { changed: '1' } }))).toMatchObject({ rawType: 'idempotency_error' });
  expect(await charges()).toBe(1);
});

test('the same key on another endpoint is an idempotency_error (400)', async () => {
  const key = randomUUID();
  await charge(key);
  expect(await failure(h.stripe.customers.create({}, { idempotencyKey: key }))).toMatchObject({
    rawType: 'idempotency_error',
  });
});

test('the order of the parameters does not matter', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await raw('POST', '/v1/customers', { name: 'a', email: 'a@b.test' }, headers);
  const second = await raw('POST', '/v1/customers', { email: 'a@b.test', name: 'a' }, headers);
  expect(second.body).toEqual(first.body);
});

test('a key lives at least 24 h; after that the same key executes again', async () => {
  const key = randomUUID();
  const first = await charge(key);
  await h.control('POST', '/clock', { advance_seconds: 24 * 3600 - 60 });
  expect((await charge(key)).id).toBe(first.id);
  await h.control('POST', '/clock', { advance_seconds: 120 });
  expect((await charge(key)).id).not.toBe(first.id);
  expect(await charges()).toBe(2);
});

test('a key and its answer survive a restart', async () => {
  const key = randomUUID();
  const first = await charge(key);
  await h.restart();
  expect((await charge(key)).id).toBe(first.id);
});

test('every answer names its request and says whether to repeat', async () => {
  const headers = { 'idempotency-key': randomUUID(), 'stripe-version': '2026-10-28.endive' };
  const answer = await raw('POST', '/v1/customers', {}, headers);
  expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/);
  expect(answer.headers.get('stripe-should-retry')).toBe('false');
  expect(answer.headers.get('stripe-version')).toBe('2026-10-28.endive');
  expect(answer.headers.get('idempotency-key')).toBe(headers['idempotency-key']);
});

test('after a network error, same key and parameters: the charge was made once and its answer comes (execute then drop)', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: 'execute_then_drop', match: { path: '/v1/payment_intents' }, times: 2 });
  expect(await failure(charge(key))).toMatchObject({ type: 'StripeConnectionError' });
  expect(await charges()).toBe(1);
  expect(await charge(key)).toMatchObject({ status: 'succeeded' });
  expect(await charges()).toBe(1);
});

test('after a network error, same key and parameters: nothing was done and it is done now (drop before)', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: 'drop_before', match: { path: '/v1/payment_intents' }, times: 2 });
  expect(await failure(charge(key))).toMatchObject({ type: 'StripeConnectionError' });
  expect(await charges()).toBe(0);
  expect(await charge(key)).toMatchObject({ status: 'succeeded' });
  expect(await charges()).toBe(1);
});

test('a cut body is an outcome not known; the same key tells it', async () => {
  const key = randomUUID();
  await h.control('POST', '/faults', { act: 'half_body', match: { path: '/v1/payment_intents' } });
  expect(await failure(charge(key))).toMatchObject({ type: expect.stringMatching(/Connection|API/) });
  expect(await charge(key)).toMatchObject({ status: 'succeeded' });
  expect(await charges()).toBe(1);
});

test('a new call of the client without a key of its own is a new charge', async () => {
  await h.stripe.paymentIntents.create(body());
  await h.stripe.paymentIntents.create(body());
  expect(await charges()).toBe(2);
});

test('an attempt is found by list of customer and created, by stored id, and by search of its metadata', async () => {
  const made = await charge(randomUUID(), { metadata: { attempt_id: 'att_7' } });
  const listed = await h.stripe.paymentIntents.list({ customer, created: { gte: made.created } });
  expect(listed.data.map((one) => one.metadata.attempt_id)).toEqual(['att_7']);
  expect((await h.stripe.paymentIntents.retrieve(made.id)).metadata).toEqual({ attempt_id: 'att_7' });
  const query = `metadata['attempt_id']:'att_7' AND customer:'${customer}' AND status:"succeeded" AND amount>999`;
  expect((await h.stripe.paymentIntents.search({ query })).data.map((one) => one.id)).toEqual([made.id]);
  expect((await h.stripe.paymentIntents.search({ query: `${query} AND -amount:1000` })).data).toEqual([]);
  expect(await failure(h.stripe.paymentIntents.search({ query: 'whatever' }))).toMatchObject({ statusCode: 400 });
});
