import { CustomersModule } from '@drawdown/customers';
import { FeaturesModule } from '@drawdown/features';
import { PlansModule } from '@drawdown/plans';
import { Module } from '@nestjs/common';
import { EntitledFeatures } from './entitled-features.service.js';
import { SubscriptionEntitlementsController } from './entitlements.controller.js';
import { UpcomingGrantsController } from './grants.controller.js';
import { Grants } from './grants.service.js';
import { Lifecycle } from './lifecycle.service.js';
import { SubscriptionsController } from './subscriptions.controller.js';
import { SubscriptionsJobs } from './subscriptions.jobs.js';
import { SubscriptionsListener } from './subscriptions.listener.js';
import { SubscriptionsService } from './subscriptions.service.js';

@Module({
  imports: [CustomersModule, PlansModule, FeaturesModule],
  controllers: [SubscriptionsController, UpcomingGrantsController, SubscriptionEntitlementsController],
  providers: [SubscriptionsService, EntitledFeatures, Lifecycle, Grants, SubscriptionsJobs, SubscriptionsListener],
  exports: [SubscriptionsService, EntitledFeatures],
})
export class SubscriptionsModule {}
