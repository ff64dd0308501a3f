import { CustomersModule } from '@drawdown/customers';
import { PlansModule } from '@drawdown/plans';
import { Module } from '@nestjs/common';
import { UpcomingGrantsController } from './grants.controller.js';
import { Grants } from './grants.service.js';
import { Lifecycle } from './lifecycle.service.js';
import { SubscriptionsController } from './subscriptions.controller.js';
import { SubscriptionsJobs } from './subscriptions.jobs.js';
import { SubscriptionsListener } from './subscriptions.listener.js';
import { SubscriptionsService } from './subscriptions.service.js';

@Module({
  imports: [CustomersModule, PlansModule],
  controllers: [SubscriptionsController, UpcomingGrantsController],
  providers: [SubscriptionsService, Lifecycle, Grants, SubscriptionsJobs, SubscriptionsListener],
  exports: [SubscriptionsService],
})
export class SubscriptionsModule {}
