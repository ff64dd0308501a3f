import { canMove, type Moves } from '@drawdown/billing-core';

/** What an invoice can become. A draft that has nothing to bill is dropped: its row is deleted. */
export const INVOICE_STATUSES = ['DRAFT', 'FINALIZED', 'VOIDED'] as const;
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];
export const INVOICE_MOVES = {
  DRAFT: ['FINALIZED'],
  FINALIZED: ['VOIDED'],
  /** Only by money: a credit purchase that was paid after its page had expired. */
  VOIDED: ['FINALIZED'],
} as const satisfies Moves<InvoiceStatus>;

/** How far an invoice is paid. A decline doesn't take back part of a payment; nothing takes back a paid one. */
export const INVOICE_PAYMENT_STATUSES = ['PENDING', 'FAILED', 'SUCCEEDED', 'OVERPAID'] as const;
export type InvoicePaymentStatus = (typeof INVOICE_PAYMENT_STATUSES)[number];
export const INVOICE_PAYMENT_MOVES = {
  PENDING: ['FAILED', 'SUCCEEDED', 'OVERPAID'],
  FAILED: ['FAILED', 'SUCCEEDED', 'OVERPAID'],
  SUCCEEDED: ['OVERPAID'],
  OVERPAID: ['OVERPAID'],
} as const satisfies Moves<InvoicePaymentStatus>;

/**
 * A collection of an invoice: by a saved card (with attempts), on a hosted page, by credits or otherwise. INITIATED: made,
 * and processed when somebody says so. Open while PENDING or PROCESSING.
 */
export const PAYMENT_STATUSES = [
  'INITIATED',
  'PENDING',
  'PROCESSING',
  'SUCCEEDED',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
  'FAILED',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];
export const PAYMENT_MOVES = {
  INITIATED: ['PENDING', 'FAILED'],
  PENDING: ['PROCESSING', 'SUCCEEDED', 'FAILED'],
  PROCESSING: ['PROCESSING', 'SUCCEEDED', 'FAILED'],
  /** Tried again, or paid after all. */
  FAILED: ['PENDING', 'SUCCEEDED', 'FAILED'],
  /** Money goes back; a refund that fails later brings it here again. */
  SUCCEEDED: ['PARTIALLY_REFUNDED', 'REFUNDED'],
  PARTIALLY_REFUNDED: ['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'],
  REFUNDED: ['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'],
} as const satisfies Moves<PaymentStatus>;

/**
 * One charge of a saved card. `created`: committed, surely not sent. `sent`: may be under way. `unknown`: the answer was
 * lost. `processing`: the gateway says so. These four are open and block any other collection of the invoice.
 */
export const ATTEMPT_STATES = [
  'created',
  'sent',
  'unknown',
  'processing',
  'succeeded',
  'failed',
  'requires_customer',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];
export const ATTEMPT_MOVES = {
  created: ['sent'],
  sent: ['unknown', 'processing', 'succeeded', 'failed', 'requires_customer'],
  unknown: ['unknown', 'processing', 'succeeded', 'failed', 'requires_customer'],
  processing: ['processing', 'succeeded', 'failed', 'requires_customer'],
  /** Success is never undone, and news of it is always believed: messages of the gateway come in any order. */
  succeeded: [],
  failed: ['succeeded'],
  requires_customer: ['succeeded'],
} as const satisfies Moves<AttemptState>;
const OPEN_ATTEMPT_STATES: readonly AttemptState[] = ['created', 'sent', 'unknown', 'processing'];
export const isOpen = ({ state }: { readonly state: AttemptState }): boolean => OPEN_ATTEMPT_STATES.includes(state);

/** A hosted page. `created`: committed, its address not known yet. A page paid late is believed, whatever it was. */
export const CHECKOUT_STATUSES = ['created', 'open', 'complete', 'expired', 'failed'] as const;
export type CheckoutStatus = (typeof CHECKOUT_STATUSES)[number];
export const CHECKOUT_MOVES = {
  created: ['open', 'complete', 'expired', 'failed'],
  open: ['complete', 'expired', 'failed'],
  complete: [],
  expired: ['complete'],
  failed: ['complete'],
} as const satisfies Moves<CheckoutStatus>;

/**
 * Money given back. `created`: committed, surely not sent. `sent`: may be under way. `unknown`: the answer was lost.
 * `pending`: the gateway says it is on its way.
 */
export const REFUND_STATES = ['created', 'sent', 'unknown', 'pending', 'succeeded', 'failed'] as const;
export type RefundState = (typeof REFUND_STATES)[number];
export const REFUND_MOVES = {
  created: ['sent'],
  sent: ['unknown', 'pending', 'succeeded', 'failed'],
  unknown: ['unknown', 'pending', 'succeeded', 'failed'],
  pending: ['pending', 'succeeded', 'failed'],
  /** The bank may send it back, days later. */
  succeeded: ['failed'],
  failed: [],
} as const satisfies Moves<RefundState>;

/** A customer who takes money back at its bank. */
export const DISPUTE_STAGES = ['open', 'won', 'lost'] as const;
export type DisputeStage = (typeof DISPUTE_STAGES)[number];
export const DISPUTE_MOVES = {
  open: ['won', 'lost'],
  won: [],
  /** An appeal was heard. */
  lost: ['won'],
} as const satisfies Moves<DisputeStage>;

/** Credits bought by an invoice: on their way, in the wallet, never to come, or paid for a wallet that is closed. */
export const PURCHASE_STATES = ['pending', 'granted', 'dropped', 'stranded'] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];
export const PURCHASE_MOVES = {
  pending: ['granted', 'dropped', 'stranded'],
  granted: [],
  /** Paid after its invoice had been withdrawn: money is the truth. */
  dropped: ['granted', 'stranded'],
  stranded: [],
} as const satisfies Moves<PurchaseState>;

/** An invoice being asked for again: paid, void, or out of steps; money that comes after those heals it too. */
export const DUNNING_STATES = ['running', 'healed', 'withdrawn', 'exhausted'] as const;
export type DunningState = (typeof DUNNING_STATES)[number];
export const DUNNING_MOVES = {
  running: ['healed', 'withdrawn', 'exhausted'],
  healed: [],
  withdrawn: [],
  exhausted: ['healed'],
} as const satisfies Moves<DunningState>;

/** The state to go to. @throws Error for a move the lifecycle doesn't know: a programming error, nothing is recorded. */
export function move<State extends string>(moves: Moves<State>, from: State, to: State): State {
  if (!canMove(moves, from, to)) throw new Error(`no move from ${from} to ${to}`);
  return to;
}
