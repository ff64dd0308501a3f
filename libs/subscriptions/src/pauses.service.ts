import { addDuration } from '@drawdown/billing-core';
import { Agenda, newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Lifecycle } from './lifecycle.service.js';
import { move, PAUSE_MOVES } from './lifecycles.js';
import { Pause } from './pause.entity.js';
import type { PauseBody, ResumeBody } from './pauses.dto.js';
import { isRunning } from './subscription-status.js';
import { Subscription } from './subscription.entity.js';
import { SubscriptionsService } from './subscriptions.service.js';

/** Subscriptions that rest for a time (MEANING "Periods": "A pause"). */
@Injectable()
export class Pauses {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly lifecycle: Lifecycle,
    private readonly agenda: Agenda,
  ) {}

  /** Pauses now, at an instant, or at the end of the period. @throws Problem 400, 404, 409 unless it is running. */
  async pause(tx: Tx, id: string, body: PauseBody): Promise<Pause> {
    const subscription = await this.subscriptions.claim(tx, id);
    const { status } = subscription;
    if (!isRunning(status)) throw Problem.state(`a subscription that is ${status} can't be paused`, status);
    if (await openPauseOf(tx, id)) throw Problem.state('a pause is planned already', 'scheduled');
    const startAt = startOf(subscription, body, tx.now);
    const endAt = endOf(subscription, body, startAt);
    const pause = tx.em.create(Pause, {
      id: newId('pause'),
      ...tx.scope,
      subscriptionId: id,
      customerId: subscription.customerId,
      mode: body.pause_mode,
      status: 'scheduled',
      startAt,
      endAt,
      resumedAt: null,
      resumesAs: null,
      periodStart: null,
      periodEnd: null,
      reason: body.reason ?? null,
      metadata: body.metadata ?? {},
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    const work = { customerId: subscription.customerId, subjectId: id };
    await this.agenda.schedule(tx, { ...work, kind: 'subscription.pause', dueAt: startAt });
    if (endAt) await this.agenda.schedule(tx, { ...work, kind: 'subscription.resume', dueAt: endAt });
    await this.agenda.catchUp(tx, subscription.customerId);
    return pause;
  }

  /** Resumes now, or withdraws a pause that has not begun. @throws Problem 404, 409 when there is none. */
  async resume(tx: Tx, id: string, body: ResumeBody): Promise<Pause> {
    const subscription = await this.subscriptions.claim(tx, id);
    const pause = await openPauseOf(tx, id);
    if (!pause)
      throw Problem.state(`a subscription that is ${subscription.status} can't be resumed`, subscription.status);
    if (body.metadata) pause.metadata = { ...pause.metadata, ...body.metadata };
    await this.agenda.cancel(tx, 'subscription.pause', id);
    await this.agenda.cancel(tx, 'subscription.resume', id);
    const { status } = pause;
    if (status === 'scheduled') {
      tx.em.assign(pause, { status: move(PAUSE_MOVES, 'pause', status, 'cancelled'), updatedAt: tx.now });
    } else await this.lifecycle.resume(tx, subscription, pause, tx.now);
    await this.agenda.catchUp(tx, subscription.customerId);
    return pause;
  }

  /** Due work `subscription.pause`; a subscription that ended or rests meanwhile is left alone. */
  async begin(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    const pause = await openPauseOf(tx, subscription.id);
    if (pause?.status !== 'scheduled' || !isRunning(subscription.status)) return;
    await this.lifecycle.pause(tx, subscription, pause, at);
  }

  /** Due work `subscription.resume`. */
  async end(tx: Tx, subscription: Subscription, at: Date): Promise<void> {
    const pause = await openPauseOf(tx, subscription.id);
    if (pause?.status === 'active') await this.lifecycle.resume(tx, subscription, pause, at);
  }

  /** Of a subscription, newest first. @throws Problem 404. */
  async of(tx: Tx, id: string): Promise<Pause[]> {
    await this.subscriptions.get(tx, id);
    return tx.em.find(
      Pause,
      { environmentId: tx.scope.environmentId, subscriptionId: id },
      { orderBy: [{ startAt: 'desc' }, { id: 'desc' }] },
    );
  }
}

/** The pause that is not over; a subscription has one at most. */
const openPauseOf = (tx: Tx, subscriptionId: string): Promise<Pause | null> =>
  tx.em.findOne(Pause, {
    environmentId: tx.scope.environmentId,
    subscriptionId,
    status: { $in: ['scheduled', 'active'] },
  });

/** @throws Problem 400 when mode and start don't fit. */
function startOf(subscription: Subscription, { pause_mode: mode, pause_start: start }: PauseBody, now: Date): Date {
  if (mode === 'scheduled') {
    if (!start) throw Problem.invalid('pause_start', 'is required with pause_mode scheduled');
    if (new Date(start) <= now) throw Problem.invalid('pause_start', `must lie after ${now.toISOString()}`);
    return new Date(start);
  }
  if (start) throw Problem.invalid('pause_start', 'makes sense only with pause_mode scheduled');
  return mode === 'immediate' ? now : subscription.currentPeriodEnd!;
}

/** Days are counted on the wall clock of the subscription. @throws Problem 400 for an end that is not after the start. */
function endOf({ customerTimezone: zone }: Subscription, body: PauseBody, startAt: Date): Date | null {
  const { pause_end: end, pause_days: days } = body;
  if (end && days) throw Problem.invalid('pause_days', 'and pause_end exclude each other');
  if (days) return addDuration(startAt, 'DAY', days, zone);
  if (!end) return null;
  if (new Date(end) <= startAt) throw Problem.invalid('pause_end', `must lie after ${startAt.toISOString()}`);
  return new Date(end);
}
