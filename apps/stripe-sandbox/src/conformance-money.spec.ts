/** reference/stripe.md, section 6: money. */
import { failure, startHarness, type Harness } from '../test/harness.js';
import { format } from './money.js';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const create = (amount: number, currency: string) => h.stripe.paymentIntents.create({ amount, currency });

test.each(['bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'])(
  'the smallest unit of %s is the whole unit',
  async (currency) => {
    expect(format(500, currency)).toBe(`500 ${currency.toUpperCase()}`);
    expect(await create(501, currency)).toMatchObject({ amount: 501, currency });
  },
);

test.each(['isk', 'ugx'])('%s is sent x100 with 00 at the end', async (currency) => {
  expect(await create(50_000, currency)).toMatchObject({ amount: 50_000 });
  expect(await failure(create(50_050, currency))).toMatchObject({ statusCode: 400, param: 'amount' });
});

test.each(['bhd', 'jod', 'kwd', 'omr', 'tnd'])('%s has three decimals, the last digit 0', async (currency) => {
  expect(format(12_340, currency)).toBe(`12.340 ${currency.toUpperCase()}`);
  expect(await create(12_340, currency)).toMatchObject({ amount: 12_340 });
  expect(await failure(create(12_345, currency))).toMatchObject({ statusCode: 400, param: 'amount' });
});

test.each(['huf', 'twd'])('only payouts of %s are rounded: a charge takes any amount', async (currency) => {
  expect(await create(123_456, currency)).toMatchObject({ amount: 123_456 });
});

test.each([
  ['usd', 50],
  ['eur', 50],
  ['chf', 50],
  ['cad', 50],
  ['aud', 50],
  ['gbp', 30],
  ['jpy', 50],
  ['pln', 200],
  ['aed', 200],
  ['myr', 200],
  ['ron', 200],
  ['sek', 300],
  ['nok', 300],
  ['dkk', 250],
  ['czk', 1500],
  ['huf', 17_500],
  ['mxn', 1000],
  ['thb', 1000],
  ['hkd', 400],
])('the minimum of %s is %i', async (currency, minimum) => {
  expect(await create(minimum, currency)).toMatchObject({ amount: minimum });
  expect(await failure(create(minimum - 1, currency))).toMatchObject({ statusCode: 400, code: 'amount_too_small' });
});

test('the maximum is 8 digits (99,999,999) per PaymentIntent', async () => {
  expect(await create(99_999_999, 'usd')).toMatchObject({ amount: 99_999_999 });
  expect(await failure(create(100_000_000, 'usd'))).toMatchObject({ statusCode: 400, code: 'amount_too_large' });
});

test.each([0, -1, 1.5, Number.NaN, 1e21])('amounts are positive integers: %s is refused', async (amount) => {
  expect(await failure(create(amount, 'usd'))).toMatchObject({
    statusCode: 400,
    code: 'parameter_invalid_integer',
    param: 'amount',
  });
});

test('an unknown currency is refused; capitals are taken as small letters', async () => {
  expect(await failure(create(500, 'zzz'))).toMatchObject({ statusCode: 400, param: 'currency' });
  expect(await create(500, 'USD')).toMatchObject({ currency: 'usd' });
});

test('the minimum holds for a Checkout Session as a whole', async () => {
  const session = (unit_amount: number) =>
    h.stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'http://shop.test/',
      line_items: [{ quantity: 2, price_data: { currency: 'usd', unit_amount, product_data: { name: 'a' } } }],
    });
  expect(await failure(session(24))).toMatchObject({ code: 'amount_too_small' });
  expect(await session(25)).toMatchObject({ amount_total: 50 });
});
