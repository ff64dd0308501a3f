/** reference/stripe.md, section 4: the hosted page of a Checkout Session. */
import type Stripe from 'stripe';
import { startHarness, type Harness } from '../test/harness.js';

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
const complete = (id: string, body: object = {}) => h.control('POST', `/sessions/${id}/complete`, body);
const read = (id: string) => h.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent', 'setup_intent'] });
const post = (url: string | null, form: Record<string, string>) =>
  fetch(url ?? '', { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });

test('the hosted page waits for checkout.session.completed to be answered before it redirects', async () => {
  const receiver = await h.receiver();
  receiver.answerWith(200, 600);
  await h.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['checkout.session.completed'] });
  const session = await topUp();
  const before = Date.now();
  const answer = await post(session.url, { number: '4242424242424242' });
  expect(Date.now() - before).toBeGreaterThanOrEqual(600);
  expect(receiver.received).toHaveLength(1);
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `http://shop.test/thanks?s=${session.id}`]);
});

test('the hosted page shows what is bought, escaped, and runs and loads nothing', async () => {
  const session = await topUp({ line_items: [item(1234, '<script>alert(1)</script>'), item(66)] });
  const page = await fetch(session.url ?? '');
  const html = await page.text();
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; .*form-action 'self' http:\/\/shop\.test;/,
  );
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).not.toMatch(/<script|src=|https?:\/\/(?!shop\.test)/);
  expect(html).toContain('13.00 USD');
  expect(html).toContain('href="http://shop.test/cart"');
});

test('the hosted page shows why a card was declined', async () => {
  const session = await topUp();
  const html = await (await post(session.url, { number: '4000 0000 0000 9995' })).text();
  expect(html).toContain('role="alert"');
  expect(html).toContain('Your card has insufficient funds.');
  expect(await (await post(session.url, { number: '4242 4242 4242 4241' })).text()).toContain(
    'Your card number is incorrect.',
  );
});

test('the hosted page leads through 3-D Secure: completed', async () => {
  const session = await topUp();
  const asked = await post(session.url, { number: '4000 0027 6000 3184' });
  expect(asked.headers.get('location')).toBe(`/c/pay/${session.id}`);
  expect(await (await fetch(session.url ?? '')).text()).toContain('Complete authentication');
  const done = await post(`${session.url}/authentication`, { result: 'complete' });
  expect(done.headers.get('location')).toContain('http://shop.test/thanks');
  expect(await read(session.id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
});

test('the hosted page leads through 3-D Secure: failed', async () => {
  const session = await topUp();
  await post(session.url, { number: '4000 0027 6000 3184' });
  const html = await (await post(`${session.url}/authentication`, { result: 'fail' })).text();
  expect(html).toContain('unable to authenticate');
  expect(await read(session.id)).toMatchObject({
    status: 'open',
    payment_intent: { status: 'requires_payment_method' },
  });
});

test('the hosted page of a closed session says so', async () => {
  const session = await topUp();
  await complete(session.id);
  expect(await (await fetch(session.url ?? '')).text()).toContain('already been completed');
  expect((await fetch(`${h.sandbox.url}/c/pay/cs_test_none`)).status).toBe(404);
});
