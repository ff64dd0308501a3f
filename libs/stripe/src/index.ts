export { PaymentMethod } from './payment-method.entity.js';
export { Reconciliation } from './reconciliation.js';
export { StripeCheckout } from './stripe-checkout.entity.js';
export { StripeCustomer } from './stripe-customer.entity.js';
export { StripeEvent } from './stripe-event.entity.js';
export { StripeInbox } from './stripe-inbox.js';
export type { StripeOptions } from './stripe-options.js';
export { StripeModule } from './stripe.module.js';
export { WebhookEndpoints } from './webhook-endpoints.js';
