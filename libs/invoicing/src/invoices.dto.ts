import { text } from '@drawdown/billing-core';
import { customerView, CustomerView, type Customer } from '@drawdown/customers';
import {
  IsAmount,
  IsInstant,
  IsText,
  IsTexts,
  Optional,
  PaginationView,
  SearchQuery,
  UnusedKey,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn } from 'class-validator';
import type { InvoiceContent } from './invoice-content.js';
import { instant, InvoiceLineView, invoiceLineView, recordOf, type InvoiceFacts } from './invoice-line.dto.js';
import { BILLING_REASONS, INVOICE_TYPES, type InvoiceType } from './invoice.entity.js';
import {
  INVOICE_PAYMENT_STATUSES,
  INVOICE_STATUSES,
  type InvoicePaymentStatus,
  type InvoiceStatus,
} from './lifecycles.js';

/** Amounts are compared with what was recorded: a draft's are zero until it is finalized. */
export class InvoiceSearchBody extends SearchQuery {
  @Optional()
  @IsText()
  customer_id?: string | null;

  @Optional()
  @IsText()
  external_customer_id?: string | null;

  @Optional()
  @IsText()
  subscription_id?: string | null;

  @Optional()
  @IsTexts()
  invoice_ids?: string[] | null;

  @Optional()
  @IsIn(INVOICE_TYPES)
  invoice_type?: InvoiceType | null;

  @Optional()
  @IsArray()
  @ArrayMaxSize(INVOICE_STATUSES.length)
  @IsIn(INVOICE_STATUSES, { each: true })
  invoice_status?: InvoiceStatus[] | null;

  @Optional()
  @IsArray()
  @ArrayMaxSize(INVOICE_PAYMENT_STATUSES.length)
  @IsIn(INVOICE_PAYMENT_STATUSES, { each: true })
  payment_status?: InvoicePaymentStatus[] | null;

  @Optional()
  @IsAmount()
  amount_due_gt?: string | null;

  @Optional()
  @IsAmount()
  amount_remaining_gt?: string | null;

  @Optional()
  @IsInstant()
  period_start_gte?: string | null;

  @Optional()
  @IsInstant()
  period_start_lte?: string | null;

  @Optional()
  @IsInstant()
  period_end_gte?: string | null;

  @Optional()
  @IsInstant()
  period_end_lte?: string | null;

  /** Leaves the lines out; a draft's amounts are then null too, because they are computed from its lines. */
  @Optional()
  @IsBoolean()
  skip_line_items?: boolean | null;
}

export class GetInvoiceQuery {
  @Optional()
  @IsIn(['true', 'false'])
  expand_by_source?: 'true' | 'false' | null;

  /** `source`, or names of properties of the events; several as a list or apart by commas. */
  @Optional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value))
  @IsTexts({ min: 1, max: 5 })
  group_by?: string[] | null;
}

export class PreviewInvoiceBody {
  @IsText()
  subscription_id: string;

  /** Of the period whose end is previewed: the current one (default), one that is over, or one to come. */
  @Optional()
  @IsInstant()
  period_start?: string | null;

  @Optional()
  @IsInstant()
  period_end?: string | null;
}

/** An invoice. Money is exact decimals as text in the invoice's currency. */
export class InvoiceView {
  /** Null on a preview. */
  @ApiProperty({ type: String, nullable: true })
  id: string | null;
  tenant_id: string;
  environment_id: string;
  status: string;
  created_at: string;
  @UnusedKey()
  created_by: null;
  updated_at: string;
  @UnusedKey()
  updated_by: null;
  customer_id: string;
  @ApiProperty({ type: CustomerView, nullable: true })
  customer: CustomerView | null;
  @ApiProperty({ type: String, nullable: true })
  subscription_id: string | null;
  @UnusedKey()
  subscription: null;
  @ApiProperty({ enum: INVOICE_TYPES })
  invoice_type: string;
  @ApiProperty({ enum: INVOICE_STATUSES })
  invoice_status: string;
  @ApiProperty({ enum: INVOICE_PAYMENT_STATUSES })
  payment_status: string;
  @ApiProperty({ enum: BILLING_REASONS })
  billing_reason: string;
  @ApiProperty({ type: String, nullable: true })
  billing_period: string | null;
  /** The number of the period in its subscription. */
  @ApiProperty({ type: Number, nullable: true })
  billing_sequence: number | null;
  @ApiProperty({ type: String, nullable: true })
  invoice_number: string | null;
  @ApiProperty({ type: String, nullable: true })
  description: string | null;
  currency: string;
  @ApiProperty({ type: String, nullable: true })
  subtotal: string | null;
  @ApiProperty({ type: String, nullable: true })
  total_discount: string | null;
  @ApiProperty({ type: String, nullable: true })
  total_prepaid_credits_applied: string | null;
  total_tax: string;
  @ApiProperty({ type: String, nullable: true })
  total: string | null;
  @ApiProperty({ type: String, nullable: true })
  amount_due: string | null;
  amount_paid: string;
  @ApiProperty({ type: String, nullable: true })
  amount_remaining: string | null;
  overpaid_amount: string;
  refunded_amount: string;
  /** Ours: of what was paid, what the customer's bank has taken back, or claims. */
  disputed_amount: string;
  /** What the customer's account credit paid. */
  adjustment_amount: string;
  /** Ours: by how much the lines are below zero, which became account credit. Null where lines were left out. */
  @ApiProperty({ type: String, nullable: true })
  account_credit_given: string | null;
  /** Ours: above zero what was too little to charge and is asked for with the next invoice; below zero what earlier ones left to this. */
  carried_amount: string;
  @ApiProperty({ type: String, nullable: true })
  due_date: string | null;
  @ApiProperty({ type: String, nullable: true })
  finalized_at: string | null;
  @ApiProperty({ type: String, nullable: true })
  paid_at: string | null;
  @ApiProperty({ type: String, nullable: true })
  voided_at: string | null;
  @ApiProperty({ type: String, nullable: true })
  period_start: string | null;
  @ApiProperty({ type: String, nullable: true })
  period_end: string | null;
  @ApiProperty({ type: [InvoiceLineView], nullable: true })
  line_items: InvoiceLineView[] | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  version: number;
  /** Ours: where the customer can pay it, without a key; null when it asks for nothing. */
  @ApiProperty({ type: String, nullable: true })
  payment_url: string | null;
  @UnusedKey()
  coupon_applications: null;
  @ApiProperty({ type: String, nullable: true })
  idempotency_key: string | null;
  @UnusedKey()
  invoice_pdf_url: null;
  @UnusedKey()
  taxes: null;
}

export class InvoiceListView {
  @ApiProperty({ type: [InvoiceView] })
  items: InvoiceView[];
  pagination: PaginationView;
}

/** The wire's answer to a deed. */
export class MessageView {
  message: string;
}

/** What the view needs beside the row; `content` is null where the lines were not asked for. */
export interface InvoiceParts {
  readonly content: InvoiceContent | null;
  readonly customer: Customer | null;
  readonly billingPeriod: string | null;
  readonly paymentUrl?: string | null;
}

export const invoiceView = (
  invoice: InvoiceFacts,
  { content, customer, billingPeriod, paymentUrl = null }: InvoiceParts,
): InvoiceView => ({
  ...recordOf(invoice),
  ...moneyOf(invoice, content),
  customer_id: invoice.customerId,
  customer: customer && customerView(customer),
  subscription_id: invoice.subscriptionId ?? null,
  subscription: null,
  invoice_type: invoice.type,
  invoice_status: invoice.status,
  payment_status: invoice.paymentStatus,
  billing_reason: invoice.billingReason,
  billing_period: billingPeriod,
  billing_sequence: invoice.sequence ?? null,
  invoice_number: invoice.number ?? null,
  description: invoice.description ?? null,
  currency: invoice.currency,
  due_date: instant(invoice.dueDate),
  finalized_at: instant(invoice.finalizedAt),
  paid_at: instant(invoice.paidAt),
  voided_at: instant(invoice.voidedAt),
  period_start: instant(invoice.periodStart),
  period_end: instant(invoice.periodEnd),
  line_items: content && content.lines.map((line) => invoiceLineView(invoice, line)),
  metadata: invoice.metadata,
  version: 1,
  payment_url: paymentUrl,
  coupon_applications: null,
  idempotency_key: invoice.requestKey ?? null,
  invoice_pdf_url: null,
  taxes: null,
});

/** A draft says what its lines come to now; a finalized invoice what was recorded. */
function moneyOf(invoice: InvoiceFacts, content: InvoiceContent | null) {
  const draft = invoice.status === 'DRAFT';
  const said = draft ? content : invoice;
  const total = said && text(said.total);
  return {
    subtotal: said && text(said.subtotal),
    total_discount: said && text(said.totalDiscount),
    total_prepaid_credits_applied: said && text(said.totalCreditsApplied),
    total_tax: '0',
    total,
    amount_due: total,
    amount_paid: text(invoice.amountPaid),
    amount_remaining: draft ? total : text(invoice.amountRemaining),
    overpaid_amount: text(invoice.overpaidAmount),
    refunded_amount: text(invoice.refundedAmount),
    disputed_amount: text(invoice.disputedAmount),
    adjustment_amount: text(invoice.accountCreditApplied),
    carried_amount: text(invoice.accountCarried),
    account_credit_given: said && text(draft ? content!.accountCredit : invoice.accountCreditGiven),
  };
}
