import { Decimal } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { sql } from 'kysely';

/** Money that arrived, and what of it hasn't gone back. */
export interface ReturnableReceipt {
  readonly id: string;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly gatewayPaymentId: string;
  /** Whether the gateway brought it, and so can give it back. */
  readonly byGateway: boolean;
  readonly left: Decimal;
  /** A dispute about it is open: the bank decides. */
  readonly disputed: boolean;
}

interface Row {
  id: string;
  payment_id: string;
  invoice_id: string;
  gateway_payment_id: string;
  method_type: string;
  left: string;
  disputed: boolean;
}

/** Of a payment, or of all a customer's in a currency, newest first. */
export async function returnableMoney(
  tx: Tx,
  of: { readonly paymentId: string } | { readonly customerId: string; readonly currency: string },
): Promise<ReturnableReceipt[]> {
  await tx.em.flush();
  const which =
    'paymentId' in of
      ? sql`r.payment_id = ${of.paymentId}`
      : sql`r.customer_id = ${of.customerId} and r.currency = ${of.currency}`;
  const found = await sql<Row>`
    select r.id, r.payment_id, r.invoice_id, r.gateway_payment_id, p.method_type,
           r.amount - refunded.total - disputed.total "left", disputed.open disputed
    from payment_receipt r
    join payment p on p.environment_id = r.environment_id and p.id = r.payment_id
    cross join lateral (
      select coalesce(sum(amount), 0) total from refund
      where environment_id = r.environment_id and receipt_id = r.id and state <> 'failed') refunded
    cross join lateral (
      select coalesce(sum(amount) filter (where stage <> 'won'), 0) total, coalesce(bool_or(stage = 'open'), false) open
      from dispute where environment_id = r.environment_id and receipt_id = r.id) disputed
    where r.environment_id = ${tx.scope.environmentId} and ${which}
    order by r.created_at desc, r.id desc`.execute(tx.db);
  return found.rows.map((row) => ({
    id: row.id,
    paymentId: row.payment_id,
    invoiceId: row.invoice_id,
    gatewayPaymentId: row.gateway_payment_id,
    byGateway: row.method_type === 'CARD' || row.method_type === 'PAYMENT_LINK',
    left: new Decimal(row.left),
    disputed: row.disputed,
  }));
}
