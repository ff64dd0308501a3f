import { Decimal, toMinorUnits } from '@drawdown/billing-core';
import type { ChargeRequest, CheckoutRequest, RefundRequest } from '@drawdown/contracts';
import type Stripe from 'stripe';
import { CHARGE_BEFORE, NO_CHARGE } from './charge-outcome.js';
import { idOf } from './stripe-api.js';

const LONGEST_DESCRIPTION = 1000;

/** Stripe takes integers as JavaScript numbers; eight digits at most, so none is ever rounded. */
const minorUnits = ({ amount, currency }: { amount: string; currency: string }): number =>
  Number(toMinorUnits(new Decimal(amount), currency));

const metadataOf = (request: ChargeRequest): Stripe.MetadataParam => ({
  attempt_id: request.attemptId,
  payment_id: request.paymentId,
  invoice_id: request.invoiceId,
  tenant_id: request.tenantId,
  environment_id: request.environmentId,
});

/** The customer isn't there: nothing that would need it may be waited for. */
const unattended = { off_session: true, error_on_requires_action: true } as const;

/** The PaymentIntent of an invoice, made and confirmed in one call. */
export const newIntent = (request: ChargeRequest, stripeCustomerId: string): Stripe.PaymentIntentCreateParams => ({
  amount: minorUnits(request),
  currency: request.currency,
  customer: stripeCustomerId,
  payment_method: request.paymentMethodId,
  confirm: true,
  ...unattended,
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  description: request.description.slice(0, LONGEST_DESCRIPTION),
  metadata: metadataOf(request),
});

/** Hands an invoice's PaymentIntent over to its next attempt, marked with the last charge of the one before. */
export const handOver = (request: ChargeRequest, intent: Stripe.PaymentIntent): Stripe.PaymentIntentUpdateParams => ({
  amount: minorUnits(request),
  metadata: { ...metadataOf(request), [CHARGE_BEFORE]: idOf(intent.latest_charge) ?? NO_CHARGE },
});

export const confirmation = (request: ChargeRequest): Stripe.PaymentIntentConfirmParams => ({
  payment_method: request.paymentMethodId,
  ...unattended,
});

/** Part or all of what a PaymentIntent has brought, back to where it came from. */
export const newRefund = (request: RefundRequest): Stripe.RefundCreateParams => ({
  payment_intent: request.gatewayPaymentId,
  amount: minorUnits(request),
  metadata: {
    refund_id: request.refundId,
    payment_id: request.paymentId,
    invoice_id: request.invoiceId,
    tenant_id: request.tenantId,
    environment_id: request.environmentId,
  },
});

/**
 * Without fixed methods Stripe wants a currency even where nothing is paid, to choose what to offer; cards are offered
 * in every one.
 */
const SETUP_CURRENCY = 'usd';

export function newSession(request: CheckoutRequest, stripeCustomerId: string): Stripe.Checkout.SessionCreateParams {
  const { payment } = request;
  const metadata = {
    session_id: request.sessionId,
    tenant_id: request.tenantId,
    environment_id: request.environmentId,
    ...(payment ? { payment_id: payment.paymentId, invoice_id: payment.invoiceId } : {}),
  };
  const page = {
    customer: stripeCustomerId,
    client_reference_id: request.sessionId,
    metadata,
    success_url: request.successUrl,
    cancel_url: request.cancelUrl,
  };
  if (!payment) return { ...page, mode: 'setup', currency: SETUP_CURRENCY, setup_intent_data: { metadata } };
  const description = payment.description.slice(0, LONGEST_DESCRIPTION);
  return {
    ...page,
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: payment.currency,
          unit_amount: minorUnits(payment),
          product_data: { name: description },
        },
      },
    ],
    payment_intent_data: {
      metadata,
      description,
      ...(request.saveMethod ? { setup_future_usage: 'off_session' as const } : {}),
    },
  };
}
