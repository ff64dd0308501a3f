import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Instant, Nullable } from './event.js';

const subscription = { subscription_id: Id, customer_id: Id, plan_id: Id, currency: Currency };

/** A period of a subscription, `[start, end)`; `whole` is the full period a partial one is a part of. */
export const PeriodPayload = Type.Object({
  period_id: Id,
  number: Type.Integer({ minimum: 1 }),
  kind: Type.Enum(['trial', 'paid']),
  start: Instant,
  end: Instant,
  whole_start: Instant,
  whole_end: Instant,
});

export const subscriptionCreated = defineEvent('subscription.created', 'A customer was subscribed to a plan', {
  ...subscription,
  status: Type.Enum(['draft', 'trialing', 'active', 'incomplete']),
});
export const subscriptionActivated = defineEvent(
  'subscription.activated',
  'Paid time began: at the start without a trial, at the end of one, or when a draft started',
  subscription,
);
export const periodOpened = defineEvent(
  'subscription.period_opened',
  'A trial or a billing period began; `previous` is the one it follows',
  { ...subscription, period: PeriodPayload, previous: Nullable(PeriodPayload) },
);
export const periodClosed = defineEvent('subscription.period_closed', 'A trial or a billing period ended', {
  ...subscription,
  period: PeriodPayload,
});
export const subscriptionCancelled = defineEvent(
  'subscription.cancelled',
  'A subscription ended; `last_period` is the one the cancellation closed, null for a draft',
  { ...subscription, last_period: Nullable(PeriodPayload), final_invoice: Type.Boolean() },
);
export const planChanged = defineEvent(
  'subscription.plan_changed',
  'A subscription went over to another plan or interval; `plan_id` is the new plan',
  { ...subscription, previous_plan_id: Id, at: Instant },
);
export const itemsChanged = defineEvent(
  'subscription.items_changed',
  'Line items of a running subscription ended and began; `prorated` says whether their fees do so at that instant',
  {
    ...subscription,
    change_id: Id,
    at: Instant,
    /** The open period; null while paused. */
    period_id: Nullable(Id),
    ended: Type.Array(Id),
    begun: Type.Array(Id),
    prorated: Type.Boolean(),
  },
);
export const subscriptionPaused = defineEvent(
  'subscription.paused',
  'A subscription rests: `last_period` is the one the pause closed',
  { ...subscription, pause_id: Id, last_period: PeriodPayload },
);
export const subscriptionResumed = defineEvent('subscription.resumed', 'A paused subscription goes on', {
  ...subscription,
  pause_id: Id,
});
export const subscriptionPastDue = defineEvent(
  'subscription.past_due',
  'An invoice of the subscription was declined or unpaid at its due date',
  subscription,
);
export const subscriptionRecovered = defineEvent(
  'subscription.recovered',
  'The last overdue invoice of a past-due subscription was paid',
  subscription,
);
export const grantDue = defineEvent('credit_grant.due', 'A credit grant of a subscription fell due', {
  ...subscription,
  /** One application gives one lot, whatever runs twice. */
  application_id: Id,
  grant_name: Type.String(),
  period_id: Nullable(Id),
  recurring: Type.Boolean(),
  credits: Amount,
  effective_at: Instant,
  expires_at: Nullable(Instant),
  priority: Nullable(Type.Integer()),
  conversion_rate: Nullable(Amount),
  topup_conversion_rate: Nullable(Amount),
});
