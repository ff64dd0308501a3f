import { listView, Requests, type Tx } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  SubscriptionListView,
  subscriptionV2View,
  subscriptionView,
  type SubscriptionV2View,
  type SubscriptionView,
} from './subscription.dto.js';
import type { Subscription } from './subscription.entity.js';
import { SubscriptionSearchBody, UpdateSubscriptionBody } from './subscriptions.dto.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** Creating and cancelling answer with an invoice, so their routes stand in invoicing. */
@ApiTags('Subscriptions')
@Controller('subscriptions')
export class SubscriptionsController {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly requests: Requests,
  ) {}

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search subscriptions' })
  @ApiOkResponse({ type: SubscriptionListView })
  search(@Body() query: SubscriptionSearchBody): Promise<SubscriptionListView> {
    return this.requests.read(async (tx) => {
      const [found, total] = await this.subscriptions.search(tx, query);
      const withLineItems = query.with_line_items !== false;
      const relations = await this.subscriptions.relations(tx, found, { withLineItems });
      return listView(
        found.map((subscription) => subscriptionView(subscription, relations.get(subscription.id)!)),
        total,
        query,
      );
    });
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a subscription with its line items, grants, plan and customer' })
  get(@Param('id') id: string): Promise<SubscriptionView> {
    return this.requests.read(async (tx) => this.view(tx, await this.subscriptions.get(tx, id)));
  }

  @Get(':id/v2')
  @ApiOperation({ summary: 'Get a subscription without its latest invoice' })
  getV2(@Param('id') id: string): Promise<SubscriptionV2View> {
    return this.requests.read(async (tx) => {
      const subscription = await this.subscriptions.get(tx, id);
      const relations = await this.subscriptions.relations(tx, [subscription]);
      return subscriptionV2View(subscription, relations.get(id)!);
    });
  }

  @Put(':id')
  @ApiOperation({ summary: 'Change the texts of a subscription, or plan, move or withdraw its cancellation' })
  update(@Param('id') id: string, @Body() body: UpdateSubscriptionBody): Promise<SubscriptionView> {
    return this.requests.write(async (tx) => this.view(tx, await this.subscriptions.update(tx, id, body)));
  }

  private async view(tx: Tx, subscription: Subscription): Promise<SubscriptionView> {
    const relations = await this.subscriptions.relations(tx, [subscription]);
    return subscriptionView(subscription, relations.get(subscription.id)!);
  }
}
