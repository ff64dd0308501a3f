import { firstPeriodOf, periodAfter, type PlannedPeriod } from '@drawdown/billing-core';
import {
  periodClosed,
  periodOpened,
  subscriptionActivated,
  subscriptionCancelled,
  subscriptionPastDue,
  subscriptionRecovered,
} from '@drawdown/contracts';
import { Agenda, EventBus, newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { Grants } from './grants.service.js';
import { LineItem } from './line-item.entity.js';
import { Period } from './period.entity.js';
import { isRunning, moved } from './subscription-status.js';
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
    if (subscription.status !== 'draft') return;
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
    if (last) {
      if (at < last.endAt) last.endAt = at;
      await this.closePeriod(tx, subscription, last);
    }
    await endLineItems(tx, subscription, at);
    await this.grants.cancelPending(tx, subscription.id);
    for (const kind of ['subscription.start', 'subscription.cancel', 'period.close', 'period.open'] as const) {
      await this.agenda.cancel(tx, kind, subscription.id);
    }
    tx.em.assign(subscription, {
      status,
      cancelledAt: at,
      currentPeriodEnd: last?.endAt ?? null,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, subscriptionCancelled, {
      ...named(subscription),
      last_period: last && periodPayload(last),
      final_invoice: subscription.finalInvoice,
    });
    return last;
  }

  /** An invoice was declined or is overdue. Only paid time can fall behind. */
  async fallBehind(tx: Tx, subscription: Subscription): Promise<void> {
    if (subscription.status !== 'active') return;
    tx.em.assign(subscription, { status: moved(subscription.status, 'past_due'), updatedAt: tx.now });
    await this.events.publish(tx, subscriptionPastDue, named(subscription));
  }

  /** The last overdue invoice is paid: what has waited for it is given. */
  async recover(tx: Tx, subscription: Subscription): Promise<void> {
    if (subscription.status !== 'past_due') return;
    tx.em.assign(subscription, { status: moved(subscription.status, 'active'), updatedAt: tx.now });
    await this.events.publish(tx, subscriptionRecovered, named(subscription));
    await this.grants.giveWaiting(tx, subscription);
  }

  private async openPeriod(
    tx: Tx,
    subscription: Subscription,
    planned: PlannedPeriod,
    previous: Period | null,
  ): Promise<void> {
    const period = await recordPeriod(tx, subscription, planned, (previous?.number ?? 0) + 1);
    if (!period) return;
    const { startAt: currentPeriodStart, endAt: currentPeriodEnd } = period;
    tx.em.assign(subscription, { currentPeriodStart, currentPeriodEnd, updatedAt: tx.now });
    if (period.kind === 'trial') {
      subscription.status = moved(subscription.status, 'trialing');
    } else if (previous?.kind !== 'paid') {
      subscription.status = moved(subscription.status, 'active');
      await this.events.publish(tx, subscriptionActivated, named(subscription));
    }
    const { customerId, id: subjectId } = subscription;
    await this.agenda.schedule(tx, { kind: 'period.close', customerId, subjectId, dueAt: period.endAt });
    await this.events.publish(tx, periodOpened, {
      ...named(subscription),
      period: periodPayload(period),
      previous: previous && periodPayload(previous),
    });
  }

  private async closePeriod(tx: Tx, subscription: Subscription, period: Period): Promise<void> {
    tx.em.assign(period, { status: 'closed', updatedAt: tx.now });
    await this.events.publish(tx, periodClosed, { ...named(subscription), period: periodPayload(period) });
  }
}

/** The open period; a subscription has one at most. */
export const openPeriodOf = (tx: Tx, subscriptionId: string): Promise<Period | null> =>
  tx.em.findOne(Period, { environmentId: tx.scope.environmentId, subscriptionId, status: 'open' });

/** What the events of a subscription say of it. */
export const named = (subscription: Subscription) => ({
  subscription_id: subscription.id,
  customer_id: subscription.customerId,
  plan_id: subscription.planId,
  currency: subscription.currency,
});

const periodPayload = (period: Period) => ({
  period_id: period.id,
  number: period.number,
  kind: period.kind,
  start: period.startAt.toISOString(),
  end: period.endAt.toISOString(),
  whole_start: period.wholeStart.toISOString(),
  whole_end: period.wholeEnd.toISOString(),
});

/** The new period, or null when it was recorded before. */
async function recordPeriod(
  tx: Tx,
  subscription: Subscription,
  { kind, span, whole }: PlannedPeriod,
  number: number,
): Promise<Period | null> {
  const id = newId('period');
  const inserted = await sql`
    insert into subscription_period
      (id, tenant_id, environment_id, subscription_id, customer_id, number, kind, start_at, end_at,
       whole_start, whole_end, status, created_at, updated_at)
    values (${id}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${subscription.id}, ${subscription.customerId},
            ${number}, ${kind}, ${span.start}, ${span.end}, ${whole.start}, ${whole.end}, 'open', ${tx.now}, ${tx.now})
    on conflict on constraint subscription_period_number do nothing
    returning id`.execute(tx.db);
  if (inserted.rows.length === 0) return null;
  return tx.em.findOneOrFail(Period, { environmentId: tx.scope.environmentId, id });
}

async function endLineItems(tx: Tx, { id, startDate }: Subscription, at: Date): Promise<void> {
  const items = await tx.em.find(LineItem, { environmentId: tx.scope.environmentId, subscriptionId: id });
  const endDate = at > startDate ? at : startDate;
  for (const item of items) {
    if (!item.endDate || item.endDate > endDate) tx.em.assign(item, { endDate, updatedAt: tx.now });
  }
}
