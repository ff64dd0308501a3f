import { Decimal, type Span } from '@drawdown/billing-core';
import { rowsOf, together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import type { BilledAmounts } from './accrual.entity.js';

/** What a line item's usage of one period comes to. Quantities in units, `credits` in credits, the rest is money. */
export interface AccruedUsage {
  readonly lineItemId: string;
  readonly quantity: Decimal;
  readonly free: Decimal;
  readonly billable: Decimal;
  /** `accrued = covered + shortfall + waived`. */
  readonly accrued: Decimal;
  readonly covered: Decimal;
  readonly shortfall: Decimal;
  readonly waived: Decimal;
  readonly credits: Decimal;
  readonly settledAt: Date | null;
}

interface AccrualRow extends Record<'quantity' | 'free' | 'billable' | 'accrued', string> {
  line_item_id: string;
  covered: string;
  shortfall: string;
  waived: string;
  credits: string;
  settled_at: string | null;
}

/** Usage of a settled period that no invoice has billed: differences, which a correction makes negative. */
export interface LateUsage extends Pick<
  AccruedUsage,
  'lineItemId' | 'quantity' | 'free' | 'accrued' | 'covered' | 'waived'
> {
  /** The period it is of. */
  readonly period: Span & { readonly id: string };
}

interface LateRow extends AccrualRow {
  billed: BilledAmounts;
  period_id: string;
  start_at: string;
  end_at: string;
}

const amountsNow = sql`jsonb_build_object(
  'quantity', a.quantity::text, 'free', a.free::text, 'accrued', a.accrued::text, 'covered', a.covered::text,
  'waived', a.waived::text)`;

/** What other modules ask of usage. */
@Injectable()
export class UsageService {
  /** The usage of a period, item by item; items nothing was used of are missing. */
  accruals(tx: Tx, periodId: string): Promise<AccruedUsage[]> {
    return together(tx, accrualsOf, periodId);
  }

  /** As `accruals`, and closes the books: what is reported for the period from now on is late. */
  async settle(tx: Tx, periodId: string): Promise<AccruedUsage[]> {
    await together(tx, settleAll, periodId);
    return this.accruals(tx, periodId);
  }

  /** What has changed in settled periods of a subscription since they were billed, oldest first. */
  late(tx: Tx, subscriptionId: string): Promise<LateUsage[]> {
    return together(tx, lateOf, subscriptionId);
  }

  /** As `late`, which stands on an invoice from now on. */
  async settleLate(tx: Tx, subscriptionId: string): Promise<LateUsage[]> {
    const late = await this.late(tx, subscriptionId);
    if (late.length === 0) return late;
    await sql`
      update accrual a set billed = ${amountsNow}, late = false
      where a.environment_id = ${tx.scope.environmentId} and a.late
        and a.period_id = any(${late.map(({ period }) => period.id)}::text[])`.execute(tx.db);
    return late;
  }
}

async function accrualsOf(tx: SetTx, periodIds: readonly string[]): Promise<AccruedUsage[][]> {
  const found = await sql<AccrualRow & { period_id: string }>`
    select a.period_id, a.line_item_id, a.quantity, a.free, a.billable, a.accrued, a.covered, a.shortfall, a.waived,
           a.credits, p.settled_at
    from accrual a join usage_period p on p.environment_id = a.environment_id and p.id = a.period_id
    where a.environment_id = ${tx.scope.environmentId} and a.period_id = any(${periodIds}::text[])
    order by a.line_item_id`.execute(tx.db);
  return rowsOf(periodIds, found.rows, (row) => row.period_id).map((rows) => rows.map(accruedUsage));
}

async function settleAll(tx: SetTx, periodIds: readonly string[]): Promise<undefined[]> {
  await sql`
    with settled as (
      update usage_period set settled_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = any(${periodIds}::text[]) and settled_at is null)
    update accrual a set billed = ${amountsNow}, late = false
    where environment_id = ${tx.scope.environmentId} and period_id = any(${periodIds}::text[]) and billed is null`.execute(
    tx.db,
  );
  return periodIds.map(() => undefined);
}

async function lateOf(tx: SetTx, subscriptionIds: readonly string[]): Promise<LateUsage[][]> {
  const found = await sql<LateRow & { subscription_id: string }>`
    select p.subscription_id, a.line_item_id, a.quantity, a.free, a.billable, a.accrued, a.covered, a.shortfall, a.waived,
           a.credits, p.settled_at, a.billed, p.id period_id, p.start_at, p.end_at
    from accrual a join usage_period p on p.environment_id = a.environment_id and p.id = a.period_id
    where a.environment_id = ${tx.scope.environmentId} and p.subscription_id = any(${subscriptionIds}::text[]) and a.late
    order by p.start_at, a.line_item_id`.execute(tx.db);
  return rowsOf(subscriptionIds, found.rows, (row) => row.subscription_id).map((rows) => rows.map(lateUsage));
}

/**
 * Money: what the open periods of a customer's subscriptions in a currency have accrued, as a value in a statement about
 * `of`, a row with `environment_id`, `customer_id` and `currency`.
 */
export const currentUsage = (of: RawBuilder<unknown>): RawBuilder<unknown> => sql`(
  select coalesce(sum(a.accrued), 0)
  from usage_period p cross join lateral (select accrued from accrual where period_id = p.id offset 0) a
  where p.environment_id = ${of}.environment_id and p.customer_id = ${of}.customer_id and p.currency = ${of}.currency
    and p.closed_at is null)`;

const accruedUsage = (row: AccrualRow): AccruedUsage => ({
  lineItemId: row.line_item_id,
  quantity: new Decimal(row.quantity),
  free: new Decimal(row.free),
  billable: new Decimal(row.billable),
  accrued: new Decimal(row.accrued),
  covered: new Decimal(row.covered),
  shortfall: new Decimal(row.shortfall),
  waived: new Decimal(row.waived),
  credits: new Decimal(row.credits),
  settledAt: row.settled_at === null ? null : new Date(row.settled_at),
});

function lateUsage(row: LateRow): LateUsage {
  const now = accruedUsage(row);
  const since = (what: keyof BilledAmounts) => now[what].minus(row.billed[what]);
  return {
    lineItemId: now.lineItemId,
    quantity: since('quantity'),
    free: since('free'),
    accrued: since('accrued'),
    covered: since('covered'),
    waived: since('waived'),
    period: { id: row.period_id, start: new Date(row.start_at), end: new Date(row.end_at) },
  };
}
