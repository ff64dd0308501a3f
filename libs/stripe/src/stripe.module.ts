import { PAYMENT_GATEWAY, SAVED_METHODS } from '@drawdown/contracts';
import { CustomersModule } from '@drawdown/customers';
import { Module, type DynamicModule } from '@nestjs/common';
import { Charges } from './charges.js';
import { Checkouts } from './checkouts.js';
import { EventReader } from './event-reader.js';
import { MethodRemoval } from './method-removal.js';
import { PaymentMethodsController } from './payment-methods.controller.js';
import { PaymentMethodsService } from './payment-methods.service.js';
import { Reconciliation } from './reconciliation.js';
import { StripeAccount } from './stripe-account.js';
import { StripeApi } from './stripe-api.js';
import { StripeCustomers } from './stripe-customers.js';
import { StripeEventsController } from './stripe-events.controller.js';
import { StripeInbox } from './stripe-inbox.js';
import { Refunds } from './refunds.js';
import { STRIPE_OPTIONS, type StripeOptions } from './stripe-options.js';
import { stripeGateway } from './stripe.gateway.js';
import { StripeJobs } from './stripe.jobs.js';
import { WebhookEndpoints } from './webhook-endpoints.js';
import { WebhookController } from './webhook.controller.js';

/** Global: invoicing finds the payment gateway by its token, without knowing who stands behind it. */
@Module({})
export class StripeModule {
  static forRoot(options: StripeOptions): DynamicModule {
    return {
      module: StripeModule,
      global: true,
      imports: [CustomersModule],
      controllers: [PaymentMethodsController, StripeEventsController, WebhookController],
      providers: [
        { provide: STRIPE_OPTIONS, useValue: options },
        StripeApi,
        StripeAccount,
        StripeCustomers,
        PaymentMethodsService,
        MethodRemoval,
        Charges,
        Refunds,
        Checkouts,
        EventReader,
        StripeInbox,
        Reconciliation,
        WebhookEndpoints,
        StripeJobs,
        { provide: PAYMENT_GATEWAY, useFactory: stripeGateway, inject: [Charges, Refunds, Checkouts] },
        { provide: SAVED_METHODS, useExisting: PaymentMethodsService },
      ],
      exports: [PAYMENT_GATEWAY, SAVED_METHODS],
    };
  }
}
