import { Requests, type Tx } from '@drawdown/platform';
import {
  CancelSubscriptionBody,
  CreateSubscriptionBody,
  LineItemCommitmentBody,
  type Subscription,
  SubscriptionsService,
  subscriptionView,
  type SubscriptionView,
} from '@drawdown/subscriptions';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiTags } from '@nestjs/swagger';
import { FirstPayments } from './first-payments.service.js';
import { InvoicesService } from './invoices.service.js';
import { creditsOf, type CancelSubscriptionView } from './subscription-billing.dto.js';

/** The routes of subscriptions whose answers hold an invoice. */
@ApiTags('Subscriptions')
@Controller('subscriptions')
export class SubscriptionBillingController {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly invoices: InvoicesService,
    private readonly firstPayments: FirstPayments,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiExtraModels(LineItemCommitmentBody)
  @ApiOperation({ summary: 'Subscribe a customer to a plan' })
  async create(@Body() body: CreateSubscriptionBody): Promise<SubscriptionView> {
    if (!paysAtOnce(body)) {
      return this.requests.write(async (tx) => this.shown(tx, await this.subscriptions.create(tx, body)));
    }
    // In halves: the first payment is a network call, and goes after the commit.
    const { id } = await this.requests.write(async (tx) => ({ id: (await this.subscriptions.create(tx, body)).id }));
    const problem = await this.firstPayments.collect(this.requests.scope(), id);
    if (problem) throw problem;
    return this.requests.read(async (tx) => this.shown(tx, await this.subscriptions.get(tx, id)));
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

  private async shown(tx: Tx, subscription: Subscription): Promise<SubscriptionView> {
    const relations = await this.subscriptions.relations(tx, [subscription]);
    const latest = await this.invoices.latestOf(tx, subscription.id);
    return subscriptionView(subscription, relations.get(subscription.id)!, latest);
  }
}

const paysAtOnce = ({ payment_behavior: behavior }: CreateSubscriptionBody): boolean =>
  behavior === 'allow_incomplete' || behavior === 'error_if_incomplete';
