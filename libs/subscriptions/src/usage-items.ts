import type { AccrualRule, Span } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import type { PERIOD_KINDS } from './period.entity.js';
import { ruleOf, type RuleCopy } from './rule-copy.js';

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

interface UsageItemRow {
  subscription_id: string;
  customer_id: string;
  line_item_id: string;
  currency: string;
  meter_id: string;
  started_at: string;
  rule: RuleCopy;
  start_date: string;
  end_date: string | null;
  period_id: string;
  number: number;
  kind: (typeof PERIOD_KINDS)[number];
  start_at: string;
  end_at: string;
  open: boolean;
}

/** One query of the hot path: the usage items of customers that count at some time in `[from, to]`, by period. */
export async function usageItemsOf(tx: Tx, customerIds: readonly string[], from: Date, to: Date): Promise<UsageItem[]> {
  const found = await sql<UsageItemRow>`
    select i.subscription_id, i.customer_id, i.id line_item_id, i.currency, i.meter_id, s.start_date started_at,
           i.rule, i.start_date, i.end_date, p.id period_id, p.number, p.kind, p.start_at, p.end_at,
           p.status = 'open' as open
    from subscription_line_item i
    join subscription s on s.environment_id = i.environment_id and s.id = i.subscription_id
    join subscription_period p on p.environment_id = i.environment_id and p.subscription_id = i.subscription_id
    where i.environment_id = ${tx.scope.environmentId} and i.customer_id = any(${[...customerIds]}::text[])
      and i.price_type = 'USAGE'
      and p.end_at > ${from} and p.start_at <= ${to}
      and i.start_date < p.end_at and (i.end_date is null or i.end_date > p.start_at)
    order by s.start_date, s.id, i.id, p.number`.execute(tx.db);
  return oldestFirst(found.rows.map(usageItem)).filter((item) => {
    const { start, end } = countingSpan(item);
    return start <= to && end > from;
  });
}

const usageItem = (row: UsageItemRow): UsageItem => ({
  subscriptionId: row.subscription_id,
  customerId: row.customer_id,
  lineItemId: row.line_item_id,
  currency: row.currency,
  meterId: row.meter_id,
  startedAt: new Date(row.started_at),
  rule: ruleOf(row),
  itemStart: new Date(row.start_date),
  itemEnd: row.end_date === null ? null : new Date(row.end_date),
  period: {
    id: row.period_id,
    number: row.number,
    kind: row.kind,
    start: new Date(row.start_at),
    end: new Date(row.end_at),
    open: row.open,
  },
});

/**
 * Of several subscriptions that price the same meter only the one that started first counts at a time (MEANING.md,
 * "Usage and accrual"): cuts from each item the time an older subscription's item covers. Items come oldest
 * subscription first; one that is covered in its middle comes out as two.
 */
export function oldestFirst(items: readonly UsageItem[]): UsageItem[] {
  const covered = new Map<string, (Span & { subscriptionId: string })[]>();
  const counting: UsageItem[] = [];
  for (const item of items) {
    const key = `${item.customerId} ${item.meterId}`;
    const spans = covered.get(key) ?? [];
    const span = countingSpan(item);
    const older = spans.filter(({ subscriptionId }) => subscriptionId !== item.subscriptionId);
    counting.push(...(older.length === 0 ? [item] : uncovered(span, older).map((rest) => cut(item, rest))));
    covered.set(key, [...spans, { ...span, subscriptionId: item.subscriptionId }]);
  }
  return counting;
}

const cut = (item: UsageItem, { start, end }: Span): UsageItem => ({ ...item, itemStart: start, itemEnd: end });

function countingSpan({ itemStart, itemEnd, period }: UsageItem): Span {
  return {
    start: itemStart > period.start ? itemStart : period.start,
    end: itemEnd && itemEnd < period.end ? itemEnd : period.end,
  };
}

function uncovered(span: Span, covers: readonly Span[]): Span[] {
  let rest = [span];
  for (const { start, end } of covers) {
    rest = rest.flatMap((part) =>
      [
        { start: part.start, end: part.end < start ? part.end : start },
        { start: part.start > end ? part.start : end, end: part.end },
      ].filter((piece) => piece.start < piece.end),
    );
  }
  return rest;
}
