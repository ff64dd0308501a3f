import { Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { move, SCHEDULE_MOVES } from './lifecycles.js';
import { PlanChanges } from './plan-changes.service.js';
import { PlannedCancellations } from './planned-cancellations.service.js';
import { SubscriptionSchedule } from './subscription-schedule.entity.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** Everything that is planned for subscriptions: changes of plan and cancellations, those that are over too. */
@Injectable()
export class Schedules {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly changes: PlanChanges,
    private readonly cancellations: PlannedCancellations,
  ) {}

  /** The subscription goes on as if it had not been planned. @throws Problem 404, 409 unless it still waits. */
  async cancel(tx: Tx, scheduleId: string): Promise<SubscriptionSchedule> {
    const { subscriptionId } = await this.get(tx, scheduleId);
    const subscription = await this.subscriptions.claim(tx, subscriptionId);
    const schedule = await this.get(tx, scheduleId);
    move(SCHEDULE_MOVES, 'planned change', schedule.status, 'cancelled');
    if (schedule.type === 'plan_change') await this.changes.withdraw(tx, schedule);
    else await this.cancellations.withdraw(tx, subscription);
    return schedule;
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<SubscriptionSchedule> {
    const { environmentId } = tx.scope;
    const schedule = await tx.em.findOne(SubscriptionSchedule, { environmentId, id }, { refresh: true });
    if (!schedule) throw Problem.notFound('schedule', id);
    return schedule;
  }

  /** Newest first. */
  find(
    tx: Tx,
    of: { readonly subscriptionId?: string; readonly pendingOnly?: boolean },
    page: { readonly limit?: number; readonly offset?: number } = {},
  ): Promise<[SubscriptionSchedule[], number]> {
    return tx.em.findAndCount(
      SubscriptionSchedule,
      {
        environmentId: tx.scope.environmentId,
        ...(of.subscriptionId ? { subscriptionId: of.subscriptionId } : {}),
        ...(of.pendingOnly ? { status: 'pending' as const } : {}),
      },
      { ...page, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] },
    );
  }
}
