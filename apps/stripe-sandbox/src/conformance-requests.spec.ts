/** How the sandbox reads requests: keys, parameters, lists, expansion. Field names and types are those of the `stripe` package. */
import { failure, startHarness, type Harness } from '../test/harness.js';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

test.each([undefined, 'Bearer sk_live_123', 'Bearer pk_test_123', 'Bearer nonsense'])(
  '%s is no key: 401',
  async (authorization) => {
    const answer = await fetch(`${h.sandbox.url}/v1/balance`, { headers: authorization ? { authorization } : {} });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  },
);

test('the balance answers to a good key, in test mode', async () => {
  expect(await h.stripe.balance.retrieve()).toMatchObject({ object: 'balance', livemode: false });
});

test('an unknown parameter is refused by name', async () => {
  const call = h.stripe.customers.create({ nickname: 'x' } as never);
  expect(await failure(call)).toMatchObject({ statusCode: 400, code: 'parameter_unknown', param: 'nickname' });
});

test('payment_method_types has gone from the create parameters', async () => {
  const call = h.stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    payment_method_types: ['card'],
  } as never);
  expect(await failure(call)).toMatchObject({ code: 'parameter_unknown', param: 'payment_method_types' });
});

test('a real parameter that the sandbox does not know is refused as such', async () => {
  const call = h.stripe.paymentIntents.create({ amount: 500, currency: 'usd', capture_method: 'manual' });
  expect(await failure(call)).toMatchObject({
    statusCode: 400,
    param: 'capture_method',
    message: /not supported by the sandbox/,
  });
});

test('a missing parameter is named, nested ones too', async () => {
  expect(await failure(h.stripe.paymentIntents.create({ currency: 'usd' } as never))).toMatchObject({
    code: 'parameter_missing',
    param: 'amount',
  });
  const session = {
    mode: 'payment',
    success_url: 'http://a.test/',
    line_items: [{ quantity: 1, price_data: { currency: 'usd' } }],
  };
  expect(await failure(h.stripe.checkout.sessions.create(session as never))).toMatchObject({
    code: 'parameter_missing',
    param: 'line_items[0][price_data][product_data]',
  });
});

test.each([
  ['amount', { amount: 'ten', currency: 'usd' }],
  ['confirm', { amount: 500, currency: 'usd', confirm: 'maybe' }],
  ['metadata', { amount: 500, currency: 'usd', metadata: 'x' }],
  ['currency', { amount: 500, currency: ['usd'] }],
  ['metadata[a]', { amount: 500, currency: 'usd', metadata: { a: 'x'.repeat(501) } }],
])('a value of the wrong type is refused: %s', async (param, given) => {
  expect(await failure(h.stripe.paymentIntents.create(given as never))).toMatchObject({ statusCode: 400, param });
});

test('metadata is merged; an empty value unsets its key, an empty string all', async () => {
  const { id } = await h.stripe.customers.create({ metadata: { a: '1', b: '2', n: 3 } });
  expect((await h.stripe.customers.update(id, { metadata: { b: '', c: '4' } })).metadata).toEqual({
    a: '1',
    c: '4',
    n: '3',
  });
  expect((await h.stripe.customers.update(id, { metadata: '' })).metadata).toEqual({});
});

test('names from the prototype are only names', async () => {
  const { metadata } = await h.stripe.customers.create({ metadata: { constructor: 'x', toString: 'y' } as never });
  expect(metadata).toEqual({ constructor: 'x', toString: 'y' });
  expect(await failure(h.stripe.customers.create({ constructor: 'x' } as never))).toMatchObject({
    code: 'parameter_unknown',
  });
});

test('no such object: 404 by path, 400 by parameter', async () => {
  expect(await failure(h.stripe.customers.retrieve('cus_x'))).toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
  });
  const call = h.stripe.paymentIntents.create({ amount: 500, currency: 'usd', customer: 'cus_x' });
  expect(await failure(call)).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'customer' });
});

test('an unknown route is a 404 in the same shape', async () => {
  expect(await failure(h.stripe.products.list())).toMatchObject({ statusCode: 404, type: 'StripeInvalidRequestError' });
});

test('lists are newest first, with limit, starting_after and has_more', async () => {
  const made: string[] = [];
  for (const name of ['a', 'b', 'c'])
    made.unshift((await h.stripe.customers.create({ name, email: 'list@example.com' })).id);
  const first = await h.stripe.customers.list({ email: 'list@example.com', limit: 2 });
  expect([first.data.map((one) => one.id), first.has_more]).toEqual([made.slice(0, 2), true]);
  const rest = await h.stripe.customers.list({ email: 'list@example.com', limit: 2, starting_after: made[1] });
  expect([rest.data.map((one) => one.id), rest.has_more]).toEqual([made.slice(2), false]);
  const before = await h.stripe.customers.list({ email: 'list@example.com', ending_before: made[2] });
  expect(before.data.map((one) => one.id)).toEqual(made.slice(0, 2));
  const all = await h.stripe.customers.list({ email: 'list@example.com', limit: 1 }).autoPagingToArray({ limit: 10 });
  expect(all.map((one) => one.id)).toEqual(made);
  expect(await failure(h.stripe.customers.list({ limit: 101 }))).toMatchObject({ param: 'limit' });
});

test('expand reaches through lists and objects, four levels deep', async () => {
  const { id: customer } = await h.stripe.customers.create({});
  const { id: method } = await h.stripe.paymentMethods.attach('pm_card_visa', { customer });
  await h.stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    customer,
    payment_method: method,
    confirm: true,
  });
  const { data } = await h.stripe.paymentIntents.list({
    customer,
    expand: ['data.payment_method.customer', 'data.latest_charge'],
  });
  expect(data[0]).toMatchObject({
    payment_method: { id: method, customer: { id: customer } },
    latest_charge: { object: 'charge' },
  });
  const error = await failure(h.stripe.paymentIntents.retrieve(data[0]?.id ?? '', { expand: ['amount'] }));
  expect(error).toMatchObject({ statusCode: 400, message: /cannot be expanded/ });
});

test('payment methods: retrieve, update, list by customer and type, default of the customer', async () => {
  const { id: customer } = await h.stripe.customers.create({});
  const { id } = await h.stripe.paymentMethods.attach('pm_card_mastercard', { customer });
  expect(
    await h.stripe.paymentMethods.update(id, { metadata: { a: '1' }, billing_details: { name: 'Ada' } }),
  ).toMatchObject({
    metadata: { a: '1' },
    billing_details: { name: 'Ada' },
  });
  expect((await h.stripe.paymentMethods.list({ customer, type: 'card' })).data).toHaveLength(1);
  const withDefault = await h.stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
  expect(withDefault.invoice_settings.default_payment_method).toBe(id);
  await h.stripe.paymentMethods.detach(id);
  expect((await h.stripe.customers.listPaymentMethods(customer)).data).toEqual([]);
  expect((await h.stripe.customers.retrieve(customer)) as object).toMatchObject({
    invoice_settings: { default_payment_method: null },
  });
});

test('a fault rule strikes the nth matching request only', async () => {
  await h.control('POST', '/faults', { act: '503', match: { method: 'get', path: '/v1/customers/*', nth: 2 } });
  const { id } = await h.stripe.customers.create({});
  const statuses: number[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    statuses.push(
      await h.stripe.customers.retrieve(id).then(
        () => 200,
        (error) => error.statusCode,
      ),
    );
  }
  expect(statuses).toEqual([200, 503, 200]);
});

test('a fault rule finds its request by metadata, sent along or of the object in the path', async () => {
  await h.control('POST', '/faults', { act: '503', match: { metadata: { invoice: 'i1' } }, times: 2 });
  const create = (invoice: string) =>
    h.stripe.paymentIntents.create({ amount: 500, currency: 'usd', metadata: { invoice } });
  await create('i2');
  expect(await failure(create('i1'))).toMatchObject({ statusCode: 503 });
  await h.control('DELETE', '/faults');
  const { id } = await create('i1');
  await h.control('POST', '/faults', {
    act: '503',
    match: { path: '/v1/payment_intents/*/cancel', metadata: { invoice: 'i1' } },
  });
  expect(await failure(h.stripe.paymentIntents.cancel(id))).toMatchObject({ statusCode: 503 });
});

test('a typo in an order to the control API is refused', async () => {
  await expect(h.control('POST', '/faults', { act: '503', macth: {} })).rejects.toThrow(/400/);
  await expect(h.control('POST', '/clock', { advance_seconds: '5' })).rejects.toThrow(/400/);
});

test('the request log shows calls that changed nothing', async () => {
  await h.stripe.balance.retrieve();
  const { data } = await h.control('GET', '/requests');
  expect(data.at(-1)).toMatchObject({ method: 'GET', path: '/v1/balance', status: 200, fault: null });
});
