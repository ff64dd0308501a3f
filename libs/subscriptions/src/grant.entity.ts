import { BILLING_PERIODS, DURATION_UNITS } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { SUBSCRIPTION_STATUSES } from './subscription-status.js';

const SubscriptionGrantSchema = defineEntity({
  name: 'SubscriptionGrant',
  tableName: 'subscription_grant',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    /** The plan's grant; of one made with the subscription its own id. */
    planGrantId: p.string(),
    planId: p.string().nullable(),
    /** The subscription left the plan: nothing more is given. */
    endedAt: p.datetime().nullable(),
    name: p.string(),
    cadence: p.enum(['ONETIME', 'RECURRING'] as const),
    credits: amount(),
    /** The step of a recurring grant; a one-time grant has none. */
    period: p.enum(BILLING_PERIODS).nullable(),
    periodCount: p.integer(),
    expirationType: p.enum(['NEVER', 'DURATION', 'BILLING_CYCLE'] as const),
    expirationDuration: p.integer().nullable(),
    expirationUnit: p.enum(DURATION_UNITS).nullable(),
    /** Lower is burnt first, none last. */
    priority: p.integer().nullable(),
    /** Of a wallet opened for the grant; 1 without. */
    conversionRate: amount().nullable(),
    topupConversionRate: amount().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A subscription's own copy of a plan's credit grant. */
export class SubscriptionGrant extends SubscriptionGrantSchema.class {}
SubscriptionGrantSchema.setClass(SubscriptionGrant);

/** `skipped`: its share of the credits rounds to nothing. */
export const APPLICATION_STATUSES = ['pending', 'applied', 'skipped', 'cancelled'] as const;

const CreditGrantApplicationSchema = defineEntity({
  name: 'CreditGrantApplication',
  tableName: 'credit_grant_application',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    grantId: p.string(),
    /** The start of the paid time whose steps are counted; a change of interval begins another count. */
    countedFrom: p.datetime(),
    /** Counts a recurring grant's steps from 0, the start of paid time. */
    step: p.integer(),
    recurring: p.boolean(),
    credits: amount(),
    /** The lot takes effect, and its expiry counts, from here, whenever it is given. */
    scheduledFor: p.datetime(),
    stepEnd: p.datetime(),
    expiresAt: p.datetime().nullable(),
    status: p.enum(APPLICATION_STATUSES),
    appliedAt: p.datetime().nullable(),
    /** The subscription's status when it was applied. */
    subscriptionStatus: p.enum(SUBSCRIPTION_STATUSES).nullable(),
  },
});

/** One lot that a grant gives or is going to give: one per grant and step. */
export class CreditGrantApplication extends CreditGrantApplicationSchema.class {}
CreditGrantApplicationSchema.setClass(CreditGrantApplication);
