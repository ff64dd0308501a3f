import { oneTimeGrant, firstPeriodOf, paidTimeOf, recurringStep, text, type GrantStep } from '@drawdown/billing-core';
import { grantDue } from '@drawdown/contracts';
import { Agenda, EventBus, newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { CreditGrantApplication, SubscriptionGrant } from './grant.entity.js';
import { Period } from './period.entity.js';
import { Subscription, timeOf } from './subscription.entity.js';

/**
 * When a subscription's grants give their lots (MEANING.md, "Grants"). One application row per grant and step: whatever
 * runs twice finds it there. Wallets make the lot when they hear `credit_grant.due`.
 */
@Injectable()
export class Grants {
  constructor(
    private readonly agenda: Agenda,
    private readonly events: EventBus,
  ) {}

  /** Plans the first lot of a grant: one-time with the subscription's start, recurring with the start of paid time. */
  async begin(tx: Tx, subscription: Subscription, grants: readonly SubscriptionGrant[]): Promise<void> {
    for (const grant of grants) await this.planStep(tx, subscription, grant, 0);
  }

  /** Gives a lot that is due, unless an unpaid bill makes it wait, and plans the recurring grant's next step. */
  async fallDue(tx: Tx, applicationId: string): Promise<void> {
    const { environmentId } = tx.scope;
    const application = await tx.em.findOne(CreditGrantApplication, { environmentId, id: applicationId });
    if (!application || application.status === 'cancelled') return;
    const subscription = await tx.em.findOneOrFail(Subscription, { environmentId, id: application.subscriptionId });
    const grant = await tx.em.findOneOrFail(SubscriptionGrant, { environmentId, id: application.grantId });
    const waits = application.recurring && subscription.status === 'past_due';
    if (application.status === 'pending' && !waits) await this.give(tx, subscription, grant, application);
    if (application.recurring) await this.planStep(tx, subscription, grant, application.step + 1);
  }

  /** The bill is paid: gives what has waited for it, in order, each effective from its own scheduled instant. */
  async giveWaiting(tx: Tx, subscription: Subscription): Promise<void> {
    const { environmentId } = tx.scope;
    const waiting = await tx.em.find(
      CreditGrantApplication,
      { environmentId, subscriptionId: subscription.id, status: 'pending', scheduledFor: { $lte: tx.now } },
      { orderBy: { scheduledFor: 'asc', id: 'asc' } },
    );
    for (const application of waiting) {
      const grant = await tx.em.findOneOrFail(SubscriptionGrant, { environmentId, id: application.grantId });
      await this.give(tx, subscription, grant, application);
    }
  }

  async cancelPending(tx: Tx, subscriptionId: string): Promise<void> {
    const pending = await tx.em.find(CreditGrantApplication, {
      environmentId: tx.scope.environmentId,
      subscriptionId,
      status: 'pending',
    });
    for (const application of pending) {
      tx.em.assign(application, { status: 'cancelled', updatedAt: tx.now });
      await this.agenda.cancel(tx, 'grant.give', application.id);
    }
  }

  /** Lots to come, the next first, each with the grant that gives it. */
  async upcoming(
    tx: Tx,
    of: { subscriptionId: string } | { customerId: string },
  ): Promise<{ application: CreditGrantApplication; grant: SubscriptionGrant }[]> {
    const { environmentId } = tx.scope;
    const pending = await tx.em.find(
      CreditGrantApplication,
      { environmentId, status: 'pending', ...of },
      { orderBy: { scheduledFor: 'asc', id: 'asc' } },
    );
    const grants = await tx.em.find(SubscriptionGrant, { environmentId, id: pending.map(({ grantId }) => grantId) });
    const grantOf = new Map(grants.map((grant) => [grant.id, grant]));
    return pending.map((application) => ({ application, grant: grantOf.get(application.grantId)! }));
  }

  private async planStep(tx: Tx, subscription: Subscription, grant: SubscriptionGrant, step: number): Promise<void> {
    const planned = stepOf(subscription, grant, step);
    const inserted = await sql<{ id: string }>`
      insert into credit_grant_application
        (id, tenant_id, environment_id, subscription_id, customer_id, grant_id, step, recurring, credits,
         scheduled_for, step_end, expires_at, status, created_at, updated_at)
      values (${newId('cga')}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${subscription.id},
              ${subscription.customerId}, ${grant.id}, ${step}, ${grant.cadence === 'RECURRING'}, ${text(planned.credits)},
              ${planned.at}, ${planned.stepEnd}, ${planned.expiresAt},
              ${planned.credits.isZero() ? 'skipped' : 'pending'}, ${tx.now}, ${tx.now})
      on conflict on constraint credit_grant_application_once do nothing
      returning id`.execute(tx.db);
    const [row] = inserted.rows;
    if (!row) return;
    const { customerId } = subscription;
    await this.agenda.schedule(tx, { kind: 'grant.give', customerId, subjectId: row.id, dueAt: planned.at });
  }

  private async give(
    tx: Tx,
    subscription: Subscription,
    grant: SubscriptionGrant,
    application: CreditGrantApplication,
  ): Promise<void> {
    const { scheduledFor } = application;
    tx.em.assign(application, {
      status: 'applied',
      appliedAt: tx.now,
      subscriptionStatus: subscription.status,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, grantDue, {
      subscription_id: subscription.id,
      customer_id: subscription.customerId,
      plan_id: subscription.planId,
      currency: subscription.currency,
      application_id: application.id,
      grant_name: grant.name,
      period_id: await periodIdAt(tx, subscription.id, scheduledFor),
      recurring: application.recurring,
      credits: text(application.credits),
      effective_at: scheduledFor.toISOString(),
      expires_at: application.expiresAt?.toISOString() ?? null,
      priority: grant.priority ?? null,
      conversion_rate: grant.conversionRate ? text(grant.conversionRate) : null,
      topup_conversion_rate: grant.topupConversionRate ? text(grant.topupConversionRate) : null,
    });
  }
}

function stepOf(subscription: Subscription, grant: SubscriptionGrant, step: number): GrantStep {
  const rule = {
    credits: grant.credits,
    cadence: grant.cadence,
    period: grant.period ?? null,
    periodCount: grant.periodCount,
    expirationType: grant.expirationType,
    expirationDuration: grant.expirationDuration ?? null,
    expirationUnit: grant.expirationUnit ?? null,
  };
  const time = timeOf(subscription);
  const zone = subscription.customerTimezone;
  if (grant.cadence === 'ONETIME') return oneTimeGrant(rule, firstPeriodOf(time).span, zone);
  return recurringStep(rule, paidTimeOf(time), zone, step, subscription.prorationBehavior === 'create_prorations');
}

async function periodIdAt(tx: Tx, subscriptionId: string, at: Date): Promise<string | null> {
  const [period] = await tx.em.find(
    Period,
    { environmentId: tx.scope.environmentId, subscriptionId, startAt: { $lte: at }, endAt: { $gt: at } },
    { limit: 1 },
  );
  return period?.id ?? null;
}
