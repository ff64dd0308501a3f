import { accountRoutes } from './account.routes.js';
import { balanceRoutes } from './balance.js';
import { chargeRoutes } from './charge.js';
import { checkoutSessionRoutes } from './checkout-session.routes.js';
import { customerRoutes } from './customer.js';
import { disputeRoutes } from './dispute.js';
import { eventRoutes } from './event.js';
import { paymentIntentRoutes } from './payment-intent.routes.js';
import { paymentMethodRoutes } from './payment-method.js';
import { refundRoutes } from './refund.js';
import type { Route } from './route.js';
import { setupIntentRoutes } from './setup-intent.js';
import { webhookEndpointRoutes } from './webhook-endpoint.js';

export const ROUTES: Route[] = [
  ...accountRoutes,
  ...balanceRoutes,
  ...chargeRoutes,
  ...checkoutSessionRoutes,
  ...customerRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...refundRoutes,
  ...setupIntentRoutes,
  ...webhookEndpointRoutes,
];
