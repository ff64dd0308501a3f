import { type BillLine, displayAmount, roundMoney, text } from '@drawdown/billing-core';
import type { BilledItem, Subscription } from '@drawdown/subscriptions';
import type { LineContent } from './invoice-content.js';
import type { CommitmentNote } from './invoice.entity.js';

type CommitmentLine = BillLine & Pick<LineContent, 'due'> & { commitment: NonNullable<BillLine['commitment']> };

export const isOfCommitment = (line: BillLine & Pick<LineContent, 'due'>): line is CommitmentLine =>
  Boolean(line.commitment);

/** A line that no item but the subscription's commitment has: a fee of the period whose usage it is about. */
export const commitmentLine = (
  line: CommitmentLine,
  subscription: Subscription,
  items: readonly BilledItem[],
): LineContent => ({
  lineItemId: null,
  priceId: null,
  priceType: 'FIXED',
  planId: subscription.planId,
  planDisplayName: items.findLast(({ planId }) => planId === subscription.planId)?.planDisplayName ?? null,
  meterId: null,
  meterDisplayName: null,
  displayName: nameOf(line, subscription),
  periodStart: line.span.start,
  periodEnd: line.span.end,
  quantity: line.quantity,
  freeUnits: line.free,
  gross: line.gross,
  waived: line.waived,
  creditsApplied: line.credits,
  due: line.due,
  commitment: noteOf(line, subscription),
  metadata: {},
});

function nameOf({ commitment: { kind, promised } }: CommitmentLine, { currency, overageFactor }: Subscription): string {
  const commitment = `Commitment of ${displayAmount(roundMoney(promised, currency), currency)}`;
  return kind === 'true_up'
    ? `${commitment}: what was not used`
    : `${commitment}: usage beyond it at ${text(overageFactor!)} times its price`;
}

const noteOf = ({ commitment, periodId }: CommitmentLine, subscription: Subscription): CommitmentNote => ({
  kind: commitment.kind,
  period_id: periodId,
  promised: text(commitment.promised),
  utilized: text(commitment.utilized),
  overage: text(commitment.overage),
  true_up: text(commitment.trueUp),
  overage_factor: text(subscription.overageFactor!),
  true_up_enabled: subscription.trueUp,
  duration: subscription.billingPeriod,
});
