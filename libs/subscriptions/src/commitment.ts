import { Decimal, type Commitment } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import type { LineItem } from './line-item.entity.js';
import type { CreateSubscriptionBody } from './subscriptions.dto.js';
import type { Subscription } from './subscription.entity.js';

type CommitmentFields = Pick<
  CreateSubscriptionBody,
  | 'commitment_amount'
  | 'commitment_duration'
  | 'overage_factor'
  | 'enable_true_up'
  | 'billing_period'
  | 'billing_period_count'
>;

/** What a request promises to use of each billing period. @throws Problem 400 for terms that make no sense. */
export function requestedCommitment(body: CommitmentFields) {
  const { commitment_amount: amount, overage_factor: factor, enable_true_up: trueUp } = body;
  if (!amount) {
    const stray = (['overage_factor', 'enable_true_up', 'commitment_duration'] as const).find((field) => body[field]);
    if (stray) throw Problem.invalid(stray, 'makes sense only with commitment_amount');
    return { commitmentAmount: null, overageFactor: null, trueUp: false };
  }
  const { billing_period: billingPeriod, billing_period_count: count } = body;
  assertDuration(body.commitment_duration, { billingPeriod, billingPeriodCount: count ?? 1 });
  return { commitmentAmount: new Decimal(amount), overageFactor: new Decimal(factor ?? 1), trueUp: trueUp ?? false };
}

/** @throws Problem 400 when there is no usage that could be promised. */
export function assertCommittable(
  { commitmentAmount }: Pick<Subscription, 'commitmentAmount'>,
  items: readonly LineItem[],
): void {
  if (commitmentAmount && !items.some(({ priceType }) => priceType === 'USAGE')) {
    throw Problem.invalid('commitment_amount', 'is a promise of usage, and the subscription has none');
  }
}

/** What a subscription as a whole has promised to use of a billing period; null = nothing. */
export function commitmentOf({ commitmentAmount, overageFactor, trueUp }: Subscription): Commitment | null {
  return commitmentAmount && overageFactor ? { amount: commitmentAmount, overageFactor, trueUp } : null;
}

/** A promise is for a billing period. @throws Problem 400 for one of several, or of a part. */
export function assertDuration(
  duration: CommitmentFields['commitment_duration'],
  { billingPeriod, billingPeriodCount }: Pick<Subscription, 'billingPeriod' | 'billingPeriodCount'>,
): void {
  if (!duration || (duration === billingPeriod && billingPeriodCount === 1)) return;
  throw Problem.unsupported('commitment_duration', 'must be the billing period: leave it out');
}
