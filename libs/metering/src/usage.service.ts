import { Decimal } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';

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

/** What other modules ask of usage. */
@Injectable()
export class UsageService {
  /** The usage of a period, item by item; items nothing was used of are missing. */
  async accruals(tx: Tx, periodId: string): Promise<AccruedUsage[]> {
    const found = await sql<AccrualRow>`
      select a.line_item_id, a.quantity, a.free, a.billable, a.accrued, a.covered, a.shortfall, a.waived, a.credits,
             p.settled_at
      from accrual a join usage_period p on p.environment_id = a.environment_id and p.id = a.period_id
      where a.environment_id = ${tx.scope.environmentId} and a.period_id = ${periodId}
      order by a.line_item_id`.execute(tx.db);
    return found.rows.map(accruedUsage);
  }

  /** As `accruals`, and closes the books: what is reported for the period from now on is late. */
  async settle(tx: Tx, periodId: string): Promise<AccruedUsage[]> {
    await sql`
      update usage_period set settled_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${periodId} and settled_at is null`.execute(tx.db);
    return this.accruals(tx, periodId);
  }

  /** Money: what the open periods of a customer's subscriptions in the currency have accrued. */
  async currentUsage(tx: Tx, customerId: string, currency: string): Promise<Decimal> {
    const found = await sql<{ accrued: string }>`
      select coalesce(sum(a.accrued), 0) accrued
      from usage_period p join accrual a on a.environment_id = p.environment_id and a.period_id = p.id
      where p.environment_id = ${tx.scope.environmentId} and p.customer_id = ${customerId}
        and p.currency = ${currency} and p.closed_at is null`.execute(tx.db);
    return new Decimal(found.rows[0]!.accrued);
  }
}

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
