/**
 * The lifecycles of the domain: for each status those that may follow. One table per lifecycle; a status that none
 * follows is final.
 */

/** A subscription. MEANING "Periods" (trial, future start, cancel, pause) and "Credits bought, and unpaid bills". */
export const SUBSCRIPTION_MOVES = {
  /** a future start, or created as a draft */
  draft: ['incomplete', 'trialing', 'active', 'cancelled'],
  /** waits for its first payment; only from `payment_behavior` at creation */
  incomplete: ['trialing', 'active', 'cancelled'],
  trialing: ['active', 'past_due', 'paused', 'cancelled'],
  active: ['past_due', 'paused', 'cancelled'],
  past_due: ['active', 'paused', 'cancelled'],
  paused: ['trialing', 'active', 'past_due', 'cancelled'],
  cancelled: [],
} as const;

/** An invoice's document. MEANING "Invoices": immutable once finalized; void needs one on which nothing was paid. */
export const INVOICE_MOVES = {
  DRAFT: ['FINALIZED', 'VOIDED'],
  FINALIZED: ['VOIDED'],
  VOIDED: [],
} as const;

/** What is paid of an invoice. */
export const INVOICE_PAYMENT_MOVES = {
  PENDING: ['PROCESSING', 'SUCCEEDED', 'FAILED'],
  PROCESSING: ['PENDING', 'SUCCEEDED', 'FAILED'],
  /** declined or overdue; dunning tries again */
  FAILED: ['PENDING', 'PROCESSING', 'SUCCEEDED'],
  SUCCEEDED: ['PARTIALLY_REFUNDED', 'REFUNDED'],
  PARTIALLY_REFUNDED: ['REFUNDED'],
  REFUNDED: [],
} as const;

/** One step of a credit grant. MEANING "Credits bought, and unpaid bills": grants wait as `pending` until the bill is paid. */
export const GRANT_APPLICATION_MOVES = {
  pending: ['applied', 'failed', 'skipped', 'cancelled'],
  failed: ['pending', 'applied', 'cancelled'],
  applied: [],
  skipped: [],
  cancelled: [],
} as const;

/** A reservation of credits. MEANING "Authorization and holds": capture of an ended hold is refused. */
export const HOLD_MOVES = {
  open: ['captured', 'released', 'expired'],
  captured: [],
  released: [],
  expired: [],
} as const;

/** One charge of a card. DESIGN "Money through Stripe": committed first; an unknown outcome blocks until it is resolved. */
export const PAYMENT_ATTEMPT_MOVES = {
  /** committed, not yet sent */
  prepared: ['succeeded', 'declined', 'requires_action', 'processing', 'unknown', 'cancelled'],
  /** sent, and no answer came: nobody may charge again until the gateway has been asked */
  unknown: ['succeeded', 'declined', 'requires_action', 'processing', 'cancelled'],
  /** the gateway settles it later */
  processing: ['succeeded', 'declined', 'cancelled'],
  /** the customer must confirm */
  requires_action: ['succeeded', 'declined', 'processing', 'unknown', 'cancelled'],
  succeeded: [],
  declined: [],
  cancelled: [],
} as const;

export type SubscriptionStatus = keyof typeof SUBSCRIPTION_MOVES;
export type InvoiceStatus = keyof typeof INVOICE_MOVES;
export type InvoicePaymentStatus = keyof typeof INVOICE_PAYMENT_MOVES;
export type GrantApplicationStatus = keyof typeof GRANT_APPLICATION_MOVES;
export type HoldStatus = keyof typeof HOLD_MOVES;
export type PaymentAttemptStatus = keyof typeof PAYMENT_ATTEMPT_MOVES;

/** A lifecycle: each status with those that may follow it. */
export type Moves<S extends string> = { readonly [status in S]: readonly S[] };

/** True when `to` may follow `from`. Staying is no move. */
export function canMove<S extends string>(moves: Moves<S>, from: S, to: S): boolean {
  return moves[from].includes(to);
}

/** True when nothing follows a status. */
export function isFinal<S extends string>(moves: Moves<S>, status: S): boolean {
  return moves[status].length === 0;
}

/** All statuses of a lifecycle, in the table's order. */
export function statusesOf<S extends string>(moves: Moves<S>): S[] {
  return Object.keys(moves) as S[];
}
