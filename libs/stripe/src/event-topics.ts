import type Stripe from 'stripe';
import { idOf } from './stripe-api.js';

/** The events we act on, by what is read again to learn the truth (reference "Stripe, 9"). */
const topics = {
  payment_intent: [
    'payment_intent.succeeded',
    'payment_intent.payment_failed',
    'payment_intent.processing',
    'payment_intent.requires_action',
    'payment_intent.canceled',
  ],
  checkout_session: [
    'checkout.session.completed',
    'checkout.session.async_payment_succeeded',
    'checkout.session.async_payment_failed',
    'checkout.session.expired',
  ],
  payment_method: [
    'payment_method.attached',
    'payment_method.detached',
    'payment_method.automatically_updated',
    'payment_method.updated',
  ],
  refund: ['refund.created', 'refund.updated', 'refund.failed'],
  dispute: [
    'charge.dispute.created',
    'charge.dispute.updated',
    'charge.dispute.closed',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.funds_reinstated',
  ],
  customer: ['customer.deleted'],
} as const satisfies Record<string, readonly Stripe.WebhookEndpointCreateParams.EnabledEvent[]>;

export type Topic = keyof typeof topics;

export const handledTypes = Object.values(topics).flat();

const topicByType = new Map<string, Topic>(
  (Object.keys(topics) as Topic[]).flatMap((topic) => topics[topic].map((type) => [type, topic] as const)),
);

/** What an event is about, or null when we don't act on it. */
export const topicOf = (type: string): Topic | null => topicByType.get(type) ?? null;

/** What the inbox keeps of an event: which object to look at. Its body, frozen when it was made, is never used. */
export interface Notice {
  readonly id: string;
  readonly type: string;
  readonly objectId: string;
  readonly happenedAt: Date;
}

export function noticeOf(event: Stripe.Event): Notice {
  const subject = event.data.object as { id?: string };
  return { id: event.id, type: event.type, objectId: subject.id ?? '', happenedAt: new Date(event.created * 1000) };
}

/** The PaymentIntent of an event that names no customer but what the customer has paid; null of any other. */
export function paymentIntentOf(event: Stripe.Event): string | null {
  if (topicOf(event.type) !== 'dispute' && topicOf(event.type) !== 'refund') return null;
  return idOf((event.data.object as { payment_intent?: string | { id: string } | null }).payment_intent);
}

/** Stripe's customer an event is about, to find the environment that should look; null when it names none. */
export function customerOf(event: Stripe.Event): string | null {
  const subject = event.data.object as { id?: string; customer?: string | { id: string } | null };
  if (topicOf(event.type) === 'customer') return subject.id ?? null;
  const before = event.data.previous_attributes as { customer?: string | null } | undefined;
  return idOf(subject.customer) ?? before?.customer ?? null;
}
