import type { BillingPeriod } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { recurs, type Price } from './price.entity.js';

/** An interval of billing, as a subscription or a price has it. */
interface Interval {
  readonly billingPeriod: BillingPeriod;
  readonly billingPeriodCount: number;
}

/** What a customer wants to subscribe to. */
export interface Wanted extends Interval {
  readonly currency: string;
  /** The start: what is offered at that instant is taken. */
  readonly at: Date;
  /** The request's own trial; without one the plan's prices decide. */
  readonly trialDays?: number | null;
}

/**
 * Of the prices offered at the time, those of the subscription's currency and interval (MEANING, "Periods").
 * @throws Problem 400 naming what is available: nothing in the currency, nothing at the interval, or a meter that is
 * priced at another interval only.
 */
export function pricesOnOffer(offered: readonly Price[], wanted: Wanted): Price[] {
  const inCurrency = offered.filter((price) => price.currency === wanted.currency);
  if (inCurrency.length === 0) {
    const sold = listed(offered.map((price) => price.currency)) || 'nothing at that time';
    throw Problem.invalid('currency', `${wanted.currency} is not offered by the plan, which is sold in ${sold}`);
  }
  const taken = inCurrency.filter((price) => interval(price) === interval(wanted));
  if (taken.length === 0) {
    const sold = listed(inCurrency.map(interval));
    throw Problem.invalid('billing_period', `${interval(wanted)} is not offered in ${wanted.currency}, but ${sold} is`);
  }
  const meters = new Set(taken.map((price) => price.meterId));
  const left = inCurrency.find((price) => price.type === 'USAGE' && !meters.has(price.meterId));
  if (left) {
    throw Problem.invalid(
      'billing_period',
      `${interval(wanted)} leaves out the usage of price ${left.id}, which is offered ${interval(left)} only`,
    );
  }
  return taken;
}

/**
 * The days of trial: the request's, else those that the recurring FIXED prices agree on, 0 without any (MEANING, "Periods").
 * @throws Problem 400 when they differ.
 */
export function trialDaysOn(prices: readonly Price[], { trialDays }: Wanted): number {
  if (trialDays !== undefined && trialDays !== null) return trialDays;
  const fixed = prices.filter((price) => price.type === 'FIXED' && recurs(price));
  const days = new Set(fixed.map((price) => price.trialPeriodDays));
  if (days.size > 1) {
    const each = fixed.map((price) => `${price.id}: ${price.trialPeriodDays}`).join(', ');
    throw Problem.invalid(
      'trial_period_days',
      `of the plan's prices differs (${each}): give the subscription one of its own`,
    );
  }
  return [...days][0] ?? 0;
}

const interval = ({ billingPeriod, billingPeriodCount: count }: Interval): string =>
  count === 1 ? billingPeriod : `${count} x ${billingPeriod}`;

const listed = (values: readonly string[]): string => [...new Set(values)].sort().join(', ');
