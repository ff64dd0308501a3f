import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

const StripeCustomerSchema = defineEntity({
  name: 'StripeCustomer',
  tableName: 'stripe_customer',
  properties: {
    /** `id` is Stripe's (`cus_…`). */
    ...owned,
    customerId: p.string(),
    /** When Stripe was found to have it no more; the next use makes another. */
    goneAt: p.datetime().nullable(),
  },
});

/**
 * Who a customer of ours is at Stripe; one at a time. Everything we make there names it, so it is also the proof of
 * which environment a thing at Stripe belongs to.
 */
export class StripeCustomer extends StripeCustomerSchema.class {}
StripeCustomerSchema.setClass(StripeCustomer);
