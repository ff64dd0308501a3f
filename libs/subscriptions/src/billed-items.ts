import { Decimal, type BillableItem } from '@drawdown/billing-core';
import { hasInHand, rowsOf, together, type SetTx, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { itemCommitmentOf } from './item-commitment.js';
import { LineItem, type ItemCommitment } from './line-item.entity.js';
import { thawedRule } from './rule-copy.js';

/** A line item as invoices need it: what it costs and when, and what its lines say. */
export interface BilledItem
  extends
    BillableItem,
    Pick<
      LineItem,
      'planId' | 'planDisplayName' | 'priceId' | 'meterId' | 'meterDisplayName' | 'displayName' | 'metadata'
    > {
  /** Units, where its commitment is of a quantity. */
  readonly promisedQuantity: string | null;
}

interface BilledItemRow {
  subscription_id: string;
  id: string;
  plan_id: string | null;
  plan_display_name: string | null;
  price_id: string;
  price_type: LineItem['priceType'];
  display_name: string;
  invoice_cadence: LineItem['invoiceCadence'];
  once: boolean;
  quantity: string;
  meter_id: string | null;
  meter_display_name: string | null;
  /** JSON. */
  rule: string;
  commitment: ItemCommitment | null;
  start_date: string;
  end_date: string | null;
  fee_from: string;
  fee_until: string | null;
  metadata: Record<string, string>;
}

/** All line items of a subscription, ended ones too, in the order in which invoices show them. */
export async function billedItemsOf(tx: Tx, subscriptionId: string): Promise<BilledItem[]> {
  if (hasInHand(tx, LineItem)) await tx.em.flush();
  return together(tx, billedItems, subscriptionId);
}

async function billedItems(tx: SetTx, subscriptionIds: readonly string[]): Promise<BilledItem[][]> {
  const found = await sql<BilledItemRow>`
    select subscription_id, id, plan_id, plan_display_name, price_id, price_type, display_name, invoice_cadence, once, quantity,
           meter_id, meter_display_name, rule::text rule, commitment, start_date, end_date, fee_from, fee_until, metadata
    from subscription_line_item
    where environment_id = ${tx.scope.environmentId} and subscription_id = any(${subscriptionIds}::text[])
    order by price_type, price_id, start_date, id`.execute(tx.db);
  return rowsOf(subscriptionIds, found.rows, (row) => row.subscription_id).map((rows) => rows.map(billedItem));
}

const billedItem = (row: BilledItemRow): BilledItem => ({
  id: row.id,
  type: row.price_type,
  cadence: row.invoice_cadence,
  once: row.once,
  price: thawedRule(row.rule).price,
  quantity: new Decimal(row.quantity),
  start: new Date(row.start_date),
  end: dateOf(row.end_date),
  feeFrom: new Date(row.fee_from),
  feeUntil: dateOf(row.fee_until),
  commitment: itemCommitmentOf(row.commitment),
  promisedQuantity: row.commitment?.quantity ?? null,
  planId: row.plan_id,
  planDisplayName: row.plan_display_name,
  priceId: row.price_id,
  meterId: row.meter_id,
  meterDisplayName: row.meter_display_name,
  displayName: row.display_name,
  metadata: row.metadata,
});

const dateOf = (instant: string | null): Date | null => (instant === null ? null : new Date(instant));
