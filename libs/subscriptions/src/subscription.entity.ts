import { BILLING_CYCLES, BILLING_PERIODS, type SubscriptionTime } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { SUBSCRIPTION_STATUSES } from './subscription-status.js';

export const PRORATION_BEHAVIORS = ['create_prorations', 'none'] as const;
export const COLLECTION_METHODS = ['charge_automatically', 'send_invoice'] as const;
/**
 * What a subscription is until its first invoice is paid. `default_active`: active all the same. The others: `incomplete`;
 * `allow_incomplete` charges the saved card at once, `error_if_incomplete` is refused when that fails,
 * `default_incomplete` waits for the customer to pay.
 */
export const PAYMENT_BEHAVIORS = [
  'default_active',
  'allow_incomplete',
  'error_if_incomplete',
  'default_incomplete',
] as const;
export type PaymentBehavior = (typeof PAYMENT_BEHAVIORS)[number];
/** Days from finalization to the due date. */
export const PAYMENT_TERMS = ['15 NET', '30 NET', '45 NET', '60 NET', '75 NET', '90 NET'] as const;

const SubscriptionSchema = defineEntity({
  name: 'Subscription',
  tableName: 'subscription',
  properties: {
    ...owned,
    customerId: p.string(),
    planId: p.string(),
    lookupKey: p.string().nullable(),
    currency: p.string(),
    status: p.enum(SUBSCRIPTION_STATUSES),
    billingCycle: p.enum(BILLING_CYCLES),
    billingPeriod: p.enum(BILLING_PERIODS),
    billingPeriodCount: p.integer(),
    /** All boundaries of paid time are counted from here. */
    billingAnchor: p.datetime(),
    /** IANA zone whose wall clock the periods go by; copied at creation. */
    customerTimezone: p.string(),
    /** Whether a first partial period (and the grants cut by it) is billed and given by its share or in full. */
    prorationBehavior: p.enum(PRORATION_BEHAVIORS),
    collectionMethod: p.enum(COLLECTION_METHODS),
    paymentTerms: p.enum(PAYMENT_TERMS).nullable(),
    /** What it is until its first invoice is paid. */
    paymentBehavior: p.enum(PAYMENT_BEHAVIORS),
    /** Money of usage that is promised of each billing period; null = none. Usage beyond costs its price times the factor. */
    commitmentAmount: amount().nullable(),
    overageFactor: amount().nullable(),
    /** Whether what was promised and not used is charged. */
    trueUp: p.boolean(),
    startDate: p.datetime(),
    /** A draft that starts when it is activated, not by itself. */
    awaitsActivation: p.boolean(),
    /** Days of trial, where they decide its end; null where the request named the end, or there is none. */
    trialDays: p.integer().nullable(),
    /** The trial is `[startDate, trialEnd)`; null without one. */
    trialEnd: p.datetime().nullable(),
    /** Paid time is counted anew from here: the last change of interval. Null without one. */
    paidFrom: p.datetime().nullable(),
    /** Cancelled by agreement at this instant. */
    endDate: p.datetime().nullable(),
    /** Null until the subscription has started. */
    currentPeriodStart: p.datetime().nullable(),
    currentPeriodEnd: p.datetime().nullable(),
    /** When it is going to be cancelled, if that is known. */
    cancelAt: p.datetime().nullable(),
    cancelAtPeriodEnd: p.boolean(),
    cancelReason: p.string().nullable(),
    /** Whether the cancellation bills what is unbilled. */
    finalInvoice: p.boolean(),
    /** Whether an end inside a period gives back the advance fees of the rest. */
    cancelProrated: p.boolean(),
    cancelledAt: p.datetime().nullable(),
    metadata: p.json<Record<string, string>>(),
    version: p.integer().version(),
  },
});

/** A customer on a plan. */
export class Subscription extends SubscriptionSchema.class {}
SubscriptionSchema.setClass(Subscription);

/** What the arithmetic needs to know of a subscription to tell its periods. */
export const timeOf = (subscription: Subscription): SubscriptionTime => ({
  start: subscription.paidFrom ?? subscription.startDate,
  trialEnd: subscription.paidFrom ? null : (subscription.trialEnd ?? null),
  cycle: subscription.billingCycle,
  cadence: {
    billingPeriod: subscription.billingPeriod,
    count: subscription.billingPeriodCount,
    zone: subscription.customerTimezone,
  },
});
