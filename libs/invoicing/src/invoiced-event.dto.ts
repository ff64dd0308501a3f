import { Decimal, text } from '@drawdown/billing-core';
import { EventTrailView } from '@drawdown/metering';
import { ApiProperty } from '@nestjs/swagger';

/** A line that bills the line item and period an event counted on, with its invoice. Money is exact decimals as text. */
export class EventInvoiceLineView {
  invoice_id: string;
  @ApiProperty({ type: String, nullable: true })
  invoice_number: string | null;
  invoice_status: string;
  payment_status: string;
  /** Of the whole invoice. */
  invoice_amount_due: string;
  invoice_line_id: string;
  line_item_id: string;
  period_start: string;
  period_end: string;
  quantity: string;
  free_units: string;
  amount: string;
  prepaid_credits_applied: string;
  line_item_discount: string;
  amount_due: string;
  /** The invoice's payments. */
  payment_ids: string[];
}

/** From an event to quantity, price, lots, ledger, accrual, invoice lines and payments. */
export class InvoicedEventView extends EventTrailView {
  /** Empty until an invoice is finalized; a correction that came later stands on a line of its own. */
  @ApiProperty({ type: [EventInvoiceLineView] })
  invoice_lines: EventInvoiceLineView[];
}

export interface EventInvoiceLineRow extends Record<
  'quantity' | 'free_units' | 'gross' | 'waived' | 'credits_applied' | 'due' | 'invoice_due',
  string
> {
  id: string;
  invoice_id: string;
  number: string | null;
  status: string;
  payment_status: string;
  line_item_id: string;
  period_start: string;
  period_end: string;
  payment_ids: string[];
}

const plain = (value: string): string => text(new Decimal(value));

export const eventInvoiceLineView = (row: EventInvoiceLineRow): EventInvoiceLineView => ({
  invoice_id: row.invoice_id,
  invoice_number: row.number,
  invoice_status: row.status,
  payment_status: row.payment_status,
  invoice_amount_due: plain(row.invoice_due),
  invoice_line_id: row.id,
  line_item_id: row.line_item_id,
  period_start: new Date(row.period_start).toISOString(),
  period_end: new Date(row.period_end).toISOString(),
  quantity: plain(row.quantity),
  free_units: plain(row.free_units),
  amount: plain(row.gross),
  prepaid_credits_applied: plain(row.credits_applied),
  line_item_discount: plain(row.waived),
  amount_due: plain(row.due),
  payment_ids: row.payment_ids,
});
