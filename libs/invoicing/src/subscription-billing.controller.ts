import { Requests } from '@drawdown/platform';
import {
  CancelSubscriptionBody,
  CreateSubscriptionBody,
  SubscriptionsService,
  subscriptionView,
  type SubscriptionView,
} from '@drawdown/subscriptions';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { InvoicesService } from './invoices.service.js';
import { creditsOf, type CancelSubscriptionView } from './subscription-billing.dto.js';

/** The routes of subscriptions whose answers hold an invoice. */
@ApiTags('Subscriptions')
@Controller('subscriptions')
export class SubscriptionBillingController {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly invoices: InvoicesService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Subscribe a customer to a plan' })
  create(@Body() body: CreateSubscriptionBody): Promise<SubscriptionView> {
    return this.requests.write(async (tx) => {
      const subscription = await this.subscriptions.create(tx, body);
      const relations = await this.subscriptions.relations(tx, [subscription]);
      const latest = await this.invoices.latestOf(tx, subscription.id);
      return subscriptionView(subscription, relations.get(subscription.id)!, latest);
    });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel a subscription now or at the end of its period' })
  cancel(@Param('id') id: string, @Body() body: CancelSubscriptionBody): Promise<CancelSubscriptionView> {
    const policy = body.cancel_immediately_inovice_policy ?? body.cancel_immediately_invoice_policy;
    return this.requests.write(async (tx) => {
      const { subscription, lastPeriod, effectiveAt } = await this.subscriptions.cancel(tx, id, {
        type: body.cancellation_type,
        finalInvoice: policy !== 'skip',
        reason: body.reason ?? null,
        prorated: body.proration_behavior ? body.proration_behavior === 'create_prorations' : null,
      });
      const final = lastPeriod ? await this.invoices.finalOf(tx, lastPeriod.id) : null;
      const immediate = body.cancellation_type === 'immediate';
      return {
        subscription_id: subscription.id,
        status: subscription.status,
        cancellation_type: body.cancellation_type,
        effective_date: effectiveAt.toISOString(),
        processed_at: tx.now.toISOString(),
        reason: body.reason ?? null,
        message: immediate ? 'the subscription is cancelled' : 'the subscription ends with its current period',
        proration_invoice: final,
        ...creditsOf(final),
      };
    });
  }
}
