import { CustomersModule } from '@drawdown/customers';
import { FeaturesModule } from '@drawdown/features';
import { SubscriptionsModule } from '@drawdown/subscriptions';
import { WalletsModule } from '@drawdown/wallets';
import { Module } from '@nestjs/common';
import { AuthorizationService } from './authorization.service.js';
import { CreditsController } from './credits.controller.js';
import { CustomerUsageController } from './customer-usage.controller.js';
import { CustomerUsage } from './customer-usage.service.js';
import { CustomerLocks } from './customer-locks.js';
import { EventCustomers } from './event-customers.js';
import { EventLog } from './event-log.service.js';
import { EventTrail } from './event-trail.service.js';
import { EventsController } from './events.controller.js';
import { HoldSettlement } from './hold-settlement.service.js';
import { IngestionService } from './ingestion.service.js';
import { LateMatches } from './late-matches.service.js';
import { MeteringJobs } from './metering.jobs.js';
import { MeteringListener } from './metering.listener.js';
import { UsageBurner } from './usage-burner.js';
import { UsageSettlement } from './usage-settlement.service.js';
import { UsagePeriods } from './usage-periods.service.js';
import { UsageBreakdowns } from './usage-breakdown.service.js';
import { UsageService } from './usage.service.js';

/** Usage events, accruals, and the burn. */
@Module({
  imports: [CustomersModule, FeaturesModule, SubscriptionsModule, WalletsModule],
  controllers: [EventsController, CustomerUsageController, CreditsController],
  providers: [
    UsageService,
    UsageBreakdowns,
    UsagePeriods,
    IngestionService,
    AuthorizationService,
    HoldSettlement,
    CustomerLocks,
    EventCustomers,
    UsageBurner,
    UsageSettlement,
    LateMatches,
    EventLog,
    EventTrail,
    CustomerUsage,
    MeteringListener,
    MeteringJobs,
  ],
  exports: [UsageService, UsageBreakdowns, IngestionService, EventTrail],
})
export class MeteringModule {}
