import { Decimal, recompute, text, type AccrualState, type UsageEvent as CountedEvent } from '@drawdown/billing-core';
import type { Invariant, Sql } from '@drawdown/platform';
import { usageItemsIn, type UsageItem } from '@drawdown/subscriptions';
import { sql } from 'kysely';

const PAGE = 200;
const MAX_REPORTED = 100;
const UNITS = ['quantity', 'free', 'billable', 'accrued'] as const;

interface AccrualRow extends Record<(typeof UNITS)[number], string> {
  environment_id: string;
  line_item_id: string;
  period_id: string;
  free_before: string;
  state: AccrualState;
}

/** What was kept event by event is what billing-core's `recompute` says from the stored events alone. Reads page by page. */
export const accrualsAgreeWithTheirEvents: Invariant = {
  name: 'an accrual is what its stored events come to',
  check: async (db) => {
    const broken: string[] = [];
    for (let page = await accrualsAfter(db, null); page.length > 0; page = await accrualsAfter(db, page.at(-1)!)) {
      for (const [environmentId, rows] of Map.groupBy(page, (row) => row.environment_id)) {
        broken.push(...(await brokenOf(db, environmentId, rows)));
      }
      if (broken.length > MAX_REPORTED || page.length < PAGE) break;
    }
    return broken.slice(0, MAX_REPORTED);
  },
};

async function accrualsAfter(db: Sql, last: AccrualRow | null): Promise<AccrualRow[]> {
  const after = [last?.environment_id ?? '', last?.line_item_id ?? '', last?.period_id ?? ''];
  const found = await sql<AccrualRow>`
    select environment_id, line_item_id, period_id, free_before, state, quantity, free, billable, accrued from accrual
    where (environment_id, line_item_id, period_id) > (${sql.join(after)})
    order by environment_id, line_item_id, period_id limit ${PAGE}`.execute(db);
  return found.rows;
}

async function brokenOf(db: Sql, environmentId: string, rows: readonly AccrualRow[]): Promise<string[]> {
  const keys = rows.map((row) => ({ lineItemId: row.line_item_id, periodId: row.period_id }));
  const items = await usageItemsIn(db, environmentId, keys);
  const byKey = new Map(items.map((item) => [`${item.lineItemId} ${item.period.id}`, item]));
  const broken: string[] = [];
  for (const row of rows) {
    const item = byKey.get(`${row.line_item_id} ${row.period_id}`);
    const truth = item ? await truthOf(db, environmentId, row, item) : null;
    const wrong = truth ? UNITS.filter((unit) => !truth[unit].eq(row[unit])) : UNITS;
    if (wrong.length === 0) continue;
    const said = (values: Record<(typeof UNITS)[number], string | Decimal> | null) =>
      wrong.map((unit) => `${unit} ${values ? text(new Decimal(values[unit])) : 'of no item'}`).join(', ');
    broken.push(`${row.line_item_id} in ${row.period_id} says ${said(row)}, its events ${said(truth)}`);
  }
  return broken;
}

async function truthOf(db: Sql, environmentId: string, row: AccrualRow, item: UsageItem) {
  const rule = { ...item.rule, freeUsedBefore: new Decimal(row.free_before) };
  const { total, carried } = row.state;
  const until = total.until ?? carried?.until;
  return recompute(rule, await eventsOf(db, environmentId, item, 'own'), {
    carriedEvents: inheritsEvents(item) ? await eventsOf(db, environmentId, item, 'before') : [],
    ...(until === undefined ? {} : { until: new Date(until) }),
  });
}

/** A level goes from item to item, any other total from period to period. */
const inheritsEvents = ({ rule, period }: UsageItem): boolean =>
  rule.meter.resetUsage === 'NEVER' &&
  (rule.meter.aggregation.type === 'WEIGHTED_SUM' || rule.span!.start.getTime() === period.start.getTime());

/**
 * The events that count on the item in its period, or on those before it. By what they were attributed to: one that came
 * before the item was ended, at the very instant, counts on it.
 */
async function eventsOf(
  db: Sql,
  environmentId: string,
  { customerId, rule, subscriptionId, meterId, lineItemId, period }: UsageItem,
  which: 'own' | 'before',
): Promise<CountedEvent[]> {
  const { start, end } = rule.span!;
  const within = which === 'own' ? sql`e.at between ${start} and ${end}` : sql`e.at <= ${start}`;
  const own = sql`(m ->> 'line_item_id' = ${lineItemId} and m ->> 'period_id' = ${period.id})`;
  const found = await sql<{ seq: string; at: string; properties: Record<string, string | number | boolean> }>`
    select e.seq, e.at, e.properties from usage_event e
    where e.environment_id = ${environmentId} and e.customer_id = ${customerId} and e.event_name = ${rule.meter.eventName}
      and ${within} and exists (
        select from jsonb_array_elements(e.attribution) m
        where m ->> 'subscription_id' = ${subscriptionId} and m ->> 'meter_id' = ${meterId}
          and m ->> 'reason' is null and m ->> 'inherited' is null
          and ${which === 'own' ? own : sql`not ${own}`})
    order by e.seq`.execute(db);
  return found.rows.map(({ seq, at, properties }) => ({ at: new Date(at), arrival: Number(seq), properties }));
}
