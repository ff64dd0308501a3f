import { Problem } from '@drawdown/platform';
import Stripe from 'stripe';

/** Older ones are refused: a copy of a delivery can't be played back for long. */
const TOLERANCE_SECONDS = 300;
/** By so much may the sender's clock be ahead of ours; the client library itself lets any future pass. */
const SKEW_SECONDS = 60;

interface Delivery {
  /** The bytes as they came. */
  readonly body: Buffer;
  readonly header: string | string[] | undefined;
  readonly secrets: readonly string[];
  /** When it came, real time. */
  readonly at: Date;
}

/**
 * The event of a delivery that one of the secrets has signed, not long ago (reference "Stripe, 3").
 * @throws Problem 400 for anything else; what is wrong is told only as far as the sender needs it.
 */
export function verifiedEvent({ body, header, secrets, at }: Delivery): Stripe.Event {
  if (typeof header !== 'string' || header === '') throw Problem.invalid('Stripe-Signature', 'is missing');
  const timestamps = [...header.matchAll(/(?:^|,)t=([^,]*)/g)];
  if (timestamps.length !== 1) throw Problem.invalid('Stripe-Signature', 'must carry one timestamp');
  if (Number.parseInt(timestamps[0]![1]!, 10) > at.getTime() / 1000 + SKEW_SECONDS) {
    throw Problem.invalid('Stripe-Signature', 'has a timestamp in the future');
  }
  if (!secrets.some((secret) => isSigned(secret, { body, header, at }))) {
    throw Problem.invalid('Stripe-Signature', 'does not match the body, or is too old');
  }
  const event = parsed(body);
  if (!isEvent(event)) throw Problem.invalid('body', 'is not an event');
  return event;
}

function isSigned(secret: string, { body, header, at }: { body: Buffer; header: string; at: Date }): boolean {
  try {
    return Stripe.webhooks.signature!.verifyHeader(body, header, secret, TOLERANCE_SECONDS, undefined, at.getTime());
  } catch {
    return false;
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

function isEvent(value: unknown): value is Stripe.Event {
  const event = value as Partial<Stripe.Event> | null;
  const subject = event?.data?.object as { id?: unknown } | undefined;
  return (
    typeof event?.id === 'string' &&
    /^evt_\w{1,250}$/.test(event.id) &&
    typeof event.type === 'string' &&
    typeof event.livemode === 'boolean' &&
    Number.isInteger(event.created) &&
    typeof subject?.id === 'string'
  );
}
