import { IsAmount, IsCurrency, IsInstant, IsMetadata, IsText, NotYet, Optional, Parts } from '@drawdown/platform';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { BILLING_REASONS } from './invoice.entity.js';

export class UpdateInvoiceBody {
  /** Ahead of now; on a draft it is kept for the finalization. */
  @Optional()
  @IsInstant()
  due_date?: string | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  invoice_pdf_url?: string | null;
}

export class RecalculateInvoiceQuery {
  /** Finalizes the draft as it is then. */
  @Optional()
  @IsIn(['true', 'false'])
  finalize?: 'true' | 'false' | null;
}

/** Money that came another way than through the gateway. */
export class RecordPaymentBody {
  @IsIn(['SUCCEEDED'])
  payment_status: 'SUCCEEDED';

  /** Default: all that is left to pay. Less leaves the invoice open, more makes it overpaid. */
  @Optional()
  @IsAmount({ above: '0' })
  amount?: string | null;
}

export class OneOffLineBody {
  @IsString()
  @MaxLength(255)
  display_name: string;

  /** Of the whole line, in whole minor units; below zero takes something off. */
  @IsAmount()
  amount: string;

  @IsAmount({ min: '0' })
  quantity: string;

  @Optional()
  @IsInstant()
  period_start?: string | null;

  @Optional()
  @IsInstant()
  period_end?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  price_id?: string | null;

  @NotYet()
  price_type?: string | null;

  @NotYet()
  meter_id?: string | null;

  @NotYet()
  entity_id?: string | null;

  @NotYet()
  entity_type?: string | null;
}

export class CreateInvoiceBody {
  @IsText()
  customer_id: string;

  @IsCurrency()
  currency: string;

  /** The three are one: the sum of the lines. */
  @IsAmount({ min: '0' })
  amount_due: string;

  @IsAmount({ min: '0' })
  subtotal: string;

  @IsAmount({ min: '0' })
  total: string;

  @Parts(() => OneOffLineBody, { min: 1, max: 200 })
  line_items: OneOffLineBody[];

  @Optional()
  @IsIn(['ONE_OFF'])
  invoice_type?: 'ONE_OFF' | null;

  /** Default: FINALIZED. */
  @Optional()
  @IsIn(['DRAFT', 'FINALIZED'])
  invoice_status?: 'DRAFT' | 'FINALIZED' | null;

  @Optional()
  @IsIn(BILLING_REASONS.filter((reason) => reason === 'MANUAL'))
  billing_reason?: 'MANUAL' | null;

  @Optional()
  @IsIn(['PENDING'])
  payment_status?: 'PENDING' | null;

  @Optional()
  @IsAmount({ min: '0', max: '0' })
  amount_paid?: string | null;

  /** Ahead of now; default: seven days after finalization. */
  @Optional()
  @IsInstant()
  due_date?: string | null;

  @Optional()
  @IsInstant()
  period_start?: string | null;

  @Optional()
  @IsInstant()
  period_end?: string | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  /** One key is one invoice. */
  @Optional()
  @IsText()
  idempotency_key?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  invoice_number?: string | null;

  @NotYet()
  subscription_id?: string | null;

  @NotYet()
  coupons?: unknown[] | null;

  @NotYet()
  line_item_coupons?: unknown[] | null;

  @NotYet()
  tax_rates?: unknown[] | null;

  @NotYet()
  tax_rate_overrides?: unknown[] | null;

  @NotYet()
  invoice_pdf_url?: string | null;
}
