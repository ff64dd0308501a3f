import { Agenda, newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { isProrated } from './lifecycle.service.js';
import { move, SCHEDULE_MOVES } from './lifecycles.js';
import { SubscriptionSchedule, type CancellationTerms } from './subscription-schedule.entity.js';
import type { Subscription } from './subscription.entity.js';

/**
 * When a subscription ends: at its agreed end, or before it by a cancellation that waits and can be withdrawn. Only the
 * latter stands among the planned changes. Callers hold the customer's lock.
 */
@Injectable()
export class PlannedCancellations {
  constructor(private readonly agenda: Agenda) {}

  /** Plans a cancellation, which an agreed end before it stays; takes the place of one that waits. @returns its instant. */
  async plan(tx: Tx, subscription: Subscription, at: Date, type: CancellationTerms['cancellationType']): Promise<Date> {
    const { id: subscriptionId, customerId, endDate } = subscription;
    const scheduledAt = endDate && endDate < at ? endDate : at;
    const configuration: CancellationTerms = { cancellationType: type, reason: subscription.cancelReason ?? null };
    const waiting = await this.waiting(tx, subscriptionId);
    if (waiting && +waiting.scheduledAt === +scheduledAt) {
      tx.em.assign(waiting, { configuration, updatedAt: tx.now });
    } else {
      await this.forget(tx, waiting);
      tx.em.create(SubscriptionSchedule, {
        id: newId('sched'),
        ...tx.scope,
        subscriptionId,
        customerId,
        type: 'cancellation',
        status: 'pending',
        configuration,
        scheduledAt,
        executedAt: null,
        cancelledAt: null,
        errorMessage: null,
        metadata: {},
        createdAt: tx.now,
        updatedAt: tx.now,
      });
    }
    subscription.cancelAtPeriodEnd = type === 'end_of_period';
    await this.endAt(tx, subscription, scheduledAt);
    return scheduledAt;
  }

  /** The subscription goes on, up to its agreed end if it has one, which is billed as if nothing had been planned. */
  async withdraw(tx: Tx, subscription: Subscription): Promise<void> {
    await this.forget(tx, await this.waiting(tx, subscription.id));
    tx.em.assign(subscription, {
      cancelAt: null,
      cancelAtPeriodEnd: false,
      cancelReason: null,
      finalInvoice: true,
      cancelProrated: isProrated(subscription),
      updatedAt: tx.now,
    });
    if (subscription.endDate) return this.endAt(tx, subscription, subscription.endDate);
    await this.agenda.cancel(tx, 'subscription.cancel', subscription.id);
  }

  /** It ends at that instant by itself. */
  async endAt(tx: Tx, subscription: Subscription, dueAt: Date): Promise<void> {
    const { customerId, id: subjectId } = subscription;
    subscription.cancelAt = dueAt;
    await this.agenda.schedule(tx, { kind: 'subscription.cancel', customerId, subjectId, dueAt });
  }

  private waiting(tx: Tx, subscriptionId: string): Promise<SubscriptionSchedule | null> {
    const { environmentId } = tx.scope;
    return tx.em.findOne(SubscriptionSchedule, {
      environmentId,
      subscriptionId,
      type: 'cancellation',
      status: 'pending',
    });
  }

  private async forget(tx: Tx, waiting: SubscriptionSchedule | null): Promise<void> {
    if (!waiting) return;
    const status = move(SCHEDULE_MOVES, 'planned cancellation', waiting.status, 'cancelled');
    tx.em.assign(waiting, { status, cancelledAt: tx.now, updatedAt: tx.now });
    await tx.em.flush();
  }
}
