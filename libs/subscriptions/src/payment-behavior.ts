import { firstPeriodOf } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { timeOf, type COLLECTION_METHODS, type PaymentBehavior, type Subscription } from './subscription.entity.js';

interface Wanted {
  readonly payment_behavior?: PaymentBehavior | null;
  readonly collection_method?: (typeof COLLECTION_METHODS)[number] | null;
}

/** @throws Problem 400 for a charge where invoices are sent. */
export function requestedPaymentBehavior({ payment_behavior, collection_method }: Wanted): PaymentBehavior {
  const behavior = payment_behavior ?? 'default_active';
  const charges = behavior === 'allow_incomplete' || behavior === 'error_if_incomplete';
  if (charges && collection_method === 'send_invoice') {
    throw Problem.invalid('payment_behavior', `${behavior} charges a card, and send_invoice charges none`);
  }
  return behavior;
}

/**
 * @throws Problem 400 for a first period that is over when the first payment is asked for, or for a refusal of what is
 * not paid now when nothing is asked for now.
 */
export function assertPayableAtStart(subscription: Subscription, now: Date): void {
  const { paymentBehavior, startDate, awaitsActivation } = subscription;
  if (paymentBehavior === 'default_active') return;
  if (paymentBehavior === 'error_if_incomplete' && (awaitsActivation || startDate > now)) {
    throw Problem.invalid('payment_behavior', 'error_if_incomplete needs a subscription that starts now');
  }
  if (firstPeriodOf(timeOf(subscription)).span.end <= now) {
    throw Problem.invalid('payment_behavior', 'other than default_active needs a first period that is not over');
  }
}

/** Whether the subscription is incomplete from the start of paid time until that is paid. After a trial it is active anyway. */
export const startsIncomplete = ({ paymentBehavior, trialEnd }: Subscription): boolean =>
  paymentBehavior !== 'default_active' && !trialEnd;
