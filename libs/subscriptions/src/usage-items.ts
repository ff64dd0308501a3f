import { outlasts, type AccrualRule, type BillingPeriod, type Span } from '@drawdown/billing-core';
import { together, type SetTx, type Sql, type Tx } from '@drawdown/platform';
import { sql, type RawBuilder } from 'kysely';
import type { PERIOD_KINDS } from './period.entity.js';
import { ruleOf, thawedRule } from './rule-copy.js';

/** A usage line item in one of its periods: what an event of a time inside both counts on, if its meter matches. */
export interface UsageItem {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly lineItemId: string;
  readonly currency: string;
  readonly meterId: string;
  /** The start of the subscription. */
  readonly startedAt: Date;
  /** In this period; without what it inherits from usage before it. */
  readonly rule: AccrualRule;
  /** False after a cancellation: there is no invoice to come on which late usage could stand. */
  readonly running: boolean;
  /** Usage before it decides what it begins with, or it decides what usage after it does: see `usageChains`. */
  readonly chained: boolean;
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

/** Also as JSON: its instants are text either way. */
export interface UsageItemRow {
  subscription_id: string;
  customer_id: string;
  line_item_id: string;
  currency: string;
  meter_id: string;
  started_at: string;
  /** JSON. */
  rule: string;
  start_date: string;
  end_date: string | null;
  period_id: string;
  number: number;
  kind: (typeof PERIOD_KINDS)[number];
  start_at: string;
  end_at: string;
  whole_start: string;
  whole_end: string;
  open: boolean;
  running: boolean;
  billing_period: BillingPeriod;
  billing_period_count: number;
  paid_start: string;
  zone: string;
}

const usageItemRows = (environmentId: RawBuilder<unknown>, relations: RawBuilder<unknown>) => sql<UsageItemRow>`
    select i.subscription_id, i.customer_id, i.id line_item_id, i.currency, i.meter_id, s.start_date started_at,
           i.rule::text rule, i.start_date, i.end_date, p.id period_id, p.number, p.kind, p.start_at, p.end_at, p.whole_start,
           p.whole_end, p.status = 'open' as open, s.status <> 'cancelled' running, s.billing_period,
           s.billing_period_count, coalesce(s.paid_from, s.trial_end, s.start_date) paid_start, s.customer_timezone zone
    from subscription_line_item i
    ${relations}
    where i.environment_id = ${environmentId} and i.price_type = 'USAGE'`;

const related = sql`
    join subscription s on s.id = i.subscription_id
    join subscription_period p on p.subscription_id = i.subscription_id`;

/** The same for few items: `offset 0` keeps it a look-up for each of them, whatever a planner without statistics believes. */
const lookedUp = (from: RawBuilder<unknown>, to: RawBuilder<unknown>) => sql`
    cross join lateral (select * from subscription where id = i.subscription_id offset 0) s
    cross join lateral (
      select * from subscription_period
      where subscription_id = i.subscription_id and end_at > ${from} and start_at <= ${to} offset 0) p`;

/** The item counts at some time of the period. */
const meets = sql`i.start_date < p.end_at and (i.end_date is null or i.end_date > p.start_at)`;

/** One query of the hot path: the usage items of customers that count at some time in `[from, to]`, by period. */
export function usageItemsOf(tx: Tx, customerIds: readonly string[], from: Date, to: Date): Promise<UsageItem[]> {
  return together(tx, usageItemsOfAll, { customerIds, from, to });
}

interface Wanted {
  readonly customerIds: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

/** Those who ask for the same time are one statement. */
async function usageItemsOfAll(tx: SetTx, asked: readonly Wanted[]): Promise<UsageItem[][]> {
  const found = new Map<Wanted, UsageItem[]>();
  const times = Map.groupBy(asked, ({ from, to }) => `${from.getTime()} ${to.getTime()}`);
  for (const same of times.values()) {
    const { from, to } = same[0]!;
    const ids = sql`any(${same.flatMap((one) => one.customerIds)}::text[])`;
    const rows = usageItemRowsIn(sql`${tx.scope.environmentId}`, ids, sql`${from}`, sql`${to}`);
    const items = usageItemsFrom((await rows.execute(tx.db)).rows, from, to);
    for (const one of same) {
      const own = new Set(one.customerIds);
      found.set(one, same.length === 1 ? items : items.filter((item) => own.has(item.customerId)));
    }
  }
  return asked.map((one) => found.get(one)!);
}

/** What `usageItemsFrom` is made of, for statements that read more. @param customers an id, or `any(…)` of several. */
export const usageItemRowsIn = (
  environmentId: RawBuilder<unknown>,
  customers: RawBuilder<unknown>,
  from: RawBuilder<unknown>,
  to: RawBuilder<unknown>,
) => sql<UsageItemRow>`
    ${usageItemRows(environmentId, lookedUp(from, to))}
      and ${meets} and i.customer_id = ${customers}
    order by s.start_date, s.id, i.id, p.number`;

/** The items that count at some time in `[from, to]`, by period. */
export const usageItemsFrom = (rows: readonly UsageItemRow[], from: Date, to: Date): UsageItem[] =>
  oldestFirst(rows.map(usageItem)).filter((item) => {
    const { start, end } = countingSpan(item);
    return start <= to && end > from;
  });

/** Items in given periods, as an audit reads them. */
export async function usageItemsIn(
  db: Sql,
  environmentId: string,
  keys: readonly { readonly lineItemId: string; readonly periodId: string }[],
): Promise<UsageItem[]> {
  const found = await sql<UsageItemRow>`
    ${usageItemRows(sql`${environmentId}`, related)}
      and (i.id, p.id) in (select * from unnest(
        ${keys.map((key) => key.lineItemId)}::text[], ${keys.map((key) => key.periodId)}::text[]))`.execute(db);
  return found.rows.map(usageItem);
}

/**
 * The chains in which these items stand: the items of the same subscriptions and meters from the period before each of
 * them to the last there is, oldest first. One query.
 */
export async function usageChainsOf(tx: Tx, items: readonly UsageItem[]): Promise<UsageItem[]> {
  const since = new Map<string, { subscriptionId: string; meterId: string; number: number }>();
  for (const { subscriptionId, meterId, period } of items) {
    const key = `${subscriptionId} ${meterId}`;
    const number = Math.min(period.number - 1, since.get(key)?.number ?? Infinity);
    since.set(key, { subscriptionId, meterId, number });
  }
  const chains = [...since.values()];
  const found = await sql<UsageItemRow>`
    select * from (${usageItemRows(sql`${tx.scope.environmentId}`, related)} and ${meets}) found
    join unnest(${chains.map((one) => one.subscriptionId)}::text[], ${chains.map((one) => one.meterId)}::text[],
                ${chains.map((one) => one.number)}::int[]) c(of_subscription, of_meter, since)
      on c.of_subscription = subscription_id and c.of_meter = meter_id and number >= c.since
    order by subscription_id, meter_id, number, start_date, line_item_id`.execute(tx.db);
  return found.rows.map(usageItem);
}

function usageItem(row: UsageItemRow): UsageItem {
  const [itemStart, itemEnd] = [new Date(row.start_date), row.end_date === null ? null : new Date(row.end_date)];
  const [start, end] = [new Date(row.start_at), new Date(row.end_at)];
  const period = { id: row.period_id, number: row.number, kind: row.kind, start, end, open: row.open };
  const span = countingSpan({ itemStart, itemEnd, period });
  const interval = { billingPeriod: row.billing_period, count: row.billing_period_count };
  const rule = ruleOf(thawedRule(row.rule), {
    span,
    period: { ...period, whole: { start: new Date(row.whole_start), end: new Date(row.whole_end) } },
    interval,
    paidStart: new Date(row.paid_start),
    zone: row.zone,
  });
  const partial = span.start > start || span.end < end;
  return {
    subscriptionId: row.subscription_id,
    customerId: row.customer_id,
    lineItemId: row.line_item_id,
    currency: row.currency,
    meterId: row.meter_id,
    startedAt: new Date(row.started_at),
    rule,
    running: row.running,
    chained: partial || goesOn(rule, interval),
    itemStart,
    itemEnd,
    period,
  };
}

/** True when a period's total, or what is left of its free units, goes on into the next. */
const goesOn = ({ meter, window }: AccrualRule, interval: Parameters<typeof outlasts>[1]): boolean =>
  (meter.resetUsage === 'NEVER' && !meter.aggregation.bucketSize) || (!!window && outlasts(window.period, interval));

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

function countingSpan({ itemStart, itemEnd, period }: Pick<UsageItem, 'itemStart' | 'itemEnd' | 'period'>): Span {
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
