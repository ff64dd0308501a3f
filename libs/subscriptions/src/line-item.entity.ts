import { BILLING_PERIODS } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import type { PriceView } from '@drawdown/plans';
import { defineEntity, p } from '@mikro-orm/core';
import type { RuleCopy } from './rule-copy.js';

export const PRICE_TYPES = ['FIXED', 'USAGE'] as const;
export const INVOICE_CADENCES = ['ADVANCE', 'ARREAR'] as const;

export const COMMITMENT_TYPES = ['amount', 'quantity'] as const;

/** What is promised of a line item's usage, as plain JSON; amounts are exact text. */
export interface ItemCommitment {
  readonly type: (typeof COMMITMENT_TYPES)[number];
  /** Money of a full billing period; of a promised quantity what it costs. */
  readonly amount: string;
  /** Units, of a promised quantity. */
  readonly quantity: string | null;
  readonly overage_factor: string;
  readonly true_up: boolean;
}

const LineItemSchema = defineEntity({
  name: 'LineItem',
  tableName: 'subscription_line_item',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    /** Null where the price was agreed with this customer: no plan has it. */
    planId: p.string().nullable(),
    planDisplayName: p.string().nullable(),
    priceId: p.string(),
    priceType: p.enum(PRICE_TYPES),
    displayName: p.string(),
    currency: p.string(),
    billingPeriod: p.enum(BILLING_PERIODS),
    billingPeriodCount: p.integer(),
    /** A fee's: before or after the period it is for. Usage is billed in arrears. */
    invoiceCadence: p.enum(INVOICE_CADENCES),
    /** A fee that is asked once, when paid time begins; never given back. */
    once: p.boolean(),
    /** Units of a fee; 0 for usage, whose quantity is metered. */
    quantity: amount(),
    meterId: p.string().nullable(),
    meterDisplayName: p.string().nullable(),
    /** The price (with its meter) as it was copied, as the wire shows it. */
    price: p.json<PriceView>(),
    /** The arithmetic of the same price with its meter and allowance; read it by `unitPriceOfItem` and `ruleOf`. */
    rule: p.json<RuleCopy>(),
    /** What is promised of its usage; null = nothing. */
    commitment: p.json<ItemCommitment>().nullable(),
    startDate: p.datetime(),
    endDate: p.datetime().nullable(),
    /** A fee is owed from here: the start, or without proration the end of the period the item began in. */
    feeFrom: p.datetime(),
    /** A fee is owed to here since a change ended the item; without proration, the end of that period. Of what is asked once: a change charged it here. */
    feeUntil: p.datetime().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** A price inside a subscription: its own copy, which edits of the catalogue don't reach. */
export class LineItem extends LineItemSchema.class {}
LineItemSchema.setClass(LineItem);

/** The change instant belongs to the new side only. */
export const runsAt = ({ startDate, endDate }: Pick<LineItem, 'startDate' | 'endDate'>, at: Date): boolean =>
  startDate <= at && (!endDate || endDate > at);

/** The versions of a price have one. */
export const familyOf = ({ price, priceId }: Pick<LineItem, 'price' | 'priceId'>): string =>
  price.parent_price_id ?? priceId;
