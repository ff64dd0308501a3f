import { defineEntity, p } from '@mikro-orm/core';

/**
 * `received`: to be handled, at `next_attempt_at`. `handled`: its effect is committed. `ignored`: somebody else's.
 * `parked`: given up after many tries; waits, with the reason, for a person to run it again.
 */
export const EVENT_STATUSES = ['received', 'handled', 'ignored', 'parked'] as const;

const StripeEventSchema = defineEntity({
  name: 'StripeEvent',
  tableName: 'stripe_event',
  properties: {
    environmentId: p.string().primary(),
    /** Stripe's (`evt_…`); with several environments at one account each has its own row. */
    id: p.string().primary(),
    tenantId: p.string(),
    type: p.string(),
    objectId: p.string(),
    /** By Stripe's clock; the other instants are real time too: a delivery is transport. */
    happenedAt: p.datetime(),
    status: p.enum(EVENT_STATUSES),
    attempts: p.integer(),
    nextAttemptAt: p.datetime(),
    lastError: p.string().nullable(),
    receivedAt: p.datetime(),
    settledAt: p.datetime().nullable(),
  },
});

/** The inbox: one row for each event Stripe told an environment of. Read through it, written by set-wise SQL. */
export class StripeEvent extends StripeEventSchema.class {}
StripeEventSchema.setClass(StripeEvent);
