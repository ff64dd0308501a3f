import type { PaymentGateway } from '@drawdown/contracts';
import type { Charges } from './charges.js';
import type { Checkouts } from './checkouts.js';
import type { Refunds } from './refunds.js';

/** The port of invoicing, in Stripe's terms. */
export const stripeGateway = (charges: Charges, refunds: Refunds, checkouts: Checkouts): PaymentGateway => ({
  charge: (request) => charges.charge(request),
  resolve: (request) => charges.resolve(request),
  refund: (request) => refunds.refund(request),
  resolveRefund: (request) => refunds.resolve(request),
  openCheckout: (request) => checkouts.open(request),
  refreshCheckout: (environment, id) => checkouts.refresh(environment, id),
  expireCheckout: (environment, id) => checkouts.expire(environment, id),
});
