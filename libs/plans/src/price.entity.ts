import { BILLING_PERIODS, type UnitPrice } from '@drawdown/billing-core';
import { amount, archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const priceTypes = ['FIXED', 'USAGE'] as const;
export const billingModels = ['FLAT_FEE', 'PACKAGE', 'TIERED'] as const;
export const invoiceCadences = ['ADVANCE', 'ARREAR'] as const;

const PriceSchema = defineEntity({
  name: 'Price',
  tableName: 'price',
  properties: {
    ...archivable,
    planId: p.string(),
    type: p.enum(priceTypes),
    billingModel: p.enum(billingModels),
    billingPeriod: p.enum(BILLING_PERIODS),
    billingPeriodCount: p.integer(),
    invoiceCadence: p.enum(invoiceCadences),
    currency: p.string(),
    /** Money for a unit of usage, or for the whole period. */
    amount: amount(),
    /** What a USAGE price counts by; a FIXED one has none. */
    meterId: p.string().nullable(),
    trialPeriodDays: p.integer(),
    /** Offered in `[startDate, endDate)`; null = from ever, for ever. */
    startDate: p.datetime().nullable(),
    endDate: p.datetime().nullable(),
    lookupKey: p.string().nullable(),
    displayName: p.string().nullable(),
    description: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** Money for a time (FIXED) or for use (USAGE). Its money never changes: a line item keeps the copy it was made with. */
export class Price extends PriceSchema.class {}
PriceSchema.setClass(Price);

/** The price of a quantity, as the arithmetic takes it. */
export const unitPriceOf = (price: Price): UnitPrice => ({ model: 'FLAT_FEE', amount: price.amount });
