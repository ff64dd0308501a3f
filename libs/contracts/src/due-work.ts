/**
 * What can fall due for a customer, in the order in which it happens when several fall due at one instant
 * (MEANING.md, "At one instant"): ends and changes, lots and holds expire, periods close, periods open, grants, events that waited
 * for the period and usage that costs without one, then write-offs, finalizations, dunning; alerts and automatic top-up look only at the state after all of it.
 */
export const dueWorkOrder = [
  'subscription.start',
  'subscription.cancel',
  'subscription.expire',
  'subscription.pause',
  'subscription.resume',
  'plan.change',
  'line_item.change',
  'hold.expire',
  'price.sync',
  'period.close',
  'period.open',
  'grant.give',
  'usage.retry',
  'usage.accrue',
  'lot.write_off',
  'invoice.finalize',
  'invoice.fall_due',
  'dunning.step',
  'checkout.expire',
  'payment.retry',
  'refund.retry',
  'wallet.look',
] as const;

export type DueWorkKind = (typeof dueWorkOrder)[number];

/** One thing to do for a customer at an instant. `subjectId` names what it is about (a subscription, a lot, an invoice). */
export interface DueWork {
  readonly kind: DueWorkKind;
  readonly customerId: string;
  readonly subjectId: string;
  readonly dueAt: Date;
}
