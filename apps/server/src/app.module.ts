import { CustomersModule } from '@drawdown/customers';
import { FeaturesModule } from '@drawdown/features';
import { InvoicingModule } from '@drawdown/invoicing';
import { MeteringModule } from '@drawdown/metering';
import { PlansModule } from '@drawdown/plans';
import { PlatformModule, type Settings } from '@drawdown/platform';
import { StripeModule } from '@drawdown/stripe';
import { SubscriptionsModule } from '@drawdown/subscriptions';
import { WalletsModule } from '@drawdown/wallets';
import { Module, type DynamicModule } from '@nestjs/common';
import { migrations } from '../../../migrations/index.js';
import { entities } from './entities.js';
import type { StripeAccess } from './stripe-access.js';

export interface AppParts {
  readonly settings: Settings;
  readonly databaseUrl: string;
  readonly stripe: StripeAccess;
}

/** The only list of modules. */
@Module({})
export class AppModule {
  static forRoot({ settings, databaseUrl, stripe }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(settings, { clientUrl: databaseUrl, entities, migrations }),
        FeaturesModule,
        PlansModule,
        CustomersModule,
        SubscriptionsModule,
        WalletsModule,
        MeteringModule,
        StripeModule.forRoot(stripe),
        InvoicingModule,
      ],
    };
  }
}
