import type Stripe from 'stripe';
import { text, type Shape } from './params.js';

export const addressShape = {
  city: text(),
  country: text({ max: 2 }),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
} satisfies Shape<Stripe.AddressParam>;

/** What was not given is null. */
export function fullAddress(given: Stripe.AddressParam): Stripe.Address {
  return { city: null, country: null, line1: null, line2: null, postal_code: null, state: null, ...given };
}
