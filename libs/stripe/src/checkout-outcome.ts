import { fromMinorUnits, text } from '@drawdown/billing-core';
import type Stripe from 'stripe';
import { amountReceived } from './charge-outcome.js';
import { idOf } from './stripe-api.js';

/** What can become of a hosted page. */
export const CHECKOUT_STATUSES = ['open', 'expired', 'failed', 'saved', 'paid'] as const;
export type CheckoutStatus = (typeof CHECKOUT_STATUSES)[number];

export interface CheckoutOutcome {
  readonly status: Exclude<CheckoutStatus, 'open'>;
  readonly gatewayPaymentId: string | null;
  /** What was paid, an exact decimal in major units. */
  readonly amount: string | null;
}

/**
 * What became of a hosted page, read with its intents in full; null while the customer, or a slow method, may still
 * decide. Money is the truth: a payment that succeeded is `paid` whatever else the session says.
 */
export function checkoutOutcome(session: Stripe.Checkout.Session): CheckoutOutcome | null {
  const intent = typeof session.payment_intent === 'object' ? session.payment_intent : null;
  if (intent?.status === 'succeeded') return paid(intent.id, amountReceived(intent));
  const nothing = { gatewayPaymentId: idOf(session.payment_intent), amount: null };
  if (session.status === 'expired') return { status: 'expired', ...nothing };
  if (session.status !== 'complete') return null;
  if (session.mode === 'setup') return hasSaved(session) ? { status: 'saved', ...nothing } : null;
  if (session.payment_status === 'no_payment_required') {
    return paid(null, text(fromMinorUnits(BigInt(session.amount_total ?? 0), session.currency ?? 'usd')));
  }
  return intent && CAME_TO_NOTHING.has(intent.status) ? { status: 'failed', ...nothing } : null;
}

const CAME_TO_NOTHING: ReadonlySet<string> = new Set(['requires_payment_method', 'canceled']);

const paid = (gatewayPaymentId: string | null, amount: string): CheckoutOutcome => ({
  status: 'paid',
  gatewayPaymentId,
  amount,
});

const hasSaved = ({ setup_intent: setup }: Stripe.Checkout.Session): boolean =>
  typeof setup === 'object' && setup?.status === 'succeeded';

/** The method a page has left attached to its customer, if any. */
export function savedBy(session: Stripe.Checkout.Session): Stripe.PaymentMethod | null {
  for (const intent of [session.setup_intent, session.payment_intent]) {
    const method = intent && typeof intent === 'object' ? intent.payment_method : null;
    if (method && typeof method === 'object' && method.customer !== null) return method;
  }
  return null;
}

const weight: Readonly<Record<CheckoutStatus, number>> = { open: 0, expired: 1, failed: 1, saved: 2, paid: 2 };

/** States only move forward: whatever order the news comes in, a success is never undone, and a late one still counts. */
export const mayBecome = (from: CheckoutStatus, to: CheckoutStatus): boolean => weight[to] > weight[from];
