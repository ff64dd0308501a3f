import { BILLING_PERIODS, DURATION_UNITS } from '@drawdown/billing-core';
import { amount, archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const grantCadences = ['ONETIME', 'RECURRING'] as const;
export const expirationTypes = ['NEVER', 'DURATION', 'BILLING_CYCLE'] as const;

const CreditGrantSchema = defineEntity({
  name: 'CreditGrant',
  tableName: 'credit_grant',
  properties: {
    ...archivable,
    planId: p.string(),
    name: p.string(),
    cadence: p.enum(grantCadences),
    credits: amount(),
    /** The step of a RECURRING grant; a ONETIME one has none. */
    period: p.enum(BILLING_PERIODS).nullable(),
    periodCount: p.integer(),
    expirationType: p.enum(expirationTypes),
    expirationDuration: p.integer().nullable(),
    expirationUnit: p.enum(DURATION_UNITS).nullable(),
    /** Lower is burnt first, none last. */
    priority: p.integer().nullable(),
    /** Money = credits x rate, of a wallet that is opened for the grant; null = 1. */
    conversionRate: amount().nullable(),
    topupConversionRate: amount().nullable(),
    /** Copied by subscriptions that start in `[startDate, endDate)`; null = from ever, for ever. */
    startDate: p.datetime().nullable(),
    endDate: p.datetime().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** The rule by which a plan gives credits. A subscription keeps the copy it was made with. */
export class CreditGrant extends CreditGrantSchema.class {}
CreditGrantSchema.setClass(CreditGrant);
