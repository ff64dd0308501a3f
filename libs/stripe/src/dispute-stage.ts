import type Stripe from 'stripe';

/** How far a dispute has come, as far as money goes: withdrawn while it is open, back when it is won, gone when it is lost. */
export type DisputeStage = 'open' | 'won' | 'lost';

/** Null for what takes no money: a bank's inquiry, or a dispute that was settled before it began. */
export function stageOf(status: Stripe.Dispute.Status): DisputeStage | null {
  switch (status) {
    case 'needs_response':
    case 'under_review':
      return 'open';
    case 'won':
      return 'won';
    case 'lost':
      return 'lost';
    case 'appeal_needs_response':
    case 'appeal_under_review':
    case 'prevented':
    case 'warning_needs_response':
    case 'warning_under_review':
    case 'warning_closed':
    default:
      return null;
  }
}
