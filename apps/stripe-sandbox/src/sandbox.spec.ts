import { startHarness, failure, type Harness } from '../test/harness.js';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

async function savedCard(card = 'pm_card_visa') {
  const customer = await h.stripe.customers.create({ email: 'ada@example.com', metadata: { tenant: 't1' } });
  const method = await h.stripe.paymentMethods.attach(card, { customer: customer.id });
  return { customer: customer.id, payment_method: method.id };
}

test('a saved card is charged off-session', async () => {
  const saved = await savedCard();
  const intent = await h.stripe.paymentIntents.create({
    amount: 14_900,
    currency: 'usd',
    ...saved,
    off_session: true,
    confirm: true,
    metadata: { attempt_id: 'a1' },
  });
  expect(intent).toMatchObject({ status: 'succeeded', amount_received: 14_900, metadata: { attempt_id: 'a1' } });
  const again = await h.stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
  expect(again.latest_charge).toMatchObject({ paid: true, metadata: { attempt_id: 'a1' } });
});

test('a decline is a 402 with the intent inside', async () => {
  const saved = await savedCard('pm_card_visa_chargeDeclinedInsufficientFunds');
  const error = await failure(
    h.stripe.paymentIntents.create({ amount: 500, currency: 'usd', ...saved, off_session: true, confirm: true }),
  );
  expect(error).toMatchObject({
    type: 'StripeCardError',
    statusCode: 402,
    code: 'card_declined',
    decline_code: 'insufficient_funds',
    payment_intent: { status: 'requires_payment_method' },
  });
});

test('a hosted payment, from the session to the landing page', async () => {
  const receiver = await h.receiver();
  const endpoint = await h.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['*'] });
  const session = await h.stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: 'http://shop.test/thanks?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://shop.test/no',
    client_reference_id: 'topup_1',
    metadata: { topup: '1' },
    line_items: [
      { quantity: 2, price_data: { currency: 'usd', unit_amount: 500, product_data: { name: '<b>Credits</b>' } } },
    ],
    payment_intent_data: { metadata: { topup: '1' } },
  });
  const html = await (await fetch(session.url ?? '')).text();
  expect(html).toContain('&lt;b&gt;Credits&lt;/b&gt;');
  expect(html).toContain('10.00 USD');
  const form = new URLSearchParams({ number: '4242 4242 4242 4242', expiry: '12 / 34', email: 'x@y.test' });
  const answer = await fetch(session.url ?? '', { method: 'POST', body: form, redirect: 'manual' });
  expect(answer.headers.get('location')).toBe(`http://shop.test/thanks?session=${session.id}`);
  const paid = await h.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent', 'line_items'] });
  expect(paid).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
    payment_intent: { metadata: { topup: '1' } },
  });
  expect(paid.line_items?.data[0]).toMatchObject({ quantity: 2, amount_total: 1000 });
  const [delivery] = await receiver.wait(1, 'checkout.session.completed');
  const event = h.stripe.webhooks.constructEvent(
    delivery?.body ?? '',
    delivery?.headers['stripe-signature'] ?? '',
    endpoint.secret ?? '',
  );
  expect(event.data.object).toMatchObject({ id: session.id });
});

test('everything is there again after a restart', async () => {
  const saved = await savedCard();
  await h.restart();
  expect(await h.stripe.paymentMethods.retrieve(saved.payment_method)).toMatchObject({ customer: saved.customer });
});
