import type { AccrualRule, AccrualState, Cover, Decimal, Draw } from '@drawdown/billing-core';
import type { UsageItem } from '@drawdown/subscriptions';

/** What a line item's usage of one period costs so far, while a transaction works on it. */
export interface OpenAccrual {
  readonly subscriptionId: string;
  readonly lineItemId: string;
  readonly periodId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly period: {
    readonly kind: 'trial' | 'paid';
    readonly start: Date;
    readonly end: Date;
    readonly closed: boolean;
    readonly settled: boolean;
  };
  state: AccrualState;
  /** Events folded so far. */
  events: number;
  quantity: Decimal;
  free: Decimal;
  billable: Decimal;
  /** Its shortfall is owed, or in a trial waived as it arises. */
  cover: Cover;
  /** Net draws, oldest first. */
  draws: Draw[];
  /** Numbers shortfalls in the order they arose, the oldest is paid first; null while it has none. */
  shortNo: number | null;
  /** Free units of its first window that usage before it has used. */
  freeBefore: Decimal;
  /** Of what accrued, what no event brought. */
  eventless: Decimal;
  /** It changed after its period was settled: the next invoice bills the difference. */
  late: boolean;
}

/** Shortfalls that arise in a transaction are numbered from here on until they are recorded, after all that are. */
export const NEW_SHORTFALL = 2 ** 52;

export const accrualKey = (lineItemId: string, periodId: string): string => `${lineItemId} ${periodId}`;

/** The rule with what the accrual has inherited. */
export const ruleOf = (item: UsageItem, { freeBefore }: OpenAccrual): AccrualRule => ({
  ...item.rule,
  freeUsedBefore: freeBefore,
});
