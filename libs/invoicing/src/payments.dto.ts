import { text } from '@drawdown/billing-core';
import { IsText, IsTexts, NotYet, Optional, PageQuery, PaginationView, UnusedKey } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn } from 'class-validator';
import { recordOf } from './invoice-line.dto.js';
import { ATTEMPT_STATES, PAYMENT_STATUSES, type AttemptState, type PaymentStatus } from './lifecycles.js';
import { PAYMENT_METHOD_TYPES, type CheckoutSession, type Payment, type PaymentAttempt } from './payment.entity.js';

export class PaymentQuery extends PageQuery {
  @Optional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value))
  @IsTexts()
  payment_ids?: string[] | null;

  @Optional()
  @IsIn(['INVOICE'])
  destination_type?: 'INVOICE' | null;

  /** The invoice. */
  @Optional()
  @IsText()
  destination_id?: string | null;

  @Optional()
  @IsIn(PAYMENT_METHOD_TYPES)
  payment_method_type?: (typeof PAYMENT_METHOD_TYPES)[number] | null;

  @Optional()
  @IsIn(PAYMENT_STATUSES)
  payment_status?: PaymentStatus | null;

  @Optional()
  @IsIn(['stripe'])
  payment_gateway?: 'stripe' | null;

  @Optional()
  @IsText(3)
  currency?: string | null;

  /** The gateway's id of the payment. */
  @Optional()
  @IsText()
  gateway_payment_id?: string | null;

  /** The gateway's id of the hosted page. */
  @Optional()
  @IsText()
  gateway_tracking_id?: string | null;

  @NotYet()
  sort?: string | null;
}

export class PaymentAttemptView {
  id: string;
  tenant_id: string;
  environment_id: string;
  status: string;
  created_at: string;
  @UnusedKey()
  created_by: null;
  updated_at: string;
  @UnusedKey()
  updated_by: null;
  payment_id: string;
  attempt_number: number;
  @ApiProperty({ type: String, nullable: true })
  error_message: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  /** Ours, beside the client's keys. */
  @ApiProperty({ enum: ATTEMPT_STATES })
  state: AttemptState;
  @ApiProperty({ type: String, nullable: true })
  error_code: string | null;
}

/** A collection of an invoice's money, an exact decimal as text. */
export class PaymentView {
  id: string;
  tenant_id: string;
  environment_id: string;
  status: string;
  created_at: string;
  @UnusedKey()
  created_by: null;
  updated_at: string;
  @UnusedKey()
  updated_by: null;
  amount: string;
  currency: string;
  destination_type: 'INVOICE';
  destination_id: string;
  @ApiProperty({ type: String, nullable: true })
  invoice_number: string | null;
  @ApiProperty({ enum: PAYMENT_METHOD_TYPES })
  payment_method_type: string;
  @ApiProperty({ type: String, nullable: true })
  payment_method_id: string | null;
  @ApiProperty({ enum: PAYMENT_STATUSES })
  payment_status: PaymentStatus;
  /** Null where no gateway took part. */
  @ApiProperty({ type: String, nullable: true })
  payment_gateway: string | null;
  @ApiProperty({ type: String, nullable: true })
  gateway_payment_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  gateway_tracking_id: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  gateway_metadata: Record<string, string>;
  @ApiProperty({ type: String, nullable: true })
  payment_url: string | null;
  @ApiProperty({ type: String, nullable: true })
  error_message: string | null;
  @ApiProperty({ type: String, nullable: true })
  succeeded_at: string | null;
  @ApiProperty({ type: String, nullable: true })
  failed_at: string | null;
  /** The latest refund that stands. */
  @ApiProperty({ type: String, nullable: true })
  refunded_at: string | null;
  track_attempts: boolean;
  @ApiProperty({ type: [PaymentAttemptView] })
  attempts: PaymentAttemptView[];
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  @ApiProperty({ type: String, nullable: true })
  idempotency_key: string | null;
  save_card_and_make_default: boolean;
  /** Ours, beside the client's keys. */
  @ApiProperty({ type: String, nullable: true })
  error_code: string | null;
}

export class PaymentListView {
  @ApiProperty({ type: [PaymentView] })
  items: PaymentView[];
  pagination: PaginationView;
}

export interface PaymentParts {
  readonly invoiceNumber: string | null;
  readonly attempts: readonly PaymentAttempt[];
  readonly page: CheckoutSession | null;
}

export const paymentView = (payment: Payment, { invoiceNumber, attempts, page }: PaymentParts): PaymentView => {
  const url = page?.url ?? null;
  const byGateway = payment.methodType === 'CARD' || payment.methodType === 'PAYMENT_LINK';
  return {
    ...recordOf(payment),
    id: payment.id,
    amount: text(payment.amount),
    currency: payment.currency,
    destination_type: 'INVOICE',
    destination_id: payment.invoiceId,
    invoice_number: invoiceNumber,
    payment_method_type: payment.methodType,
    payment_method_id: payment.paymentMethodId ?? null,
    payment_status: payment.status,
    payment_gateway: byGateway ? 'stripe' : null,
    gateway_payment_id: byGateway ? (payment.gatewayPaymentId ?? null) : null,
    gateway_tracking_id: page?.gatewaySessionId ?? null,
    gateway_metadata: url ? { payment_url: url } : {},
    payment_url: url,
    error_message: payment.errorMessage ?? null,
    succeeded_at: payment.succeededAt?.toISOString() ?? null,
    failed_at: payment.failedAt?.toISOString() ?? null,
    refunded_at: payment.refundedAt?.toISOString() ?? null,
    track_attempts: payment.methodType === 'CARD',
    attempts: attempts.map(attemptView),
    metadata: payment.metadata,
    idempotency_key: payment.requestKey ?? null,
    save_card_and_make_default: payment.saveMethod,
    error_code: payment.errorCode ?? null,
  };
};

const attemptView = (attempt: PaymentAttempt): PaymentAttemptView => ({
  ...recordOf(attempt),
  id: attempt.id,
  payment_id: attempt.paymentId,
  attempt_number: attempt.number,
  error_message: attempt.errorMessage ?? null,
  metadata: {},
  state: attempt.state,
  error_code: attempt.errorCode ?? null,
});
