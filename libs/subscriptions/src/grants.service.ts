import {
  firstPeriodOf,
  type GrantRule,
  type GrantStep,
  oneTimeGrant,
  paidTimeOf,
  recurringStep,
  stepFrom,
  text,
} from '@drawdown/billing-core';
import { grantDue } from '@drawdown/contracts';
import { Agenda, EventBus, loaded, newId, together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { CreditGrantApplication, SubscriptionGrant } from './grant.entity.js';
import { periodIdAt } from './period-store.js';
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

  /**
   * Plans what grants give from `at` on, inside a running period: a one-time grant at once, a recurring one with what is
   * left of its step, or with the next step where this one was given before.
   */
  async beginInside(
    tx: Tx,
    subscription: Subscription,
    grants: readonly SubscriptionGrant[],
    { at, periodEnd, prorated }: { readonly at: Date; readonly periodEnd: Date; readonly prorated: boolean },
  ): Promise<void> {
    const zone = subscription.customerTimezone;
    for (const grant of grants) {
      const rule = ruleOf(grant);
      if (grant.cadence === 'ONETIME') {
        await this.plan(tx, subscription, grant, oneTimeGrant(rule, { start: at, end: periodEnd }, zone));
        continue;
      }
      const step = stepFrom(rule, paidTimeOf(timeOf(subscription)), zone, at, prorated);
      const planned = await this.plan(tx, subscription, grant, step);
      if (!planned) await this.planStep(tx, subscription, grant, step.index + 1);
    }
  }

  /** The subscription leaves these grants at `at`: what they were to give from then on is not given. */
  async leave(tx: Tx, subscriptionId: string, grants: readonly SubscriptionGrant[], at: Date): Promise<void> {
    for (const grant of grants) grant.endedAt = at;
    await this.withdraw(tx, { subscriptionId, grantId: { $in: grants.map(({ id }) => id) } }, at);
  }

  /** The subscription rests from `at` on: what was to be given from then on is not given. */
  async rest(tx: Tx, subscriptionId: string, at: Date): Promise<void> {
    await this.withdraw(tx, { subscriptionId }, at);
  }

  /** Of the catalogue's grants those that the subscription had and left: they give again, each as it was copied. */
  async revive(tx: Tx, subscriptionId: string, planGrantIds: readonly string[]): Promise<SubscriptionGrant[]> {
    const left = await tx.em.find(SubscriptionGrant, {
      environmentId: tx.scope.environmentId,
      subscriptionId,
      planGrantId: { $in: [...planGrantIds] },
      endedAt: { $ne: null },
    });
    for (const grant of left) grant.endedAt = null;
    return left;
  }

  /** The grants a subscription has now, in the order of the catalogue. */
  current(tx: Tx, subscriptionId: string): Promise<SubscriptionGrant[]> {
    return tx.em.find(
      SubscriptionGrant,
      { environmentId: tx.scope.environmentId, subscriptionId, endedAt: null },
      { orderBy: { planGrantId: 'asc' } },
    );
  }

  /** Gives a lot that is due, unless an unpaid bill makes it wait, and plans the recurring grant's next step. */
  async fallDue(tx: Tx, applicationId: string): Promise<void> {
    const { environmentId } = tx.scope;
    const application = await tx.em.findOne(
      CreditGrantApplication,
      { environmentId, id: applicationId },
      { refresh: true },
    );
    if (!application || application.status === 'cancelled') return;
    const subscription = (await loaded(tx, Subscription, application.subscriptionId))!;
    const grant = (await loaded(tx, SubscriptionGrant, application.grantId))!;
    const waits = subscription.status === 'incomplete' || (application.recurring && subscription.status === 'past_due');
    if (application.status === 'pending' && !waits) await this.give(tx, subscription, grant, application);
    if (application.recurring && !grant.endedAt) await this.planStep(tx, subscription, grant, application.step + 1);
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
    await this.withdraw(tx, { subscriptionId }, null);
  }

  /** @param from what was due before waits on for its bill to be paid; null withdraws that too. */
  private async withdraw(tx: Tx, of: object, from: Date | null): Promise<void> {
    const pending = await tx.em.find(CreditGrantApplication, {
      environmentId: tx.scope.environmentId,
      status: 'pending',
      ...of,
      ...(from ? { scheduledFor: { $gte: from } } : {}),
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
    await this.plan(tx, subscription, grant, stepOf(subscription, grant, step));
  }

  /** One row per grant and step; one that was withdrawn comes back. @returns false where it was planned or given before. */
  private async plan(
    tx: Tx,
    subscription: Subscription,
    grant: SubscriptionGrant,
    planned: GrantStep,
  ): Promise<boolean> {
    const recurring = grant.cadence === 'RECURRING';
    const countedFrom = recurring ? paidTimeOf(timeOf(subscription)).firstPeriod.start : subscription.startDate;
    const status = planned.credits.isZero() ? 'skipped' : 'pending';
    const { customerId } = subscription;
    const subjectId = await together(tx, planApplications, {
      id: newId('cga'),
      subscription_id: subscription.id,
      customer_id: customerId,
      grant_id: grant.id,
      counted_from: countedFrom,
      step: planned.index,
      recurring,
      credits: text(planned.credits),
      scheduled_for: planned.at,
      step_end: planned.stepEnd,
      expires_at: planned.expiresAt,
      status,
    });
    if (!subjectId) return false;
    await this.agenda.schedule(tx, { kind: 'grant.give', customerId, subjectId, dueAt: planned.at });
    return true;
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

interface PlannedApplication {
  readonly id: string;
  readonly subscription_id: string;
  readonly customer_id: string;
  readonly grant_id: string;
  readonly counted_from: Date;
  readonly step: number;
  readonly recurring: boolean;
  readonly credits: string;
  readonly scheduled_for: Date;
  readonly step_end: Date | null;
  readonly expires_at: Date | null;
  readonly status: 'pending' | 'skipped';
}

/** @returns of each the application's id, null where it was planned or given before. */
async function planApplications(tx: SetTx, planned: readonly PlannedApplication[]): Promise<(string | null)[]> {
  const inserted = await sql<{ id: string; grant_id: string; step: number }>`
    insert into credit_grant_application
      (id, tenant_id, environment_id, subscription_id, customer_id, grant_id, counted_from, step, recurring, credits,
       scheduled_for, step_end, expires_at, status, created_at, updated_at)
    select id, ${tx.scope.tenantId}, ${tx.scope.environmentId}, subscription_id, customer_id, grant_id, counted_from, step,
           recurring, credits, scheduled_for, step_end, expires_at, status, ${tx.now}, ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(planned)}::jsonb) a(
      id text, subscription_id text, customer_id text, grant_id text, counted_from timestamptz, step int,
      recurring boolean, credits numeric, scheduled_for timestamptz, step_end timestamptz, expires_at timestamptz,
      status text)
    on conflict on constraint credit_grant_application_once do update
    set status = excluded.status, credits = excluded.credits, scheduled_for = excluded.scheduled_for,
        step_end = excluded.step_end, expires_at = excluded.expires_at, updated_at = excluded.updated_at
    where credit_grant_application.status = 'cancelled'
    returning id, grant_id, step`.execute(tx.db);
  const ids = new Map(inserted.rows.map((row) => [`${row.grant_id} ${row.step}`, row.id]));
  return planned.map((one) => ids.get(`${one.grant_id} ${one.step}`) ?? null);
}

const ruleOf = (grant: SubscriptionGrant): GrantRule => ({
  credits: grant.credits,
  cadence: grant.cadence,
  period: grant.period ?? null,
  periodCount: grant.periodCount,
  expirationType: grant.expirationType,
  expirationDuration: grant.expirationDuration ?? null,
  expirationUnit: grant.expirationUnit ?? null,
});

function stepOf(subscription: Subscription, grant: SubscriptionGrant, step: number): GrantStep {
  const rule = ruleOf(grant);
  const time = timeOf(subscription);
  const zone = subscription.customerTimezone;
  if (grant.cadence === 'ONETIME') return oneTimeGrant(rule, firstPeriodOf(time).span, zone);
  return recurringStep(rule, paidTimeOf(time), zone, step, subscription.prorationBehavior === 'create_prorations');
}
