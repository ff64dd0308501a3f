/** reference/stripe.md, section 10: test cards, by number on the page and by id in the API. */
import { failure, startHarness, type Harness } from '../test/harness.js';
import { TEST_CARDS } from './cards.js';

let h: Harness;
let customer: string;
beforeAll(async () => {
  h = await startHarness();
  customer = (await h.stripe.customers.create({})).id;
});
afterAll(() => h.close());

const attach = (card: string) => h.stripe.paymentMethods.attach(card, { customer });
const charge = (payment_method: string) =>
  h.stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    customer,
    payment_method,
    off_session: true,
    confirm: true,
  });
async function pays(card: string, authentication = 'complete') {
  const session = await h.stripe.checkout.sessions.create({
    mode: 'payment',
    customer,
    success_url: 'http://shop.test/',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 500, product_data: { name: 'a' } } }],
  });
  return h.control('POST', `/sessions/${session.id}/complete`, { card, authentication });
}

test('each id attaches as a copy of its own', async () => {
  for (const card of TEST_CARDS) {
    const [one, two] = [await attach(card.id ?? ''), await attach(card.id ?? '')];
    expect(one.id).not.toBe(two.id);
    expect(one.card?.last4).toBe(card.number.slice(-4));
  }
});

test('4242… and pm_card_visa succeed', async () => {
  expect(await pays('4242 4242 4242 4242')).toMatchObject({ result: 'complete', session: { payment_status: 'paid' } });
  expect(await charge((await attach('pm_card_visa')).id)).toMatchObject({ status: 'succeeded' });
});

test.each([
  ['…0002 is declined', '4000000000000002', 'pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
  [
    '…9995 has insufficient funds',
    '4000000000009995',
    'pm_card_visa_chargeDeclinedInsufficientFunds',
    'card_declined',
    'insufficient_funds',
  ],
  ['…9987 is lost', '4000000000009987', 'pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
  ['…9979 is stolen', '4000000000009979', 'pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
  ['…0069 has expired', '4000000000000069', 'pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
  ['…0127 has a wrong CVC', '4000000000000127', 'pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', undefined],
  [
    '…0119 meets a processing error',
    '4000000000000119',
    'pm_card_chargeDeclinedProcessingError',
    'processing_error',
    undefined,
  ],
])('%s', async (_name, number, id, code, decline) => {
  expect((await pays(number)).error).toMatchObject({
    type: 'card_error',
    code,
    ...(decline && { decline_code: decline }),
  });
  const error = await failure(charge((await attach(id)).id));
  expect([error.statusCode, error.code, error.decline_code || undefined]).toEqual([402, code, decline]);
});

test('…0341 attaches, later each charge fails', async () => {
  const setup = await h.stripe.setupIntents.create({
    customer,
    payment_method: 'pm_card_chargeCustomerFail',
    confirm: true,
  });
  expect(setup.status).toBe('succeeded');
  expect(await failure(charge(setup.payment_method as string))).toMatchObject({ code: 'card_declined' });
});

test('a card that declines cannot be set up', async () => {
  const setup = h.stripe.setupIntents.create({ customer, payment_method: 'pm_card_chargeDeclined', confirm: true });
  expect(await failure(setup)).toMatchObject({ statusCode: 402, setup_intent: { status: 'requires_payment_method' } });
});

test('4000 0025 0000 3155 needs authentication unless it was set up', async () => {
  const method = await attach('pm_card_authenticationRequiredOnSetup');
  expect(await failure(charge(method.id))).toMatchObject({ code: 'authentication_required' });
  const setup = await h.stripe.setupIntents.create({ customer, payment_method: method.id, confirm: true });
  await h.control('POST', `/setup_intents/${setup.id}/authenticate`);
  expect(await charge(method.id)).toMatchObject({ status: 'succeeded' });
});

test('4000 0027 6000 3184 always needs authentication', async () => {
  const method = await attach('pm_card_authenticationRequired');
  const setup = await h.stripe.setupIntents.create({ customer, payment_method: method.id, confirm: true });
  await h.control('POST', `/setup_intents/${setup.id}/authenticate`);
  expect(await failure(charge(method.id))).toMatchObject({ code: 'authentication_required' });
  expect(await pays('4000002760003184')).toMatchObject({ result: 'complete' });
  expect(await pays('4000002760003184', 'fail')).toMatchObject({ result: 'declined' });
});

test('4000 0082 6000 3178 needs authentication, then has insufficient funds', async () => {
  expect((await pays('4000008260003178')).error).toMatchObject({ decline_code: 'insufficient_funds' });
  const method = await attach('pm_card_authenticationRequiredChargeDeclinedInsufficientFunds');
  expect(await failure(charge(method.id))).toMatchObject({ code: 'authentication_required' });
});

test('…0259 succeeds and is disputed', async () => {
  const intent = await charge((await attach('pm_card_createDispute')).id);
  expect(intent.status).toBe('succeeded');
  const { data } = await h.stripe.disputes.list({ payment_intent: intent.id });
  expect(data[0]).toMatchObject({ status: 'needs_response', reason: 'fraudulent', amount: 500 });
});
