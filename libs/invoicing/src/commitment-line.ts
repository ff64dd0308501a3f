import { type BillLine, type Commitment, displayAmount, roundMoney, text } from '@drawdown/billing-core';
import { commitmentOf, type BilledItem, type Subscription } from '@drawdown/subscriptions';
import { amountsOf, type LineContent } from './invoice-content.js';
import type { CommitmentNote } from './invoice.entity.js';

type CommitmentLine = BillLine & Pick<LineContent, 'due'> & { commitment: NonNullable<BillLine['commitment']> };

export const isOfCommitment = (line: BillLine & Pick<LineContent, 'due'>): line is CommitmentLine =>
  Boolean(line.commitment);

/** What a commitment adds, the subscription's or one of its items': a fee of the period whose usage it is about. */
export function commitmentLine(
  line: CommitmentLine,
  subscription: Subscription,
  items: readonly BilledItem[],
): LineContent {
  const item = items.find(({ id }) => id === line.itemId);
  const ofPlan = item ?? items.findLast(({ planId }) => planId === subscription.planId);
  const terms = (item ? item.commitment : commitmentOf(subscription))!;
  const name = nameOf(line, terms, subscription.currency);
  return {
    lineItemId: item?.id ?? null,
    priceId: item?.priceId ?? null,
    priceType: 'FIXED',
    planId: item ? item.planId : subscription.planId,
    planDisplayName: ofPlan?.planDisplayName ?? null,
    meterId: null,
    meterDisplayName: null,
    displayName: item ? `${item.displayName}, ${name}` : `${name[0]!.toUpperCase()}${name.slice(1)}`,
    ...amountsOf(line),
    commitment: {
      ...resultOf(line),
      type: item?.promisedQuantity ? 'quantity' : 'amount',
      quantity: item?.promisedQuantity ?? null,
      overage_factor: text(terms.overageFactor),
      true_up_enabled: terms.trueUp,
      duration: subscription.billingPeriod,
    },
    metadata: item?.metadata ?? {},
  };
}

function nameOf({ commitment: { kind, promised } }: CommitmentLine, terms: Commitment, currency: string): string {
  const commitment = `commitment of ${displayAmount(roundMoney(promised, currency), currency)}`;
  return kind === 'true_up'
    ? `${commitment}: what was not used`
    : `${commitment}: usage beyond it at ${text(terms.overageFactor)} times its price`;
}

const resultOf = ({ commitment, periodId }: CommitmentLine) =>
  ({
    kind: commitment.kind,
    period_id: periodId,
    promised: text(commitment.promised),
    utilized: text(commitment.utilized),
    overage: text(commitment.overage),
    true_up: text(commitment.trueUp),
  }) satisfies Partial<CommitmentNote>;
