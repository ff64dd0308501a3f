import type { AccrualRule } from '@drawdown/billing-core';
import type { PERIOD_KINDS } from './period.entity.js';

/** A usage line item in one of its periods: what an event of a time inside both counts on, if its meter matches. */
export interface UsageItem {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly lineItemId: string;
  readonly currency: string;
  readonly meterId: string;
  /** The start of the subscription. */
  readonly startedAt: Date;
  readonly rule: AccrualRule;
  /** `[itemStart, itemEnd)`, already without the time in which an older subscription prices the same meter. */
  readonly itemStart: Date;
  readonly itemEnd: Date | null;
  readonly period: {
    readonly id: string;
    readonly number: number;
    readonly kind: (typeof PERIOD_KINDS)[number];
    readonly start: Date;
    readonly end: Date;
    readonly open: boolean;
  };
}
