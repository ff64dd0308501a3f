import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { PAUSE_STATUSES } from './lifecycles.js';
import { RUNNING_STATUSES } from './subscription-status.js';

export const PAUSE_MODES = ['immediate', 'scheduled', 'period_end'] as const;

const PauseSchema = defineEntity({
  name: 'Pause',
  tableName: 'subscription_pause',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    mode: p.enum(PAUSE_MODES),
    status: p.enum(PAUSE_STATUSES),
    startAt: p.datetime(),
    /** When it is to resume by itself; null = when it is told to. */
    endAt: p.datetime().nullable(),
    resumedAt: p.datetime().nullable(),
    /** The subscription's status after it; null until it has begun. */
    resumesAs: p.enum(RUNNING_STATUSES).nullable(),
    /** The period it cut short, as that was to be. */
    periodStart: p.datetime().nullable(),
    periodEnd: p.datetime().nullable(),
    reason: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A time in which a subscription rests; it has one at most that is not over. */
export class Pause extends PauseSchema.class {}
PauseSchema.setClass(Pause);
