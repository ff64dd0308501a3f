import { FeaturesModule } from '@drawdown/features';
import { Module } from '@nestjs/common';
import { AgreedPrices } from './agreed-prices.service.js';
import { CreditGrantsController } from './credit-grants.controller.js';
import { CreditGrantsService } from './credit-grants.service.js';
import { EntitlementsController } from './entitlements.controller.js';
import { EntitlementsService } from './entitlements.service.js';
import { PlanCopies } from './plan-copies.service.js';
import { PlansController } from './plans.controller.js';
import { PlansListener } from './plans.listener.js';
import { PlansService } from './plans.service.js';
import { PricesController } from './prices.controller.js';
import { PriceVersions } from './price-versions.service.js';
import { PricesService } from './prices.service.js';

@Module({
  imports: [FeaturesModule],
  controllers: [PlansController, PricesController, EntitlementsController, CreditGrantsController],
  providers: [
    PlansService,
    PlanCopies,
    PricesService,
    PriceVersions,
    AgreedPrices,
    EntitlementsService,
    CreditGrantsService,
    PlansListener,
  ],
  exports: [PlansService, EntitlementsService, AgreedPrices],
})
export class PlansModule {}
