import { Problem, type Tx } from '@drawdown/platform';
import type { PlansService } from '@drawdown/plans';
import { copyPrice } from './copies.js';
import type { LineItem } from './line-item.entity.js';
import type { CreateLineItemBody } from './line-items.dto.js';
import { override } from './override.js';
import type { Subscription } from './subscription.entity.js';

/**
 * The item of a price of any plan, beside those the subscription has of its own, from `at` on.
 * @throws Problem 400 for a price that isn't sold in the subscription's currency and interval, 404 for an unknown one.
 */
export async function addedItem(
  tx: Tx,
  plans: PlansService,
  subscription: Subscription,
  { body, at }: { readonly body: CreateLineItemBody; readonly at: Date },
): Promise<LineItem> {
  const { currency, billingPeriod, billingPeriodCount } = subscription;
  const planId = await plans.planOfPrice(tx, body.price_id);
  const offer = await plans.offer(tx, planId, { currency, billingPeriod, billingPeriodCount, at, trialDays: 0 });
  const price = offer.prices.find(({ id }) => id === body.price_id);
  if (!price) throw Problem.invalid('price_id', `is not offered in ${currency}, ${billingPeriod}, at that time`);
  const item = copyPrice(tx, subscription, offer, price, at);
  item.displayName = body.display_name ?? item.displayName;
  if (body.metadata) item.metadata = body.metadata;
  override(item, { quantity: body.quantity });
  return item;
}

/** Items that a new subscription has from its start. @throws Problem as `addedItem`, naming the item. */
export async function addItems(
  tx: Tx,
  plans: PlansService,
  subscription: Subscription,
  bodies: readonly CreateLineItemBody[],
): Promise<LineItem[]> {
  const items: LineItem[] = [];
  for (const [place, body] of bodies.entries()) {
    const within = `line_items[${place}]`;
    if (body.start_date || body.end_date) {
      throw Problem.unsupported(within, 'of a new subscription has no dates: add it later, or end it then');
    }
    try {
      items.push(await addedItem(tx, plans, subscription, { body, at: subscription.startDate }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { field } = error.details;
      throw new Problem(error.code, `${within}: ${error.message}`, {
        ...error.details,
        field: field ? `${within}.${field}` : within,
      });
    }
  }
  return items;
}
