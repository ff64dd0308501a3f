import { CustomersModule } from '@drawdown/customers';
import { FeaturesModule } from '@drawdown/features';
import { PlansModule } from '@drawdown/plans';
import { Module } from '@nestjs/common';
import { AddedItems } from './added-items.service.js';
import { EntitledFeatures } from './entitled-features.service.js';
import { SubscriptionEntitlementsController } from './entitlements.controller.js';
import { UpcomingGrantsController } from './grants.controller.js';
import { Grants } from './grants.service.js';
import { ItemChanges } from './item-changes.service.js';
import { Lifecycle } from './lifecycle.service.js';
import { LineItemsController } from './line-items.controller.js';
import { LineItems } from './line-items.service.js';
import { OwnEntitlements } from './own-entitlements.service.js';
import { PausesController } from './pauses.controller.js';
import { Pauses } from './pauses.service.js';
import { PlanChanges } from './plan-changes.service.js';
import { PlannedCancellations } from './planned-cancellations.service.js';
import { PriceSyncController } from './price-sync.controller.js';
import { PriceSync } from './price-sync.service.js';
import { SchedulesController } from './schedules.controller.js';
import { Schedules } from './schedules.service.js';
import { SubscriptionsController } from './subscriptions.controller.js';
import { SubscriptionsJobs } from './subscriptions.jobs.js';
import { SubscriptionsListener } from './subscriptions.listener.js';
import { SubscriptionsService } from './subscriptions.service.js';

@Module({
  imports: [CustomersModule, PlansModule, FeaturesModule],
  controllers: [
    SubscriptionsController,
    LineItemsController,
    PausesController,
    PriceSyncController,
    SchedulesController,
    UpcomingGrantsController,
    SubscriptionEntitlementsController,
  ],
  providers: [
    SubscriptionsService,
    EntitledFeatures,
    Lifecycle,
    ItemChanges,
    PlanChanges,
    PlannedCancellations,
    Schedules,
    Pauses,
    PriceSync,
    LineItems,
    AddedItems,
    OwnEntitlements,
    Grants,
    SubscriptionsJobs,
    SubscriptionsListener,
  ],
  exports: [SubscriptionsService, PlanChanges, Pauses, EntitledFeatures],
})
export class SubscriptionsModule {}
