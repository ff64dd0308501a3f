import type { ChargeRequest, CheckoutRequest } from '@drawdown/contracts';
import { describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { confirmation, handOver, newIntent, newSession } from './stripe-requests.js';

const charge: ChargeRequest = {
  tenantId: 'tenant_1',
  environmentId: 'env_1',
  attemptId: 'att_1',
  paymentId: 'pay_1',
  invoiceId: 'inv_1',
  customerId: 'cust_1',
  paymentMethodId: 'pm_1',
  gatewayPaymentId: null,
  amount: '149',
  currency: 'usd',
  description: 'Invoice 1',
};
const ids = {
  attempt_id: 'att_1',
  payment_id: 'pay_1',
  invoice_id: 'inv_1',
  tenant_id: 'tenant_1',
  environment_id: 'env_1',
};

describe('a charge', () => {
  it.each([
    ['149', 'usd', 14900],
    ['36.65', 'usd', 3665],
    ['0.1', 'usd', 10],
    ['150', 'jpy', 150],
    ['15', 'isk', 1500],
    ['15', 'ugx', 1500],
    ['1.235', 'kwd', 1240],
    ['999999.99', 'usd', 99999999],
  ])('of %s %s is sent as %i', (amount, currency, minor) => {
    expect(newIntent({ ...charge, amount, currency }, 'cus_1').amount).toBe(minor);
  });

  it('is made and confirmed in one call, without the customer, and says whose it is', () => {
    expect(newIntent(charge, 'cus_1')).toMatchObject({
      customer: 'cus_1',
      payment_method: 'pm_1',
      confirm: true,
      off_session: true,
      error_on_requires_action: true,
      metadata: ids,
    });
  });

  it('that is tried again takes over the PaymentIntent, marked with its last charge', () => {
    const intent = { latest_charge: { id: 'ch_1' } } as Stripe.PaymentIntent;
    expect(handOver(charge, intent)).toEqual({ amount: 14900, metadata: { ...ids, charge_before: 'ch_1' } });
    expect(handOver(charge, { latest_charge: null } as Stripe.PaymentIntent).metadata).toMatchObject({
      charge_before: 'none',
    });
    expect(confirmation(charge)).toEqual({ payment_method: 'pm_1', off_session: true, error_on_requires_action: true });
  });
});

describe('a hosted page', () => {
  const page: CheckoutRequest = {
    tenantId: 'tenant_1',
    environmentId: 'env_1',
    sessionId: 'sess_1',
    mode: 'payment',
    customerId: 'cust_1',
    customerName: null,
    customerEmail: null,
    payment: { paymentId: 'pay_1', invoiceId: 'inv_1', amount: '10', currency: 'usd', description: '1000 credits' },
    successUrl: 'https://example.com/done',
    cancelUrl: 'https://example.com/cancelled',
  };

  it('carries our ids on the session and, as Stripe does not copy them, on its payment', () => {
    const sent = newSession(page, 'cus_1');
    const metadata = {
      session_id: 'sess_1',
      payment_id: 'pay_1',
      invoice_id: 'inv_1',
      tenant_id: 'tenant_1',
      environment_id: 'env_1',
    };
    expect(sent).toMatchObject({ customer: 'cus_1', client_reference_id: 'sess_1', metadata });
    expect(sent.payment_intent_data).toEqual({ metadata, description: '1000 credits' });
    expect(sent.line_items![0]).toMatchObject({ quantity: 1, price_data: { currency: 'usd', unit_amount: 1000 } });
  });

  it('keeps the method for later only on request', () => {
    expect(newSession({ ...page, saveMethod: true }, 'cus_1').payment_intent_data!.setup_future_usage).toBe(
      'off_session',
    );
  });

  it('to save a method carries our ids on its SetupIntent, and no price', () => {
    const sent = newSession({ ...page, mode: 'setup', payment: null }, 'cus_1');
    expect(sent).toMatchObject({ mode: 'setup', setup_intent_data: { metadata: { session_id: 'sess_1' } } });
    expect(sent.line_items).toBeUndefined();
  });
});
