import { Decimal, sum, text, ZERO } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';

/** Usage of a line item in the period that began then. */
export interface BrokenDownUsage {
  readonly customerId: string;
  readonly subscriptionId: string;
  readonly lineItemId: string;
  readonly periodStart: Date;
}

/** What the events with one value of each key did. Amounts are exact decimals as text, cost is money. */
export interface UsagePart {
  readonly groupedBy: Record<string, string>;
  readonly cost: string;
  readonly usage: string;
  /** Of the cost of all parts, two places; 0 when nothing costs anything. */
  readonly percentage: string;
  readonly eventCount: number;
}

/** Which events made a line: what each did on the line item, added up by their source or properties. */
@Injectable()
export class UsageBreakdowns {
  /**
   * The costliest part first. @param keys `source`, or names of properties; what an event doesn't have is an empty text.
   * A level that accrues with time alone is of no event, and in no part.
   */
  async of(tx: Tx, usage: BrokenDownUsage, keys: readonly string[]): Promise<UsagePart[]> {
    const found = await sql<{ grouped_by: Record<string, string>; cost: string; usage: string; events: number }>`
      select g.grouped_by, sum((a ->> 'amount')::numeric) cost, sum((a ->> 'quantity')::numeric) usage,
             count(*)::int events
      from usage_period p
      join usage_event e on e.environment_id = p.environment_id and e.customer_id = p.customer_id
        and e.at >= p.start_at and e.at <= p.end_at
      cross join lateral jsonb_array_elements(e.attribution) a
      cross join lateral (
        select jsonb_object_agg(k, coalesce(case k when 'source' then e.source else e.properties ->> k end, '')) grouped_by
        from unnest(${[...keys]}::text[]) k) g
      where p.environment_id = ${tx.scope.environmentId} and p.customer_id = ${usage.customerId}
        and p.subscription_id = ${usage.subscriptionId} and p.start_at = ${usage.periodStart}
        and a ->> 'line_item_id' = ${usage.lineItemId} and a ->> 'period_id' = p.id and a ->> 'reason' is null
      group by g.grouped_by
      order by sum((a ->> 'amount')::numeric) desc, g.grouped_by`.execute(tx.db);
    const total = sum(found.rows.map((row) => new Decimal(row.cost)));
    return found.rows.map((row) => ({
      groupedBy: row.grouped_by,
      cost: text(new Decimal(row.cost)),
      usage: text(new Decimal(row.usage)),
      percentage: text(shareOf(new Decimal(row.cost), total)),
      eventCount: row.events,
    }));
  }
}

const shareOf = (cost: Decimal, total: Decimal): Decimal =>
  total.isZero() ? ZERO : cost.div(total).times(100).toDecimalPlaces(2, Decimal.ROUND_HALF_UP);
