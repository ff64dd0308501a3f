import { describe, expect, it } from '@jest/globals';
import Stripe from 'stripe';
import { CHARGE_BEFORE, chargeOutcome, NO_CHARGE } from './charge-outcome.js';

const intent = (fields: object) =>
  ({
    id: 'pi_1',
    status: 'succeeded',
    currency: 'usd',
    amount_received: 14900,
    latest_charge: 'ch_1',
    last_payment_error: null,
    metadata: {},
    ...fields,
  }) as unknown as Stripe.PaymentIntent;

const refused = { code: 'card_declined', decline_code: 'generic_decline', message: 'No.' };
const thrown = (status: number, error: object, headers = {}) =>
  Stripe.errors.StripeError.generate({
    type: 'invalid_request_error',
    message: 'm',
    ...error,
    statusCode: status,
    headers,
  } as never);
const card = (code: string, decline_code?: string, advice_code?: string) =>
  thrown(402, { type: 'card_error', code, decline_code, advice_code, payment_intent: { id: 'pi_1' } });

const failure = (code: string, { hard = false, needsCustomer = false, id = 'pi_1' as string | null } = {}) =>
  expect.objectContaining({ status: 'failed', gatewayPaymentId: id, code, hard, needsCustomer });

describe('the outcome of a charge by its PaymentIntent', () => {
  it.each([
    ['usd', 14900, '149'],
    ['usd', 3665, '36.65'],
    ['jpy', 150, '150'],
    ['kwd', 1230, '1.23'],
    ['isk', 1500, '15'],
  ])('succeeded in %s with %i minor units is %s', (currency, amount_received, amount) => {
    expect(chargeOutcome({ intent: intent({ currency, amount_received }) })).toEqual({
      status: 'succeeded',
      gatewayPaymentId: 'pi_1',
      amount,
    });
  });

  it.each([
    ['processing', {}, expect.objectContaining({ status: 'processing', gatewayPaymentId: 'pi_1' })],
    ['requires_action', {}, failure('authentication_required', { needsCustomer: true })],
    ['canceled', {}, failure('canceled')],
    ['requires_confirmation', {}, { status: 'none' }],
    ['requires_payment_method', {}, { status: 'none' }],
    ['requires_payment_method', { last_payment_error: refused }, failure('generic_decline')],
    [
      'requires_payment_method',
      { last_payment_error: refused, metadata: { [CHARGE_BEFORE]: 'ch_0' } },
      failure('generic_decline'),
    ],
    [
      'requires_payment_method',
      { last_payment_error: refused, metadata: { [CHARGE_BEFORE]: 'ch_1' } },
      { status: 'none' },
    ],
    [
      'requires_payment_method',
      { last_payment_error: refused, latest_charge: null, metadata: { [CHARGE_BEFORE]: NO_CHARGE } },
      { status: 'none' },
    ],
    ['a_status_of_the_future', {}, { status: 'none' }],
  ])('%s with %j', (status, fields, outcome) => {
    expect(chargeOutcome({ intent: intent({ status, ...fields }) })).toEqual(outcome);
  });
});

describe('the outcome of a charge by the error', () => {
  it.each([
    ['a soft decline', card('card_declined', 'insufficient_funds', 'try_again_later'), failure('insufficient_funds')],
    ['a decline without a reason', card('card_declined'), failure('card_declined')],
    ['a lost card', card('card_declined', 'lost_card', 'do_not_try_again'), failure('lost_card', { hard: true })],
    ['a stolen card without advice', card('card_declined', 'stolen_card'), failure('stolen_card', { hard: true })],
    ['an expired card', card('expired_card'), failure('expired_card', { hard: true })],
    [
      'wrong card data',
      card('incorrect_cvc', undefined, 'confirm_card_data'),
      failure('incorrect_cvc', { hard: true }),
    ],
    [
      'advice to try later against the table',
      card('expired_card', undefined, 'try_again_later'),
      failure('expired_card'),
    ],
    [
      'a card whose holder must be there',
      card('authentication_required', 'authentication_required'),
      failure('authentication_required', { needsCustomer: true }),
    ],
    [
      'a method that Stripe has no more',
      thrown(400, { code: 'resource_missing', param: 'payment_method' }),
      failure('payment_method_missing', { id: null }),
    ],
    [
      'a customer that Stripe has no more',
      thrown(400, { code: 'resource_missing', param: 'customer' }),
      failure('customer_missing', { id: null }),
    ],
    [
      'a detached method',
      thrown(400, { code: 'payment_method_unexpected_state' }),
      failure('payment_method_unexpected_state', { hard: true, id: null }),
    ],
    [
      'too small an amount',
      thrown(400, { code: 'amount_too_small' }),
      failure('amount_too_small', { hard: true, id: null }),
    ],
    ['a request Stripe does not understand', thrown(400, {}), failure('invalid_request', { id: null })],
    [
      'a payment that has succeeded before',
      thrown(400, { code: 'payment_intent_unexpected_state', payment_intent: intent({}) }),
      { status: 'succeeded', gatewayPaymentId: 'pi_1', amount: '149' },
    ],
    [
      'a payment in another state',
      thrown(400, {
        code: 'payment_intent_unexpected_state',
        payment_intent: intent({ status: 'requires_confirmation' }),
      }),
      failure('payment_intent_unexpected_state'),
    ],
    ['a key used for another request', thrown(400, { type: 'idempotency_error' }), { status: 'unknown' }],
    ['a wrong key', thrown(401, {}), { status: 'unknown' }],
    ['a forbidden call', thrown(403, {}), { status: 'unknown' }],
    ['a key in use', thrown(409, { type: 'idempotency_error' }), { status: 'unknown' }],
    ['too many requests', thrown(429, { code: 'rate_limit' }), { status: 'unknown' }],
    ['a failure of Stripe', thrown(500, { type: 'api_error' }), { status: 'unknown' }],
    [
      'a connection that broke',
      new Stripe.errors.StripeConnectionError({ message: 'm' } as never),
      { status: 'unknown' },
    ],
    ['an answer cut off', new Stripe.errors.StripeAPIError({ message: 'm' } as never), { status: 'unknown' }],
    ['anything else', new TypeError('m'), { status: 'unknown' }],
  ])('%s', (_what, error, outcome) => {
    expect(chargeOutcome({ error })).toEqual(outcome);
  });
});
