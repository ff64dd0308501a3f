import { BILLING_PERIODS } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import type { PriceView } from '@drawdown/plans';
import { defineEntity, p } from '@mikro-orm/core';
import type { RuleCopy } from './rule-copy.js';

export const PRICE_TYPES = ['FIXED', 'USAGE'] as const;
export const INVOICE_CADENCES = ['ADVANCE', 'ARREAR'] as const;

const LineItemSchema = defineEntity({
  name: 'LineItem',
  tableName: 'subscription_line_item',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    planId: p.string(),
    planDisplayName: p.string(),
    priceId: p.string(),
    priceType: p.enum(PRICE_TYPES),
    displayName: p.string(),
    currency: p.string(),
    billingPeriod: p.enum(BILLING_PERIODS),
    billingPeriodCount: p.integer(),
    /** A fee's: before or after the period it is for. Usage is billed in arrears. */
    invoiceCadence: p.enum(INVOICE_CADENCES),
    /** Units of a fee; 0 for usage, whose quantity is metered. */
    quantity: amount(),
    meterId: p.string().nullable(),
    meterDisplayName: p.string().nullable(),
    /** The price (with its meter) as it was copied, as the wire shows it. */
    price: p.json<PriceView>(),
    /** The arithmetic of the same price with its meter and allowance; read it by `unitPriceOfItem` and `ruleOf`. */
    rule: p.json<RuleCopy>(),
    startDate: p.datetime(),
    endDate: p.datetime().nullable(),
    /** A fee is owed from here: the start, or without proration the end of the period the item began in. */
    feeFrom: p.datetime(),
    /** A fee is owed to here since a change ended the item; without proration, the end of that period. */
    feeUntil: p.datetime().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A price inside a subscription: its own copy, which edits of the catalogue don't reach. */
export class LineItem extends LineItemSchema.class {}
LineItemSchema.setClass(LineItem);
