import { amount } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

/** Why an event, or its part on one line item, was not billed. */
export const UNBILLED_REASONS = [
  'unknown_customer',
  'customer_mismatch',
  'no_match',
  'bad_property',
  'period_settled',
] as const;
export type UnbilledReason = (typeof UNBILLED_REASONS)[number];

/** What an event did on one line item. Amounts are exact decimals as text; money in the item's currency. */
export interface Attribution {
  readonly subscription_id: string;
  readonly line_item_id: string;
  readonly period_id: string;
  readonly meter_id: string;
  readonly currency: string;
  /** What the event brought, and how it changed the units that are free and the money the period costs. */
  readonly quantity: string;
  readonly free: string;
  readonly amount: string;
  /** Credits burnt; below zero when a correction returned some. */
  readonly credits: string;
  /** By lot: above zero drawn from it, below zero returned to it. */
  readonly draws: readonly { readonly lot_id: string; readonly credits: string }[];
  /** It counts on an item before this one, which hands on something else now. */
  readonly inherited?: true;
  /** Set when the item matched and the event still was not billed on it. */
  readonly reason?: UnbilledReason;
  readonly problem?: string;
}

const UsageEventSchema = defineEntity({
  name: 'UsageEvent',
  tableName: 'usage_event',
  properties: {
    /** 16 bytes of SHA-256 over environment and event id: half the index of the two texts. */
    key: p.uuid().primary(),
    /** The order of arrival. */
    seq: p.bigint('string'),
    tenantId: p.string(),
    environmentId: p.string(),
    eventId: p.string(),
    eventName: p.string(),
    customerId: p.string().nullable(),
    externalCustomerId: p.string().nullable(),
    /** The time it counts by. */
    at: p.datetime(),
    source: p.string().nullable(),
    properties: p.json<Record<string, string | number | boolean>>(),
    contentHash: p.blob(),
    /** The transaction that burnt it: the ledger names it as the cause. */
    batchId: p.string(),
    attribution: p.json<Attribution[]>(),
    creditsBurned: amount(),
    /** Null when it was billed on a line item. */
    reason: p.enum(UNBILLED_REASONS).nullable(),
    receivedAt: p.datetime(),
  },
});

/** A fact the product reported: immutable, once per id. What it cost is written with it. */
export class UsageEvent extends UsageEventSchema.class {}
UsageEventSchema.setClass(UsageEvent);
