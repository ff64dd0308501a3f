import { Agenda, Requests, type Tx } from '@drawdown/platform';
import {
  ActivateSubscriptionBody,
  PlanChanges,
  SubscriptionChangeBody,
  SubscriptionsService,
  subscriptionView,
  type PlanChange,
  type SubscriptionView,
} from '@drawdown/subscriptions';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { InvoiceView } from './invoices.dto.js';
import { InvoicesService } from './invoices.service.js';
import {
  billingCycleView,
  changedPlanView,
  changedSubscriptionView,
  type ChangedSubscriptionView,
  previewedInvoiceView,
  prorationView,
  type SubscriptionChangePreviewView,
  type SubscriptionChangeView,
} from './subscription-changes.dto.js';

interface Done extends PlanChange {
  readonly old: ChangedSubscriptionView;
  readonly invoice: InvoiceView | null;
}

/** Changes of subscriptions whose answers hold an invoice. A preview is the change itself, rolled back. */
@ApiTags('Subscriptions')
@Controller('subscriptions')
export class SubscriptionChangesController {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly changes: PlanChanges,
    private readonly invoices: InvoicesService,
    private readonly agenda: Agenda,
    private readonly requests: Requests,
  ) {}

  @Post(':id/activate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Start a draft subscription' })
  activate(@Param('id') id: string, @Body() body: ActivateSubscriptionBody): Promise<SubscriptionView> {
    return this.requests.write(async (tx) => {
      const subscription = await this.subscriptions.activate(tx, id, body.start_date ?? null);
      const relations = await this.subscriptions.relations(tx, [subscription]);
      return subscriptionView(subscription, relations.get(id)!, await this.invoices.latestOf(tx, id));
    });
  }

  @Post(':id/change/execute')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go over to another plan or interval, now or at the end of the period' })
  execute(@Param('id') id: string, @Body() body: SubscriptionChangeBody): Promise<SubscriptionChangeView> {
    return this.requests.write(async (tx) => {
      const { old, ...done } = await this.change(tx, id, body);
      const { schedule, subscription } = done;
      const relations = (await this.subscriptions.relations(tx, [subscription])).get(id)!;
      return {
        change_type: done.direction,
        effective_date: done.effectiveAt.toISOString(),
        is_scheduled: schedule !== null,
        schedule_id: schedule?.id ?? null,
        scheduled_at: schedule?.scheduledAt.toISOString() ?? null,
        old_subscription: old,
        new_subscription: changedSubscriptionView(subscription),
        invoice: done.invoice,
        proration_applied: prorationView(done, old, done.invoice),
        credit_grants: subscriptionView(subscription, relations).credit_grants,
        metadata: body.metadata ?? {},
      };
    });
  }

  @Post(':id/change/preview')
  @HttpCode(200)
  @ApiOperation({ summary: 'What a change of plan would do; nothing is recorded' })
  preview(@Param('id') id: string, @Body() body: SubscriptionChangeBody): Promise<SubscriptionChangePreviewView> {
    return this.requests.rehearse(async (tx) => {
      const before = await this.subscriptions.get(tx, id);
      const current = (await this.subscriptions.relations(tx, [before])).get(id)!.plan;
      const { old, ...done } = await this.change(tx, id, body);
      const invoice = done.schedule ? await this.invoiceAt(tx, done) : done.invoice;
      const target = (await this.subscriptions.relations(tx, [done.subscription])).get(id)!.plan;
      return {
        subscription_id: id,
        change_type: done.direction,
        effective_date: done.effectiveAt.toISOString(),
        current_plan: changedPlanView(current),
        target_plan: changedPlanView(target),
        new_billing_cycle: billingCycleView(done.subscription),
        next_invoice_preview: invoice && previewedInvoiceView(invoice),
        proration_details: done.schedule ? null : prorationView(done, old, invoice),
        warnings: [],
        metadata: body.metadata ?? {},
      };
    });
  }

  private async change(tx: Tx, id: string, body: SubscriptionChangeBody): Promise<Done> {
    const subscription = await this.subscriptions.claim(tx, id);
    const old = changedSubscriptionView(subscription);
    const change = await this.changes.change(tx, id, body);
    const invoice = change.schedule ? null : await this.invoices.changeOf(tx, id, change.effectiveAt);
    return { ...change, old, invoice };
  }

  /** Rehearses what happens up to the change and at its instant. */
  private async invoiceAt(tx: Tx, { subscription, effectiveAt }: PlanChange): Promise<InvoiceView | null> {
    await this.agenda.catchUp({ ...tx, now: effectiveAt }, subscription.customerId, effectiveAt);
    return this.invoices.changeOf(tx, subscription.id, effectiveAt);
  }
}
