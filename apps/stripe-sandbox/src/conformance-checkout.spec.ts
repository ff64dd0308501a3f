/** reference/stripe.md, section 4: Checkout Sessions. */
import type Stripe from 'stripe';
import { failure, startHarness, type Harness } from '../test/harness.js';

type Params = Stripe.Checkout.SessionCreateParams;

let h: Harness;
let customer: string;
beforeAll(async () => {
  h = await startHarness();
});
beforeEach(async () => {
  customer = (await h.stripe.customers.create({ email: 'ada@example.com', name: 'Ada' })).id;
});
afterAll(() => h.close());

const item = (unit_amount = 5000, name = 'Credits'): Stripe.Checkout.SessionCreateParams.LineItem => ({
  quantity: 1,
  price_data: { currency: 'usd', unit_amount, product_data: { name } },
});
const topUp = (over: Partial<Params> = {}) =>
  h.stripe.checkout.sessions.create({
    mode: 'payment',
    customer,
    success_url: 'http://shop.test/thanks?s={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://shop.test/cart',
    line_items: [item()],
    ...over,
  });
const saving = (over: Partial<Params> = {}) =>
  h.stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    customer,
    success_url: 'http://shop.test/saved',
    ...over,
  });
const complete = (id: string, body: object = {}) => h.control('POST', `/sessions/${id}/complete`, body);
const read = (id: string) => h.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent', 'setup_intent'] });

test('status open becomes complete, payment_status unpaid becomes paid', async () => {
  const session = await topUp();
  expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 5000, currency: 'usd' });
  await complete(session.id);
  expect(await read(session.id)).toMatchObject({ status: 'complete', payment_status: 'paid', url: null });
});

test('status open becomes expired by the API, and is then closed for good', async () => {
  const session = await topUp();
  expect(await h.stripe.checkout.sessions.expire(session.id)).toMatchObject({ status: 'expired', url: null });
  expect(await failure(h.stripe.checkout.sessions.expire(session.id))).toMatchObject({ statusCode: 400 });
  await expect(complete(session.id)).rejects.toThrow(/is expired/);
  const { data } = await h.stripe.events.list({ type: 'checkout.session.expired' });
  expect(data[0]?.data.object).toMatchObject({ id: session.id });
});

test('payment_status is no_payment_required in mode setup', async () => {
  expect(await saving()).toMatchObject({ status: 'open', payment_status: 'no_payment_required', amount_total: null });
});

test('expires_at is 24 h by default and from 30 min to 24 h by wish', async () => {
  const session = await topUp();
  expect(session.expires_at - session.created).toBe(24 * 3600);
  const { now } = await h.control('GET', '/clock');
  expect(await failure(topUp({ expires_at: now + 29 * 60 }))).toMatchObject({ statusCode: 400, param: 'expires_at' });
  expect(await failure(topUp({ expires_at: now + 25 * 3600 }))).toMatchObject({ statusCode: 400, param: 'expires_at' });
  expect(await topUp({ expires_at: now + 31 * 60 })).toMatchObject({ expires_at: now + 31 * 60 });
});

test('a session expires by itself when its time comes', async () => {
  const { now } = await h.control('GET', '/clock');
  const session = await topUp({ expires_at: now + 31 * 60 });
  await h.control('POST', '/clock', { advance_seconds: 31 * 60 + 1 });
  expect(await read(session.id)).toMatchObject({ status: 'expired', payment_status: 'unpaid' });
});

test('the PaymentIntent is made at confirmation', async () => {
  const session = await topUp();
  expect(session.payment_intent).toBeNull();
  expect((await h.stripe.paymentIntents.list({ customer })).data).toEqual([]);
  await complete(session.id);
  expect((await read(session.id)).payment_intent).toMatchObject({ status: 'succeeded', amount: 5000, customer });
});

test('session metadata is not copied to the PaymentIntent; payment_intent_data.metadata is, and on to the charge', async () => {
  const session = await topUp({
    metadata: { on_session: '1' },
    client_reference_id: 'topup_9',
    payment_intent_data: { metadata: { on_intent: '1' } },
  });
  await complete(session.id);
  const done = await read(session.id);
  expect(done).toMatchObject({ client_reference_id: 'topup_9', metadata: { on_session: '1' } });
  expect((done.payment_intent as Stripe.PaymentIntent).metadata).toEqual({ on_intent: '1' });
  const { data } = await h.control('GET', `/charges?customer=${customer}`);
  expect(data[0].metadata).toEqual({ on_intent: '1' });
});

test('mode setup saves the method to the customer for off-session use', async () => {
  const session = await saving({ setup_intent_data: { metadata: { wallet: 'w1' } } });
  await complete(session.id, { card: '4000002500003155' });
  const { setup_intent: setup } = await read(session.id);
  expect(setup).toMatchObject({ status: 'succeeded', usage: 'off_session', metadata: { wallet: 'w1' } });
  const [method] = (await h.stripe.customers.listPaymentMethods(customer)).data;
  const charge = {
    amount: 500,
    currency: 'usd',
    customer,
    payment_method: method?.id ?? '',
    off_session: true,
    confirm: true,
  };
  expect(await h.stripe.paymentIntents.create(charge)).toMatchObject({ status: 'succeeded' });
});

test('mode setup needs a currency', async () => {
  const error = await failure(h.stripe.checkout.sessions.create({ mode: 'setup', success_url: 'http://shop.test/' }));
  expect(error).toMatchObject({ code: 'parameter_missing', param: 'currency' });
});

test('mode setup with a card that is refused: setup_failed, the session stays open', async () => {
  const session = await saving();
  expect(await complete(session.id, { card: '4000000000000002' })).toMatchObject({ result: 'declined' });
  expect(await read(session.id)).toMatchObject({ status: 'open', setup_intent: { status: 'requires_payment_method' } });
  expect((await h.stripe.events.list({ type: 'setup_intent.setup_failed' })).data).toHaveLength(1);
  await complete(session.id);
  expect(await read(session.id)).toMatchObject({ status: 'complete', setup_intent: { status: 'succeeded' } });
});

test('payment_intent_data.setup_future_usage saves the card that paid', async () => {
  const session = await topUp({ payment_intent_data: { setup_future_usage: 'off_session' } });
  await complete(session.id);
  expect((await h.stripe.customers.listPaymentMethods(customer)).data).toHaveLength(1);
});

test('without it the card that paid is not saved, and may not be used again', async () => {
  const session = await topUp();
  await complete(session.id);
  expect((await h.stripe.customers.listPaymentMethods(customer)).data).toEqual([]);
  const paid = (await read(session.id)).payment_intent as Stripe.PaymentIntent;
  const again = {
    amount: 500,
    currency: 'usd',
    customer,
    payment_method: paid.payment_method as string,
    confirm: true,
  };
  expect(await failure(h.stripe.paymentIntents.create(again))).toMatchObject({
    code: 'payment_method_unexpected_state',
  });
});

test('a declined payment leaves the session open; the next try uses the same PaymentIntent', async () => {
  const session = await topUp();
  const declined = await complete(session.id, { card: '4000000000009995' });
  expect(declined).toMatchObject({
    result: 'declined',
    error: { decline_code: 'insufficient_funds' },
    session: { status: 'open' },
  });
  await complete(session.id);
  const intents = (await h.stripe.paymentIntents.list({ customer })).data;
  expect(intents.map((one) => one.status)).toEqual(['succeeded']);
  const { data } = await h.control('GET', `/charges?customer=${customer}`);
  expect(data.map((one: { status: string }) => one.status)).toEqual(['failed', 'succeeded']);
});

test('the PaymentIntent of an open session cannot be cancelled; expire the session', async () => {
  const session = await topUp();
  await complete(session.id, { card: '4000000000000002' });
  const { payment_intent: intent } = await h.stripe.checkout.sessions.retrieve(session.id);
  const error = await failure(h.stripe.paymentIntents.cancel(intent as string));
  expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
  await h.stripe.checkout.sessions.expire(session.id);
  expect(await h.stripe.paymentIntents.retrieve(intent as string)).toMatchObject({ status: 'canceled' });
});

test('a session is paid once', async () => {
  const session = await topUp();
  await complete(session.id);
  await expect(complete(session.id)).rejects.toThrow(/is complete/);
  expect((await h.control('GET', `/charges?customer=${customer}`)).count).toBe(1);
});

test('delayed methods: completed with unpaid, later async_payment_succeeded', async () => {
  const session = await topUp();
  await complete(session.id, { card: 'pm_sandbox_processing' });
  const waiting = await read(session.id);
  expect(waiting).toMatchObject({
    status: 'complete',
    payment_status: 'unpaid',
    payment_intent: { status: 'processing' },
  });
  await h.control('POST', `/payment_intents/${(waiting.payment_intent as Stripe.PaymentIntent).id}/settle`);
  expect(await read(session.id)).toMatchObject({ payment_status: 'paid', payment_intent: { status: 'succeeded' } });
  const [event] = (await h.stripe.events.list({ type: 'checkout.session.async_payment_succeeded' })).data;
  expect(event?.data.object).toMatchObject({ id: session.id, payment_status: 'paid' });
});

test('delayed methods: completed with unpaid, later async_payment_failed', async () => {
  const session = await topUp();
  await complete(session.id, { card: 'pm_sandbox_processing' });
  const { payment_intent: intent } = await h.stripe.checkout.sessions.retrieve(session.id);
  await h.control('POST', `/payment_intents/${intent as string}/settle`, { outcome: 'failed' });
  expect(await read(session.id)).toMatchObject({
    payment_status: 'unpaid',
    payment_intent: { status: 'requires_payment_method' },
  });
  const [event] = (await h.stripe.events.list({ type: 'checkout.session.async_payment_failed' })).data;
  expect(event?.data.object).toMatchObject({ id: session.id });
});

test('a guest pays: the email comes from the page, a customer is made on wish', async () => {
  const session = await topUp({ customer: undefined, customer_creation: 'always' });
  await complete(session.id, { email: 'guest@example.com' });
  const done = await h.stripe.checkout.sessions.retrieve(session.id, { expand: ['customer'] });
  expect(done.customer).toMatchObject({ email: 'guest@example.com' });
  expect(done.customer_details).toMatchObject({ email: 'guest@example.com' });
});

test('a guest leaves only an email', async () => {
  const session = await topUp({ customer: undefined });
  await complete(session.id, { email: 'guest@example.com' });
  const done = await h.stripe.checkout.sessions.retrieve(session.id);
  expect(done).toMatchObject({ customer: null, customer_details: { email: 'guest@example.com' } });
});

test('sessions are listed by customer, status and payment_intent, with their line items', async () => {
  const session = await topUp({ line_items: [item(1000, 'a'), item(2000, 'b')] });
  await topUp();
  await complete(session.id);
  const { data } = await h.stripe.checkout.sessions.list({ customer, status: 'complete' });
  expect(data.map((one) => one.id)).toEqual([session.id]);
  const byIntent = await h.stripe.checkout.sessions.list({ payment_intent: data[0]?.payment_intent as string });
  expect(byIntent.data).toHaveLength(1);
  const items = await h.stripe.checkout.sessions.listLineItems(session.id);
  expect(items.data.map((one) => [one.description, one.amount_total, one.price?.unit_amount])).toEqual([
    ['a', 1000, 1000],
    ['b', 2000, 2000],
  ]);
});

test('success_url must be a URL a browser may go to', async () => {
  expect(await failure(topUp({ success_url: 'javascript:alert(1)' }))).toMatchObject({
    code: 'url_invalid',
    param: 'success_url',
  });
});
