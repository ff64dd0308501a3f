import { firstPeriodOf, paidTimeOf, periodAfter, type PlannedPeriod, resumePeriod } from '@drawdown/billing-core';
import {
  periodClosed,
  periodOpened,
  subscriptionActivated,
  subscriptionCancelled,
  subscriptionPastDue,
  subscriptionPaused,
  subscriptionRecovered,
  subscriptionResumed,
} from '@drawdown/contracts';
import { Agenda, EventBus, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Grants } from './grants.service.js';
import { move, PAUSE_MOVES } from './lifecycles.js';
import { LineItem } from './line-item.entity.js';
import { Pause } from './pause.entity.js';
import { startsIncomplete } from './payment-behavior.js';
import { Period } from './period.entity.js';
import { latestPeriodOf, openPeriodOf, periodPayload, recordPeriod } from './period-store.js';
import { SubscriptionSchedule } from './subscription-schedule.entity.js';
import { isRunning, moved, type RunningStatus } from './subscription-status.js';
import { timeOf, type Subscription } from './subscription.entity.js';

/**
 * How a subscription moves through time (MEANING.md, "Periods"). Every step is due work of the agenda, whose order at
 * one instant is the order of `dueWorkOrder`; `at` is the instant it was due, whenever it runs. A step that has been
 * taken is not taken again: periods are unique by their number and by their start.
 */
@Injectable()
export class Lifecycle {
  constructor(
    private readonly agenda: Agenda,
    private readonly events: EventBus,
    private readonly grants: Grants,
  ) {}

  /** A draft's date has come. */
  async start(tx: Tx, subscription: Subscription): Promise<void> {
    if (subscription.status !== 'draft' || subscription.awaitsActivation) return;
    await this.openPeriod(tx, subscription, firstPeriodOf(timeOf(subscription)), null);
  }

  /** The open period ends at `at`, and the next one opens. */
  async close(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    const period = await openPeriodOf(tx, subscription.id);
    if (!period || period.endAt > at) return;
    await this.closePeriod(tx, subscription, period);
    const { customerId, id: subjectId } = subscription;
    await this.agenda.schedule(tx, { kind: 'period.open', customerId, subjectId, dueAt: period.endAt });
  }

  /** Opens the period that follows the one that ended at `at`. */
  async open(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    if (!isRunning(subscription.status)) return;
    const previous = await tx.em.findOne(Period, {
      environmentId: tx.scope.environmentId,
      subscriptionId: subscription.id,
      endAt: at,
      status: 'closed',
    });
    if (!previous) return;
    const { kind, startAt: start, endAt: end } = previous;
    await this.openPeriod(tx, subscription, periodAfter(timeOf(subscription), { kind, start, end }), previous);
  }

  /**
   * Cancels at `at`: the open period ends there, nothing of the subscription is due any more. Lots stay.
   * @returns the period that was closed, null for a draft. @throws Problem 409 when it is cancelled already.
   */
  async end(tx: Tx, subscription: Subscription, at: Date): Promise<Period | null> {
    const status = moved(subscription.status, 'cancelled');
    const last = await openPeriodOf(tx, subscription.id);
    if (last) await this.cutPeriod(tx, subscription, last, { at, credited: subscription.cancelProrated });
    await endLineItems(tx, subscription, at);
    await this.grants.cancelPending(tx, subscription.id);
    await this.forgetPlans(tx, subscription, at);
    for (const kind of WORK) await this.agenda.cancel(tx, kind, subscription.id);
    tx.em.assign(subscription, { status, cancelledAt: at, updatedAt: tx.now });
    await this.events.publish(tx, subscriptionCancelled, {
      ...named(subscription),
      last_period: last && periodPayload(last),
      final_invoice: subscription.finalInvoice,
    });
    return last;
  }

  /**
   * Rests from `at` on: the open period ends there, its boundaries stay where they are (MEANING "Periods": "A pause moves
   * no boundary"). @throws Problem 409 unless it is running.
   */
  async pause(tx: Tx, subscription: Subscription, pause: Pause, at: Date): Promise<void> {
    const resumesAs = subscription.status as RunningStatus;
    subscription.status = moved(subscription.status, 'paused');
    const last = (await openPeriodOf(tx, subscription.id))!;
    tx.em.assign(pause, { resumesAs, periodStart: last.startAt, periodEnd: last.endAt });
    tx.em.assign(pause, { status: move(PAUSE_MOVES, 'pause', pause.status, 'active'), startAt: at, updatedAt: tx.now });
    await this.cutPeriod(tx, subscription, last, { at, credited: isProrated(subscription) });
    await this.grants.rest(tx, subscription.id, at);
    await this.agenda.cancel(tx, 'period.close', subscription.id);
    await this.events.publish(tx, subscriptionPaused, {
      ...named(subscription),
      pause_id: pause.id,
      last_period: periodPayload(last),
    });
  }

  /** Goes on from `at` with the part that is left of the trial, or of the billing period of that time. */
  async resume(tx: Tx, subscription: Subscription, pause: Pause, at: Date): Promise<void> {
    const last = await latestPeriodOf(tx, subscription.id);
    const inTrial = subscription.trialEnd && at < subscription.trialEnd;
    const status = inTrial ? 'trialing' : pause.resumesAs === 'trialing' ? 'active' : pause.resumesAs!;
    tx.em.assign(pause, {
      status: move(PAUSE_MOVES, 'pause', pause.status, 'completed'),
      resumedAt: at,
      updatedAt: tx.now,
    });
    subscription.status = moved(subscription.status, status);
    await this.events.publish(tx, subscriptionResumed, { ...named(subscription), pause_id: pause.id });
    if (last.kind === 'trial' && status === 'active') {
      await this.events.publish(tx, subscriptionActivated, named(subscription));
    }
    const period = (await recordPeriod(tx, subscription, restFrom(subscription, at), last.number + 1))!;
    showPeriod(subscription, period, tx.now);
    await this.announcePeriod(tx, subscription, period, null);
    const grants = (await this.grants.current(tx, subscription.id)).filter(({ cadence }) => cadence === 'RECURRING');
    const periodEnd = period.endAt;
    await this.grants.beginInside(tx, subscription, grants, { at, periodEnd, prorated: isProrated(subscription) });
  }

  /** Another interval, set before, begins at `at`: the open period ends there and the first of the new interval opens. */
  async restart(tx: Tx, subscription: Subscription, at: Date, credited: boolean): Promise<void> {
    const last = (await openPeriodOf(tx, subscription.id))!;
    await this.cutPeriod(tx, subscription, last, { at, credited });
    await this.openPeriod(tx, subscription, firstPeriodOf(timeOf(subscription)), last);
  }

  /** An invoice was declined or is overdue. Only paid time can fall behind. */
  async fallBehind(tx: Tx, subscription: Subscription): Promise<void> {
    if (subscription.status === 'paused') return this.resumeAs(tx, subscription, 'active', 'past_due');
    if (subscription.status !== 'active') return;
    tx.em.assign(subscription, { status: moved(subscription.status, 'past_due'), updatedAt: tx.now });
    await this.events.publish(tx, subscriptionPastDue, named(subscription));
  }

  /** The last overdue invoice, or the first one of all, is paid: what has waited for it is given. */
  async recover(tx: Tx, subscription: Subscription): Promise<void> {
    if (subscription.status === 'paused') return this.resumeAs(tx, subscription, 'past_due', 'active');
    if (subscription.status === 'incomplete') return this.complete(tx, subscription);
    if (subscription.status !== 'past_due') return;
    tx.em.assign(subscription, { status: moved(subscription.status, 'active'), updatedAt: tx.now });
    await this.events.publish(tx, subscriptionRecovered, named(subscription));
    await this.grants.giveWaiting(tx, subscription);
  }

  private async complete(tx: Tx, subscription: Subscription): Promise<void> {
    await this.activate(tx, subscription);
    await this.grants.giveWaiting(tx, subscription);
  }

  private async activate(tx: Tx, subscription: Subscription): Promise<void> {
    tx.em.assign(subscription, { status: moved(subscription.status, 'active'), updatedAt: tx.now });
    await this.events.publish(tx, subscriptionActivated, named(subscription));
  }

  private async openPeriod(
    tx: Tx,
    subscription: Subscription,
    planned: PlannedPeriod,
    previous: Period | null,
  ): Promise<void> {
    const period = await recordPeriod(tx, subscription, planned, (previous?.number ?? 0) + 1);
    if (!period) return;
    showPeriod(subscription, period, tx.now);
    if (period.kind === 'trial') {
      subscription.status = moved(subscription.status, 'trialing');
    } else if (!previous && startsIncomplete(subscription)) {
      subscription.status = moved(subscription.status, 'incomplete');
    } else if (previous?.kind !== 'paid') {
      await this.activate(tx, subscription);
    }
    await this.announcePeriod(tx, subscription, period, previous);
  }

  private async announcePeriod(
    tx: Tx,
    subscription: Subscription,
    period: Period,
    previous: Period | null,
  ): Promise<void> {
    const { customerId, id: subjectId } = subscription;
    await this.agenda.schedule(tx, { kind: 'period.close', customerId, subjectId, dueAt: period.endAt });
    await this.events.publish(tx, periodOpened, {
      ...named(subscription),
      period: periodPayload(period),
      previous: previous && periodPayload(previous),
    });
  }

  /** Ends the open period at `at`, which may be before its end. */
  private async cutPeriod(
    tx: Tx,
    subscription: Subscription,
    period: Period,
    { at, credited }: { readonly at: Date; readonly credited: boolean },
  ): Promise<void> {
    if (at < period.endAt) tx.em.assign(period, { endAt: at, restCredited: credited });
    subscription.currentPeriodEnd = period.endAt;
    await this.closePeriod(tx, subscription, period);
  }

  /** What was to come for the subscription doesn't come any more. */
  private async forgetPlans(tx: Tx, { id: subscriptionId }: Subscription, at: Date): Promise<void> {
    const of = { environmentId: tx.scope.environmentId, subscriptionId };
    const pause = await tx.em.findOne(Pause, { ...of, status: { $in: ['scheduled', 'active'] } });
    if (pause) tx.em.assign(pause, { status: 'cancelled', updatedAt: tx.now });
    for (const plan of await tx.em.find(SubscriptionSchedule, { ...of, status: 'pending' })) {
      const done = plan.type === 'cancellation' && plan.scheduledAt <= at;
      tx.em.assign(plan, done ? { status: 'executed', executedAt: at } : { status: 'cancelled', cancelledAt: tx.now });
      plan.updatedAt = tx.now;
      if (plan.type === 'plan_change') await this.agenda.cancel(tx, 'plan.change', plan.id);
    }
  }

  private async resumeAs(tx: Tx, subscription: Subscription, from: RunningStatus, to: RunningStatus): Promise<void> {
    const pause = await tx.em.findOne(Pause, {
      environmentId: tx.scope.environmentId,
      subscriptionId: subscription.id,
      status: 'active',
    });
    if (pause?.resumesAs === from) tx.em.assign(pause, { resumesAs: to, updatedAt: tx.now });
  }

  private async closePeriod(tx: Tx, subscription: Subscription, period: Period): Promise<void> {
    tx.em.assign(period, { status: 'closed', updatedAt: tx.now });
    await this.events.publish(tx, periodClosed, { ...named(subscription), period: periodPayload(period) });
  }
}

function showPeriod(subscription: Subscription, { startAt, endAt }: Period, now: Date): void {
  Object.assign(subscription, { currentPeriodStart: startAt, currentPeriodEnd: endAt, updatedAt: now });
}

/** What is left from `at` on of the trial, or of the billing period that holds it. */
function restFrom(subscription: Subscription, at: Date): PlannedPeriod {
  const { trialEnd } = subscription;
  if (trialEnd && at < trialEnd) {
    const span = { start: at, end: trialEnd };
    return { kind: 'trial', span, whole: span };
  }
  const time = timeOf(subscription);
  const { firstPeriod, whole } = resumePeriod(paidTimeOf(time).anchor, time.cadence, at);
  return { kind: 'paid', span: firstPeriod, whole };
}

export const isProrated = ({ prorationBehavior }: Subscription): boolean => prorationBehavior === 'create_prorations';

/** All that may be due for a subscription itself. */
const WORK = [
  'subscription.start',
  'subscription.cancel',
  'subscription.pause',
  'subscription.resume',
  'period.close',
  'period.open',
] as const;

/** What the events of a subscription say of it. */
export const named = (subscription: Subscription) => ({
  subscription_id: subscription.id,
  customer_id: subscription.customerId,
  plan_id: subscription.planId,
  currency: subscription.currency,
});

async function endLineItems(tx: Tx, { id }: Subscription, at: Date): Promise<void> {
  const items = await tx.em.find(LineItem, { environmentId: tx.scope.environmentId, subscriptionId: id });
  for (const item of items) {
    const endDate = at > item.startDate ? at : item.startDate;
    if (!item.endDate || item.endDate > endDate) tx.em.assign(item, { endDate, updatedAt: tx.now });
  }
}
