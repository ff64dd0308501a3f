import { paidTimeOf, periodAfter } from '@drawdown/billing-core';
import { planChanged } from '@drawdown/contracts';
import { Agenda, EventBus, newId, Problem, type Tx } from '@drawdown/platform';
import { PlansService, recurs, type Offer } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { directionOfChange, type ChangeDirection } from './change-direction.js';
import { copyOffer } from './copies.js';
import { Grants } from './grants.service.js';
import { ItemChanges } from './item-changes.service.js';
import { Lifecycle, named } from './lifecycle.service.js';
import { runsAt, type LineItem } from './line-item.entity.js';
import { assertMeteredOnce } from './metered-once.js';
import { OwnEntitlements } from './own-entitlements.service.js';
import { openPeriodOf } from './period-store.js';
import { PlannedCancellations } from './planned-cancellations.service.js';
import { move, SCHEDULE_MOVES, type ScheduleStatus } from './lifecycles.js';
import type { Period } from './period.entity.js';
import { SubscriptionSchedule, type PlanChangeTerms } from './subscription-schedule.entity.js';
import { isRunning } from './subscription-status.js';
import { Subscription, timeOf } from './subscription.entity.js';
import type { SubscriptionChangeBody } from './subscription-changes.dto.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** A plan change that was asked for: done, or waiting for the end of the period. */
export interface PlanChange {
  readonly subscription: Subscription;
  readonly terms: PlanChangeTerms;
  readonly effectiveAt: Date;
  readonly schedule: SubscriptionSchedule | null;
  readonly direction: ChangeDirection;
}

/** Where a subscription goes over to, and when. */
interface Going {
  readonly terms: PlanChangeTerms;
  readonly at: Date;
}

/** A subscription goes over to another plan or interval (MEANING "Periods": "A plan change"). */
@Injectable()
export class PlanChanges {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly plans: PlansService,
    private readonly agenda: Agenda,
    private readonly events: EventBus,
    private readonly lifecycle: Lifecycle,
    private readonly items: ItemChanges,
    private readonly grants: Grants,
    private readonly entitlements: OwnEntitlements,
    private readonly cancellations: PlannedCancellations,
  ) {}

  /**
   * Changes at once, or plans to at the end of the current period; either takes the place of a change that waits.
   * @throws Problem 400 for what the plan doesn't sell, 404, 409 unless the subscription is running.
   */
  async change(tx: Tx, id: string, body: SubscriptionChangeBody): Promise<PlanChange> {
    const subscription = await this.subscriptions.claim(tx, id);
    assertRunning(subscription);
    const terms = termsOf(subscription, body);
    const later = body.change_at === 'end_of_period';
    const effectiveAt = later ? subscription.currentPeriodEnd! : tx.now;
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    const offer = await this.offer(tx, subscription, items, { terms, at: effectiveAt });
    const direction = directionOfChange(subscription, items, { terms, offer, at: effectiveAt });
    await this.cancelWaiting(tx, subscription.id);
    if (later) {
      const schedule = await this.schedule(tx, subscription, terms, body.metadata ?? {});
      return { subscription, terms, effectiveAt, schedule, direction };
    }
    await this.apply(tx, subscription, terms, offer, effectiveAt);
    await this.agenda.catchUp(tx, subscription.customerId);
    return { subscription, terms, effectiveAt, schedule: null, direction };
  }

  /** Due work `plan.change`. What can't be done any more has failed, and stops nothing else. */
  async fallDue(tx: Tx, scheduleId: string, at: Date): Promise<void> {
    const { environmentId } = tx.scope;
    const schedule = await tx.em.findOneOrFail(SubscriptionSchedule, { environmentId, id: scheduleId });
    if (schedule.status !== 'pending') return;
    const subscription = await this.subscriptions.get(tx, schedule.subscriptionId);
    const terms = schedule.configuration as PlanChangeTerms;
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    const offer = await this.offer(tx, subscription, items, { terms, at }).catch((error: unknown) => {
      if (error instanceof Problem) return error;
      throw error;
    });
    if (offer instanceof Problem) {
      tx.em.assign(schedule, { status: moved(schedule, 'failed'), errorMessage: offer.message, updatedAt: tx.now });
      return;
    }
    tx.em.assign(schedule, { status: moved(schedule, 'executed'), executedAt: at, updatedAt: tx.now });
    await this.apply(tx, subscription, terms, offer, at);
  }

  /**
   * What the subscription goes over to. @throws Problem 400 for what isn't sold, or counts what an item that stays
   * prices; 404; 409 unless it is running.
   */
  private async offer(
    tx: Tx,
    subscription: Subscription,
    items: readonly LineItem[],
    { terms, at }: Going,
  ): Promise<Offer> {
    assertRunning(subscription);
    const { currency } = subscription;
    const { planId, billingPeriod, billingPeriodCount } = terms;
    const offer = await this.plans.offer(tx, planId, {
      currency,
      billingPeriod,
      billingPeriodCount,
      at,
      trialDays: 0,
    });
    if (!sameInterval(subscription, terms) && items.some((item) => item.commitment && runsAt(item, at))) {
      throw Problem.unsupported('billing_period', 'of a line item with a commitment stays: it was promised for that');
    }
    const staying = items.filter((item) => !leaves(item, subscription, { terms, at }));
    for (const { id, meterId } of offer.prices) {
      assertMeteredOnce({ id, meterId, startDate: at, endDate: null }, staying, 'target_plan_id');
    }
    return offer;
  }

  private async apply(
    tx: Tx,
    subscription: Subscription,
    terms: PlanChangeTerms,
    offer: Offer,
    at: Date,
  ): Promise<void> {
    const previousPlanId = subscription.planId;
    const restarts = !sameInterval(subscription, terms);
    const prorated = terms.prorationBehavior === 'create_prorations';
    const items = await this.subscriptions.lineItems(tx, subscription.id);
    const leaving = items.filter((item) => leaves(item, subscription, { terms, at }));
    const left = (await this.grants.current(tx, subscription.id)).filter(({ planId }) => planId === previousPlanId);
    await this.grants.leave(tx, subscription.id, left, at);
    await this.entitlements.leave(tx, subscription);
    this.entitlements.copy(tx, subscription, offer);
    const again = await this.grants.revive(tx, subscription.id, idsOf(offer.grants));
    const known = new Set(again.map(({ planGrantId }) => planGrantId));
    const fresh = {
      ...offer,
      grants: offer.grants.filter(({ id }) => !known.has(id)),
      // What is asked once belongs to coming to a plan, not to another interval on it.
      prices: terms.planId === previousPlanId ? offer.prices.filter(recurs) : offer.prices,
    };
    subscription.planId = terms.planId;
    const { items: begun, grants } = copyOffer(tx, subscription, fresh, at);
    await this.events.publish(tx, planChanged, {
      ...named(subscription),
      previous_plan_id: previousPlanId,
      at: at.toISOString(),
    });
    const period = (await openPeriodOf(tx, subscription.id))!;
    const opensOne = restarts && period.kind === 'paid' && at < period.endAt;
    const staying = items.filter((item) => !leaving.includes(item));
    const refreshed = await this.entitlements.refresh(tx, subscription, staying, at);
    const ended = [...this.items.withoutUpcoming(leaving, at), ...refreshed.ended];
    begun.push(...refreshed.begun);
    await this.items.apply(tx, subscription, { ended, begun, at, period: opensOne ? null : period, prorated });
    if (restarts) changeInterval(subscription, terms, period.kind === 'paid' ? at : null);
    if (opensOne) await this.lifecycle.restart(tx, subscription, at, prorated);
    if (opensOne && subscription.cancelAtPeriodEnd) {
      await this.cancellations.plan(tx, subscription, subscription.currentPeriodEnd!, 'end_of_period');
    }
    const periodEnd = opensOne || at < period.endAt ? subscription.currentPeriodEnd! : endAfter(subscription, period);
    await this.grants.beginInside(tx, subscription, [...grants, ...again], { at, periodEnd, prorated: true });
  }

  private async schedule(
    tx: Tx,
    { id: subscriptionId, customerId, currentPeriodEnd }: Subscription,
    configuration: PlanChangeTerms,
    metadata: Record<string, string>,
  ): Promise<SubscriptionSchedule> {
    const dueAt = currentPeriodEnd!;
    const schedule = tx.em.create(SubscriptionSchedule, {
      id: newId('sched'),
      ...tx.scope,
      subscriptionId,
      customerId,
      type: 'plan_change',
      status: 'pending',
      configuration,
      scheduledAt: dueAt,
      executedAt: null,
      cancelledAt: null,
      errorMessage: null,
      metadata,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await tx.em.flush();
    await this.agenda.schedule(tx, { kind: 'plan.change', customerId, subjectId: schedule.id, dueAt });
    return schedule;
  }

  private async cancelWaiting(tx: Tx, subscriptionId: string): Promise<void> {
    const { environmentId } = tx.scope;
    const of = { environmentId, subscriptionId, type: 'plan_change', status: 'pending' } as const;
    const waiting = await tx.em.findOne(SubscriptionSchedule, of);
    if (waiting) await this.withdraw(tx, waiting);
  }

  /** @throws Problem 409 unless it still waits. */
  async withdraw(tx: Tx, schedule: SubscriptionSchedule): Promise<void> {
    tx.em.assign(schedule, { status: moved(schedule, 'cancelled'), cancelledAt: tx.now, updatedAt: tx.now });
    await tx.em.flush();
    await this.agenda.cancel(tx, 'plan.change', schedule.id);
  }
}

/** What the request leaves out stays. @throws Problem 400 when nothing would change. */
function termsOf(subscription: Subscription, body: SubscriptionChangeBody): PlanChangeTerms {
  const terms = {
    planId: body.target_plan_id,
    billingPeriod: body.billing_period ?? subscription.billingPeriod,
    billingPeriodCount: body.billing_period_count ?? (body.billing_period ? 1 : subscription.billingPeriodCount),
    billingCycle: body.billing_cycle ?? subscription.billingCycle,
    prorationBehavior: body.proration_behavior ?? subscription.prorationBehavior,
  };
  if (subscription.commitmentAmount && !sameInterval(subscription, terms)) {
    throw Problem.unsupported('billing_period', 'of a subscription with a commitment stays: it was promised for that');
  }
  if (terms.planId === subscription.planId && sameInterval(subscription, terms)) {
    throw Problem.invalid('target_plan_id', 'is the plan that the subscription is on, at the same interval');
  }
  return terms;
}

/** The plan's items leave with it; those beside it only with the interval they are in. */
const leaves = ({ planId, endDate }: LineItem, subscription: Subscription, { terms, at }: Going): boolean =>
  (!endDate || endDate > at) && (!sameInterval(subscription, terms) || planId === subscription.planId);

const sameInterval = (a: Omit<PlanChangeTerms, 'planId'>, b: Omit<PlanChangeTerms, 'planId'>): boolean =>
  a.billingPeriod === b.billingPeriod &&
  a.billingPeriodCount === b.billingPeriodCount &&
  a.billingCycle === b.billingCycle;

/** @param paidFrom where paid time is counted anew; null in a trial, whose end it still begins with. */
function changeInterval(subscription: Subscription, terms: PlanChangeTerms, paidFrom: Date | null): void {
  const { billingPeriod, billingPeriodCount, billingCycle } = terms;
  Object.assign(subscription, { billingPeriod, billingPeriodCount, billingCycle });
  if (paidFrom) subscription.paidFrom = paidFrom;
  subscription.billingAnchor = paidTimeOf(timeOf(subscription)).anchor;
}

const moved = ({ status }: SubscriptionSchedule, to: ScheduleStatus) =>
  move(SCHEDULE_MOVES, 'planned change', status, to);

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

/** Where the period after this one ends. */
const endAfter = (subscription: Subscription, { kind, startAt: start, endAt: end }: Period): Date =>
  periodAfter(timeOf(subscription), { kind, start, end }).span.end;

function assertRunning({ status }: Subscription): void {
  if (!isRunning(status)) throw Problem.state(`a subscription that is ${status} can't change its plan`, status);
}
