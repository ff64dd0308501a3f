import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { CHECKOUT_STATUSES } from './checkout-outcome.js';

const StripeCheckoutSchema = defineEntity({
  name: 'StripeCheckout',
  tableName: 'stripe_checkout',
  properties: {
    /** `id` is Stripe's (`cs_…`). */
    ...owned,
    customerId: p.string(),
    /** Our id of the hosted page, by which its opener knows it. */
    sessionId: p.string(),
    /** What was told of it; see `mayBecome`. */
    status: p.enum(CHECKOUT_STATUSES),
    expiresAt: p.datetime(),
    /** When Stripe was last asked about it, real time. */
    readAt: p.datetime(),
  },
});

/** A hosted page that was opened at Stripe, and what the others were told of it. */
export class StripeCheckout extends StripeCheckoutSchema.class {}
StripeCheckoutSchema.setClass(StripeCheckout);
