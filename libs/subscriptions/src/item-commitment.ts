import { commitmentAmount, Decimal, MAX_AMOUNT, text, ZERO, type Commitment } from '@drawdown/billing-core';
import { Problem, within } from '@drawdown/platform';
import { assertDuration } from './commitment.js';
import type { ItemCommitment, LineItem } from './line-item.entity.js';
import type { CommittedFields, LineItemCommitmentBody } from './line-items.dto.js';
import { unitPriceOfItem } from './rule-copy.js';
import type { Subscription } from './subscription.entity.js';
import type { CreateSubscriptionBody } from './subscriptions.dto.js';

/** True when a request says anything of a commitment; where nothing is promised yet, switching off says nothing. */
export function commits(body: CommittedFields, held: ItemCommitment | null = null): boolean {
  const said = [
    body.commitment_amount,
    body.commitment_quantity,
    body.commitment_type,
    body.commitment_duration,
    body.commitment_overage_factor,
    body.commitment_true_up_enabled,
  ];
  return said.some((value) => (held ? value !== undefined && value !== null : Boolean(value)));
}

/** A commitment with what a request says otherwise; what it leaves out stays. */
export function changedCommitment(body: CommittedFields, held: ItemCommitment | null): CommittedFields {
  if (!held) return body;
  const anew = body.commitment_amount || body.commitment_quantity;
  return {
    commitment_amount: anew ? body.commitment_amount : held.quantity ? null : held.amount,
    commitment_quantity: anew ? body.commitment_quantity : held.quantity,
    commitment_type: body.commitment_type,
    commitment_duration: body.commitment_duration,
    commitment_overage_factor: body.commitment_overage_factor ?? held.overage_factor,
    commitment_true_up_enabled: body.commitment_true_up_enabled ?? held.true_up,
  };
}

/** The one spelling of a commitment in the other. */
const committedFields = ({ overage_factor, enable_true_up, ...promise }: LineItemCommitmentBody): CommittedFields => ({
  ...promise,
  commitment_overage_factor: overage_factor,
  commitment_true_up_enabled: enable_true_up,
});

/**
 * Promises usage of the item. @throws Problem 400 for a fee, for terms that make no sense, and beside a promise of the
 * subscription as a whole, which counts all usage.
 */
export function commit(item: LineItem, body: CommittedFields, subscription: Subscription): void {
  const { commitment_amount: amount, commitment_quantity: quantity, commitment_type: type } = body;
  if (!amount && !quantity) {
    throw Problem.invalid('commitment_amount', 'or commitment_quantity is required: what is promised');
  }
  if (amount && quantity) throw Problem.invalid('commitment_quantity', 'and commitment_amount exclude each other');
  const field = amount ? 'commitment_amount' : 'commitment_quantity';
  if (item.priceType === 'FIXED') throw Problem.invalid(field, 'is a promise of usage, and this is a fee');
  if (subscription.commitmentAmount) throw Problem.invalid(field, 'is promised by the subscription as a whole already');
  const given = amount ? 'amount' : 'quantity';
  if (type && type !== given) throw Problem.invalid('commitment_type', `is ${given}: that is what is promised`);
  assertDuration(body.commitment_duration, subscription);
  const promised = amount ? new Decimal(amount) : costOf(item, quantity!);
  if (promised.lte(ZERO)) throw Problem.invalid(field, "costs nothing at the item's price");
  item.commitment = {
    type: given,
    amount: text(promised),
    quantity: quantity ?? null,
    overage_factor: body.commitment_overage_factor ?? '1',
    true_up: body.commitment_true_up_enabled ?? false,
  };
}

/** @throws Problem as `commit`, naming the price; for one that the subscription doesn't have. */
export async function commitItems(
  items: readonly LineItem[],
  promises: CreateSubscriptionBody['line_item_commitments'],
  subscription: Subscription,
): Promise<void> {
  for (const [priceId, body] of promises ?? []) {
    const item = items.find((one) => one.priceId === priceId);
    if (!item) throw Problem.invalid('line_item_commitments', `names ${priceId}, which is none of its prices`);
    await within(`line_item_commitments.${priceId}`, () => commit(item, committedFields(body), subscription));
  }
}

/**
 * What goes over to an item that takes the place of another: a promised quantity at its own price.
 * @throws Problem 400 for more than can be billed.
 */
export function keepCommitment(item: LineItem, { commitment }: Pick<LineItem, 'commitment'>): void {
  item.commitment = commitment ?? null;
  if (commitment?.quantity) item.commitment = { ...commitment, amount: text(costOf(item, commitment.quantity)) };
}

/** What so many units of the item cost. */
function costOf(item: LineItem, quantity: string): Decimal {
  const cost = commitmentAmount(unitPriceOfItem(item), new Decimal(quantity));
  if (cost.gt(MAX_AMOUNT)) throw Problem.invalid('commitment_quantity', 'costs more than can be billed');
  return cost;
}

/** The promise of a line item, as the arithmetic takes it. */
export const itemCommitmentOf = (commitment: ItemCommitment | null): Commitment | null =>
  commitment && {
    amount: new Decimal(commitment.amount),
    overageFactor: new Decimal(commitment.overage_factor),
    trueUp: commitment.true_up,
  };
