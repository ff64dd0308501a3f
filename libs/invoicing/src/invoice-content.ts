import type { BillLine, Decimal } from '@drawdown/billing-core';
import type { InvoiceLine } from './invoice.entity.js';

/** What an invoice line says, recorded or not. */
export type LineContent = Pick<
  InvoiceLine,
  | 'lineItemId'
  | 'priceId'
  | 'priceType'
  | 'planId'
  | 'planDisplayName'
  | 'meterId'
  | 'meterDisplayName'
  | 'displayName'
  | 'periodStart'
  | 'periodEnd'
  | 'quantity'
  | 'freeUnits'
  | 'gross'
  | 'waived'
  | 'creditsApplied'
  | 'due'
  | 'commitment'
  | 'metadata'
>;

/** What a line of a bill is for, and comes to. */
export const amountsOf = (line: BillLine & Pick<LineContent, 'due'>) => ({
  periodStart: line.span.start,
  periodEnd: line.span.end,
  quantity: line.quantity,
  freeUnits: line.free,
  gross: line.gross,
  waived: line.waived,
  creditsApplied: line.credits,
  due: line.due,
});

/** What an invoice says: its lines and their sums, money. */
export interface InvoiceContent {
  readonly lines: readonly LineContent[];
  readonly subtotal: Decimal;
  readonly totalDiscount: Decimal;
  readonly totalCreditsApplied: Decimal;
  readonly total: Decimal;
  /** By how much the lines are below zero. */
  readonly accountCredit: Decimal;
}
