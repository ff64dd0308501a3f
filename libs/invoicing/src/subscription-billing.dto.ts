import { Decimal, sum, text, ZERO } from '@drawdown/billing-core';
import { ApiProperty } from '@nestjs/swagger';
import { InvoiceView } from './invoices.dto.js';

const DAY_MS = 86_400_000;

/** Unused time of one fee, given back. */
export class CreditedFeeView {
  line_item_id: string | null;
  price_id: string | null;
  plan_name: string | null;
  description: string;
  credit_amount: string;
  charge_amount: string;
  original_amount: string | null;
  /** Whole days. */
  proration_days: number;
}

/** What a cancellation did. */
export class CancelSubscriptionView {
  subscription_id: string;
  status: string;
  cancellation_type: string;
  /** When the subscription ends or has ended. */
  effective_date: string;
  processed_at: string;
  @ApiProperty({ type: String, nullable: true })
  reason: string | null;
  message: string;
  /** The final invoice of what was unbilled; null when there is none (yet). */
  @ApiProperty({ type: InvoiceView, nullable: true })
  proration_invoice: InvoiceView | null;
  @ApiProperty({ type: [CreditedFeeView] })
  proration_details: CreditedFeeView[];
  total_credit_amount: string;
}

/** The fees that a final invoice gives back. */
export function creditsOf(
  invoice: InvoiceView | null,
): Pick<CancelSubscriptionView, 'proration_details' | 'total_credit_amount'> {
  const lines = (invoice?.line_items ?? []).filter(
    (line) => line.price_type === 'FIXED' && !line.commitment_info && new Decimal(line.amount_due).lt(ZERO),
  );
  return {
    proration_details: lines.map((line) => ({
      line_item_id: line.line_item_id,
      price_id: line.price_id,
      plan_name: line.plan_display_name,
      description: line.display_name,
      credit_amount: text(new Decimal(line.amount_due).neg()),
      charge_amount: '0',
      original_amount: null,
      proration_days: Math.floor((+new Date(line.period_end!) - +new Date(line.period_start!)) / DAY_MS),
    })),
    total_credit_amount: text(sum(lines.map((line) => new Decimal(line.amount_due))).neg()),
  };
}
