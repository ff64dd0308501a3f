import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { EntitledFeatures } from './entitled-features.service.js';
import type { SubscriptionTerms } from './entitled-rows.js';
import {
  aggregatedFeatureView,
  EntitlementsQuery,
  type CustomerEntitlementsView,
  type SubscriptionEntitlementsView,
} from './entitlements.dto.js';

@ApiTags('Entitlements')
@Controller()
export class SubscriptionEntitlementsController {
  constructor(private readonly entitled: EntitledFeatures) {}

  @Get('subscriptions/:id/entitlements')
  @ApiOperation({ summary: 'What a subscription gives, by feature' })
  async ofSubscription(
    @Param('id') id: string,
    @Query() query: EntitlementsQuery,
  ): Promise<SubscriptionEntitlementsView> {
    const { subscriptions, features } = await this.entitled.ofSubscription(id, query.feature_ids ?? undefined);
    const [{ planId }] = subscriptions as [SubscriptionTerms];
    return { subscription_id: id, plan_id: planId, features: features.map(aggregatedFeatureView) };
  }

  @Get('customers/:id/entitlements')
  @ApiOperation({ summary: "What all of a customer's running subscriptions give together, by feature" })
  async ofCustomer(@Param('id') id: string, @Query() query: EntitlementsQuery): Promise<CustomerEntitlementsView> {
    const { features } = await this.entitled.ofCustomer(id, query.feature_ids ?? undefined);
    return { customer_id: id, features: features.map(aggregatedFeatureView) };
  }
}
