import { Decimal, text } from '@drawdown/billing-core';
import { ApiProperty } from '@nestjs/swagger';

/** A currency's figures as the database adds them up; money as text. */
export interface CurrencySummary {
  readonly currency: string;
  readonly total_count: number;
  readonly unpaid_count: number;
  readonly overdue_count: number;
  readonly total_revenue: string;
  readonly total_unpaid: string;
  readonly total_overdue: string;
  readonly unpaid_usage: string;
  readonly unpaid_fixed: string;
  readonly account_credit: string;
}

/** A customer's finalized invoices in one currency. Money is exact decimals as text. */
export class CustomerInvoiceSummaryView {
  customer_id: string;
  currency: string;
  total_invoice_count: number;
  unpaid_invoice_count: number;
  overdue_invoice_count: number;
  /** What they asked for in all. */
  total_revenue_amount: string;
  total_unpaid_amount: string;
  total_overdue_amount: string;
  /** Of the invoices on which something is left to pay: what their usage lines and their other lines ask for. */
  unpaid_usage_charges: string;
  unpaid_fixed_charges: string;
  /** Ours: money of the customer that pays its next invoices in the currency; below zero what they ask for on top. */
  account_credit_amount: string;
}

export class CustomerInvoicesSummaryView {
  customer_id: string;
  /** The currency of most invoices; null without any. */
  @ApiProperty({ type: String, nullable: true })
  default_currency: string | null;
  @ApiProperty({ type: [CustomerInvoiceSummaryView] })
  summaries: CustomerInvoiceSummaryView[];
}

export const customerInvoicesSummaryView = (
  customerId: string,
  summaries: readonly CurrencySummary[],
): CustomerInvoicesSummaryView => ({
  customer_id: customerId,
  default_currency: summaries[0]?.currency ?? null,
  summaries: summaries.map((one) => ({
    customer_id: customerId,
    currency: one.currency,
    total_invoice_count: one.total_count,
    unpaid_invoice_count: one.unpaid_count,
    overdue_invoice_count: one.overdue_count,
    total_revenue_amount: money(one.total_revenue),
    total_unpaid_amount: money(one.total_unpaid),
    total_overdue_amount: money(one.total_overdue),
    unpaid_usage_charges: money(one.unpaid_usage),
    unpaid_fixed_charges: money(one.unpaid_fixed),
    account_credit_amount: money(one.account_credit),
  })),
});

const money = (sum: string): string => text(new Decimal(sum));
