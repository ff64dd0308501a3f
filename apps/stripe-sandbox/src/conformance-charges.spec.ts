/** reference/stripe.md, section 5: the off-session charge, and the states of a PaymentIntent. */
import type Stripe from 'stripe';
import { failure, startHarness, type Harness } from '../test/harness.js';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

async function saved(card = 'pm_card_visa') {
  const customer = await h.stripe.customers.create({});
  const method = await h.stripe.paymentMethods.attach(card, { customer: customer.id });
  return { customer: customer.id, payment_method: method.id };
}
const offSession = (of: { customer: string; payment_method: string }, over: object = {}) =>
  h.stripe.paymentIntents.create({ amount: 1500, currency: 'eur', ...of, off_session: true, confirm: true, ...over });
const eventsOf = async (intent: string) =>
  (await h.stripe.events.list({ limit: 100 })).data
    .filter((event) => (event.data.object as { id: string }).id === intent)
    .map((event) => event.type)
    .reverse();

test('customer, payment_method, off_session, confirm and metadata: succeeded', async () => {
  const intent = await offSession(await saved(), { metadata: { attempt_id: 'a1' }, expand: ['latest_charge'] });
  expect(intent).toMatchObject({ status: 'succeeded', amount_received: 1500, livemode: false });
  expect(intent.latest_charge).toMatchObject({ status: 'succeeded', captured: true, metadata: { attempt_id: 'a1' } });
  expect(await eventsOf(intent.id)).toEqual(['payment_intent.created', 'payment_intent.succeeded']);
});

test('HTTP 402 card_error with code and decline_code; the error carries the intent, now requires_payment_method', async () => {
  const error = await failure(offSession(await saved('pm_card_visa_chargeDeclinedInsufficientFunds')));
  expect(error).toMatchObject({
    statusCode: 402,
    rawType: 'card_error',
    code: 'card_declined',
    decline_code: 'insufficient_funds',
    advice_code: 'try_again_later',
    charge: expect.stringMatching(/^ch_/),
  });
  const intent = await h.stripe.paymentIntents.retrieve(error.payment_intent?.id ?? '');
  expect(intent).toMatchObject({
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: error.charge,
    last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds' },
  });
  expect(await eventsOf(intent.id)).toEqual(['payment_intent.created', 'payment_intent.payment_failed']);
});

test('authentication_required: the customer must come back on-session', async () => {
  const of = await saved('pm_card_authenticationRequired');
  const error = await failure(offSession(of));
  expect(error).toMatchObject({
    statusCode: 402,
    code: 'authentication_required',
    decline_code: 'authentication_required',
  });
  const id = error.payment_intent?.id ?? '';
  const back = await h.stripe.paymentIntents.confirm(id, {
    payment_method: of.payment_method,
    return_url: 'http://shop.test/back',
  });
  expect(back).toMatchObject({ status: 'requires_action', next_action: { type: 'redirect_to_url' } });
  const page = back.next_action?.redirect_to_url?.url ?? '';
  expect(await (await fetch(page)).text()).toContain('Complete authentication');
  const answer = await fetch(page, {
    method: 'POST',
    body: new URLSearchParams({ result: 'complete' }),
    redirect: 'manual',
  });
  expect(answer.headers.get('location')).toBe(`http://shop.test/back?payment_intent=${id}&redirect_status=succeeded`);
  expect(await h.stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'succeeded' });
});

test('processing: wait for the events, however long', async () => {
  const intent = await offSession(await saved('pm_sandbox_processing'));
  expect(intent).toMatchObject({ status: 'processing', amount_received: 0 });
  expect(await failure(h.stripe.paymentIntents.confirm(intent.id))).toMatchObject({
    code: 'payment_intent_unexpected_state',
  });
  await h.control('POST', '/clock', { advance_seconds: 3 * 86_400 });
  await h.control('POST', `/payment_intents/${intent.id}/settle`, { outcome: 'succeeded' });
  expect(await eventsOf(intent.id)).toEqual([
    'payment_intent.created',
    'payment_intent.processing',
    'payment_intent.succeeded',
  ]);
});

test('processing may end in failure', async () => {
  const intent = await offSession(await saved('pm_sandbox_processing'));
  await h.control('POST', `/payment_intents/${intent.id}/settle`, { outcome: 'failed' });
  expect(await h.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'requires_payment_method' });
  expect(await eventsOf(intent.id)).toContain('payment_intent.payment_failed');
});

test('requires_action if not raised as an error', async () => {
  const of = await saved('pm_card_authenticationRequired');
  const intent = await h.stripe.paymentIntents.create({ amount: 500, currency: 'eur', ...of, confirm: true });
  expect(intent).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
  expect(await eventsOf(intent.id)).toEqual(['payment_intent.created', 'payment_intent.requires_action']);
  const failed = await h.control('POST', `/payment_intents/${intent.id}/authenticate`, { result: 'fail' });
  expect(failed.last_payment_error.code).toBe('payment_intent_authentication_failure');
});

test('error_on_requires_action makes it an error', async () => {
  const of = await saved('pm_card_authenticationRequired');
  const call = h.stripe.paymentIntents.create({
    amount: 500,
    currency: 'eur',
    ...of,
    confirm: true,
    error_on_requires_action: true,
  });
  expect(await failure(call)).toMatchObject({ statusCode: 402, code: 'authentication_required' });
});

test('states: requires_payment_method, requires_confirmation, succeeded', async () => {
  const of = await saved();
  const bare = await h.stripe.paymentIntents.create({ amount: 500, currency: 'eur', customer: of.customer });
  expect(bare.status).toBe('requires_payment_method');
  const ready = await h.stripe.paymentIntents.update(bare.id, { payment_method: of.payment_method, amount: 700 });
  expect(ready).toMatchObject({ status: 'requires_confirmation', amount: 700 });
  expect(await h.stripe.paymentIntents.confirm(bare.id, { off_session: true })).toMatchObject({
    status: 'succeeded',
    amount_received: 700,
  });
});

test('states: canceled is the end', async () => {
  const of = await saved();
  const intent = await h.stripe.paymentIntents.create({ amount: 500, currency: 'eur', ...of });
  const canceled = await h.stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
  expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
  expect(canceled.canceled_at).toEqual(expect.any(Number));
  for (const call of [h.stripe.paymentIntents.confirm(intent.id), h.stripe.paymentIntents.cancel(intent.id)]) {
    expect(await failure(call)).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
  }
});

test('advice_code tells not to try a hard decline again', async () => {
  for (const card of ['pm_card_visa_chargeDeclinedLostCard', 'pm_card_visa_chargeDeclinedStolenCard']) {
    expect(await failure(offSession(await saved(card)))).toMatchObject({ advice_code: 'do_not_try_again' });
  }
});

test('one PaymentIntent, confirmed again per attempt: Stripe refuses a second success by itself', async () => {
  const bad = await saved('pm_card_chargeCustomerFail');
  const good = await h.stripe.paymentMethods.attach('pm_card_visa', { customer: bad.customer });
  const { payment_intent: intent } = await failure(offSession(bad));
  const id = intent?.id ?? '';
  const confirm = () => h.stripe.paymentIntents.confirm(id, { payment_method: good.id, off_session: true });
  expect(await confirm()).toMatchObject({ status: 'succeeded', last_payment_error: null });
  expect(await failure(confirm())).toMatchObject({
    statusCode: 400,
    code: 'payment_intent_unexpected_state',
    payment_intent: { status: 'succeeded' },
  });
  const { count } = await h.control('GET', `/charges?payment_intent=${id}&status=succeeded`);
  expect(count).toBe(1);
});

test('a saved card may be declined today and good tomorrow', async () => {
  const of = await saved();
  await h.control('POST', '/cards', { payment_method: of.payment_method, card: '4000000000009995' });
  const error = await failure(offSession(of));
  expect(error.decline_code).toBe('insufficient_funds');
  await h.control('POST', '/cards', { payment_method: of.payment_method, card: 'pm_card_visa' });
  const again = await h.stripe.paymentIntents.confirm(error.payment_intent?.id ?? '', {
    payment_method: of.payment_method,
    off_session: true,
  });
  expect(again.status).toBe('succeeded');
});

test('at most 1,000 updates per PaymentIntent and hour', async () => {
  const intent = await h.stripe.paymentIntents.create({ amount: 500, currency: 'eur' });
  const update = () => h.stripe.paymentIntents.update(intent.id, { description: 'x' });
  for (let done = 0; done < 1000; done += 50) await Promise.all(Array.from({ length: 50 }, update));
  expect(await failure(update())).toMatchObject({ statusCode: 429, code: 'payment_intent_rate_limit_exceeded' });
  await h.control('POST', '/clock', { advance_seconds: 3601 });
  expect(await update()).toMatchObject({ description: 'x' });
}, 30_000);

test('off_session is only for a confirmation', async () => {
  const call = h.stripe.paymentIntents.create({ amount: 500, currency: 'eur', ...(await saved()), off_session: true });
  expect(await failure(call)).toMatchObject({ statusCode: 400, param: 'off_session' });
});

test("a card removed at Stripe, or another customer's, is refused with a code", async () => {
  const [mine, other] = [await saved(), await saved()];
  expect(await failure(offSession({ ...mine, payment_method: other.payment_method }))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    param: 'payment_method',
  });
  await h.stripe.paymentMethods.detach(mine.payment_method);
  expect(await failure(offSession(mine))).toMatchObject({ statusCode: 400, code: 'payment_method_unexpected_state' });
  const gone = await failure(h.stripe.paymentMethods.attach(mine.payment_method, { customer: mine.customer }));
  expect(gone).toMatchObject({ code: 'payment_method_unexpected_state' });
});

test('a customer that is gone cannot be charged', async () => {
  const of = await saved();
  await h.stripe.customers.del(of.customer);
  expect(await failure(offSession(of))).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'customer' });
  expect(await h.stripe.customers.retrieve(of.customer)).toEqual({
    id: of.customer,
    object: 'customer',
    deleted: true,
  });
});

test('a SetupIntent readies a card for off-session charges', async () => {
  const { id: customer } = await h.stripe.customers.create({});
  const setup = await h.stripe.setupIntents.create({
    customer,
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    confirm: true,
  });
  expect(setup.status).toBe('requires_action');
  const done: Stripe.SetupIntent = await h.control('POST', `/setup_intents/${setup.id}/authenticate`);
  expect(done.status).toBe('succeeded');
  expect(await offSession({ customer, payment_method: done.payment_method as string })).toMatchObject({
    status: 'succeeded',
  });
  expect(await failure(h.stripe.setupIntents.cancel(setup.id))).toMatchObject({
    code: 'setup_intent_unexpected_state',
  });
});

test('a SetupIntent can be cancelled while it is open', async () => {
  const setup = await h.stripe.setupIntents.create({});
  expect(await h.stripe.setupIntents.cancel(setup.id)).toMatchObject({ status: 'canceled' });
  expect(await failure(h.stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' }))).toMatchObject({
    statusCode: 400,
  });
});
