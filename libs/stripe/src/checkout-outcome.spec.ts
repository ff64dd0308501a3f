import { describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { CHECKOUT_STATUSES, checkoutOutcome, mayBecome, savedBy } from './checkout-outcome.js';

const session = (fields: object) =>
  ({
    id: 'cs_1',
    mode: 'payment',
    status: 'open',
    payment_status: 'unpaid',
    currency: 'usd',
    amount_total: 1000,
    payment_intent: null,
    setup_intent: null,
    ...fields,
  }) as unknown as Stripe.Checkout.Session;
const intent = (status: string, fields = {}) => ({
  id: 'pi_1',
  status,
  currency: 'usd',
  amount_received: status === 'succeeded' ? 1000 : 0,
  payment_method: null,
  ...fields,
});
const paid = { status: 'paid', gatewayPaymentId: 'pi_1', amount: '10' };
const nothing = { gatewayPaymentId: 'pi_1', amount: null };

describe('what became of a hosted page', () => {
  it.each([
    ['open', session({}), null],
    ['declined, the customer may try again', session({ payment_intent: intent('requires_payment_method') }), null],
    ['paid', session({ status: 'complete', payment_status: 'paid', payment_intent: intent('succeeded') }), paid],
    ['paid, though the session does not say so yet', session({ payment_intent: intent('succeeded') }), paid],
    [
      'paid, though the session says expired',
      session({ status: 'expired', payment_intent: intent('succeeded') }),
      paid,
    ],
    ['a slow method', session({ status: 'complete', payment_intent: intent('processing') }), null],
    [
      'a slow method that failed',
      session({ status: 'complete', payment_intent: intent('requires_payment_method') }),
      { status: 'failed', ...nothing },
    ],
    [
      'nothing to pay',
      session({ status: 'complete', payment_status: 'no_payment_required', amount_total: 0 }),
      { status: 'paid', gatewayPaymentId: null, amount: '0' },
    ],
    ['expired', session({ status: 'expired', payment_intent: 'pi_1' }), { status: 'expired', ...nothing }],
    [
      'a saved method',
      session({ mode: 'setup', status: 'complete', setup_intent: { status: 'succeeded' } }),
      { status: 'saved', gatewayPaymentId: null, amount: null },
    ],
    [
      'a method being saved',
      session({ mode: 'setup', status: 'complete', setup_intent: { status: 'processing' } }),
      null,
    ],
  ])('%s', (_what, given, outcome) => {
    expect(checkoutOutcome(given)).toEqual(outcome);
  });

  it('is saved with the method only where that is attached to the customer', () => {
    const method = { id: 'pm_1', customer: 'cus_1' };
    expect(savedBy(session({ setup_intent: { payment_method: method } }))).toBe(method);
    expect(savedBy(session({ payment_intent: intent('succeeded', { payment_method: method }) }))).toBe(method);
    expect(
      savedBy(session({ payment_intent: intent('succeeded', { payment_method: { id: 'pm_1', customer: null } }) })),
    ).toBeNull();
    expect(savedBy(session({}))).toBeNull();
  });

  it('only moves forward: a success is never undone, and one that comes late still counts', () => {
    const moves = CHECKOUT_STATUSES.flatMap((from) =>
      CHECKOUT_STATUSES.filter((to) => mayBecome(from, to)).map((to) => `${from} ${to}`),
    );
    expect(moves.toSorted()).toEqual([
      'expired paid',
      'expired saved',
      'failed paid',
      'failed saved',
      'open expired',
      'open failed',
      'open paid',
      'open saved',
    ]);
  });
});
