import { CustomersService } from '@drawdown/customers';
import { Requests } from '@drawdown/platform';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { EntitledFeatures } from './entitled-features.service.js';
import {
  aggregatedFeatureView,
  EntitlementsQuery,
  type CustomerEntitlementsView,
  type SubscriptionEntitlementsView,
} from './entitlements.dto.js';
import { SubscriptionsService } from './subscriptions.service.js';

@ApiTags('Entitlements')
@Controller()
export class SubscriptionEntitlementsController {
  constructor(
    private readonly entitled: EntitledFeatures,
    private readonly subscriptions: SubscriptionsService,
    private readonly customers: CustomersService,
    private readonly requests: Requests,
  ) {}

  @Get('subscriptions/:id/entitlements')
  @ApiOperation({ summary: 'What a subscription gives, by feature' })
  ofSubscription(@Param('id') id: string, @Query() query: EntitlementsQuery): Promise<SubscriptionEntitlementsView> {
    return this.requests.read(async (tx) => {
      const subscription = await this.subscriptions.get(tx, id);
      const features = await this.entitled.of(tx, [subscription], query.feature_ids ?? undefined);
      return { subscription_id: id, plan_id: subscription.planId, features: features.map(aggregatedFeatureView) };
    });
  }

  @Get('customers/:id/entitlements')
  @ApiOperation({ summary: "What all of a customer's running subscriptions give together, by feature" })
  ofCustomer(@Param('id') id: string, @Query() query: EntitlementsQuery): Promise<CustomerEntitlementsView> {
    return this.requests.read(async (tx) => {
      await this.customers.get(tx, id);
      const features = await this.entitled.ofCustomer(tx, id, query.feature_ids ?? undefined);
      return { customer_id: id, features: features.map(aggregatedFeatureView) };
    });
  }
}
