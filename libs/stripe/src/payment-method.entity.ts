import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

const PaymentMethodSchema = defineEntity({
  name: 'PaymentMethod',
  tableName: 'payment_method',
  properties: {
    /** `id` is Stripe's (`pm_…`). */
    ...owned,
    customerId: p.string(),
    /** `card`, or another of Stripe's types. */
    type: p.string(),
    /** Of a card its network, else the type. */
    brand: p.string(),
    /** Empty where the type has no number. */
    last4: p.string(),
    expMonth: p.smallint().nullable(),
    expYear: p.smallint().nullable(),
    /** When it was found detached at Stripe; never undone, as Stripe doesn't. */
    removedAt: p.datetime().nullable(),
  },
});

/** A way to pay that a customer has saved; the newest is the default. The number itself is only at Stripe. */
export class PaymentMethod extends PaymentMethodSchema.class {}
PaymentMethodSchema.setClass(PaymentMethod);
