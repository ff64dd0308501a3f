import { ApiProperty } from '@nestjs/swagger';
import { InvoiceView } from './invoices.dto.js';

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
  /** Always empty: unused time is not credited yet. */
  @ApiProperty({ type: [Object] })
  proration_details: object[];
  total_credit_amount: string;
}
