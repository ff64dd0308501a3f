import {
  directionOf,
  ONE,
  paidTimeOf,
  periodContaining,
  priceOf,
  startPaidTime,
  sum,
  type Cadence,
  type Decimal,
} from '@drawdown/billing-core';
import { recurs, unitPriceOf, type Offer } from '@drawdown/plans';
import { runsAt, type LineItem } from './line-item.entity.js';
import { unitPriceOfItem } from './rule-copy.js';
import type { PlanChangeTerms } from './subscription-schedule.entity.js';
import { timeOf, type Subscription } from './subscription.entity.js';

export type ChangeDirection = ReturnType<typeof directionOf>;

/** Whether time costs more or less from a change of plan on: the fees of whole periods, before it and after. */
export function directionOfChange(
  subscription: Subscription,
  items: readonly LineItem[],
  { terms, offer, at }: { readonly terms: PlanChangeTerms; readonly offer: Offer; readonly at: Date },
): ChangeDirection {
  const time = timeOf(subscription);
  const period = periodContaining(paidTimeOf(time).anchor, time.cadence, at);
  const cadence: Cadence = {
    billingPeriod: terms.billingPeriod,
    count: terms.billingPeriodCount,
    zone: subscription.customerTimezone,
  };
  const same =
    cadence.billingPeriod === time.cadence.billingPeriod &&
    cadence.count === time.cadence.count &&
    terms.billingCycle === time.cycle;
  const running = items.filter((item) => runsAt(item, at));
  // Items of other plans stay, unless the interval is another.
  const staying = same ? running.filter(({ planId }) => planId !== subscription.planId) : [];
  const offered = offer.prices
    .filter((price) => price.type === 'FIXED' && recurs(price))
    .map((price) => priceOf(unitPriceOf(price), ONE));
  return directionOf(
    { fee: sum(feesOf(running)), period },
    {
      fee: sum([...offered, ...feesOf(staying)]),
      period: same ? period : startPaidTime(at, terms.billingCycle, cadence).whole,
    },
  );
}

const feesOf = (items: readonly LineItem[]): Decimal[] =>
  items
    .filter(({ priceType, once }) => priceType === 'FIXED' && !once)
    .map((item) => priceOf(unitPriceOfItem(item), item.quantity));
