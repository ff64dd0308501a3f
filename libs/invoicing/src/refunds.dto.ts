import { text } from '@drawdown/billing-core';
import { IsAmount, IsCurrency, IsMetadata, IsText, Optional, PageQuery, PaginationView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { DISPUTE_STAGES, REFUND_STATES, type DisputeStage, type RefundState } from './lifecycles.js';
import { REFUND_ORIGINS, type Dispute, type Refund } from './refund.entity.js';

export class CreateRefundBody {
  /** Money, in whole minor units. Default: all that is left of the payment. */
  @Optional()
  @IsAmount({ above: '0' })
  amount?: string | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  reason?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  /** One key is one refund. */
  @Optional()
  @IsText()
  idempotency_key?: string | null;
}

export class PayOutBody {
  @IsCurrency()
  currency: string;

  /** Default: all that the customer has with us. */
  @Optional()
  @IsAmount({ above: '0' })
  amount?: string | null;
}

export class RefundView {
  id: string;
  tenant_id: string;
  environment_id: string;
  created_at: string;
  updated_at: string;
  payment_id: string;
  invoice_id: string;
  customer_id: string;
  /** Who began it; `gateway`: somebody at the gateway itself. */
  @ApiProperty({ enum: REFUND_ORIGINS })
  origin: string;
  amount: string;
  currency: string;
  /** Bought credits that go back with it. */
  credits: string;
  @ApiProperty({ type: String, nullable: true })
  reason: string | null;
  @ApiProperty({ enum: REFUND_STATES })
  refund_status: RefundState;
  @ApiProperty({ type: String, nullable: true })
  gateway_refund_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  error_code: string | null;
  @ApiProperty({ type: String, nullable: true })
  error_message: string | null;
  @ApiProperty({ type: String, nullable: true })
  settled_at: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  @ApiProperty({ type: String, nullable: true })
  idempotency_key: string | null;
}

export const refundView = (refund: Refund): RefundView => ({
  ...ownRow(refund),
  payment_id: refund.paymentId,
  invoice_id: refund.invoiceId,
  customer_id: refund.customerId,
  origin: refund.origin,
  amount: text(refund.amount),
  currency: refund.currency,
  credits: text(refund.credits),
  reason: refund.reason ?? null,
  refund_status: refund.state,
  gateway_refund_id: refund.gatewayRefundId ?? null,
  error_code: refund.errorCode ?? null,
  error_message: refund.errorMessage ?? null,
  settled_at: refund.settledAt?.toISOString() ?? null,
  metadata: refund.metadata,
  idempotency_key: refund.requestKey ?? null,
});

export class RefundListView {
  @ApiProperty({ type: [RefundView] })
  items: RefundView[];
  pagination: PaginationView;
}

export class DisputeQuery extends PageQuery {
  @Optional()
  @IsText()
  customer_id?: string | null;

  @Optional()
  @IsText()
  payment_id?: string | null;

  @Optional()
  @IsIn(DISPUTE_STAGES)
  dispute_status?: DisputeStage | null;
}

export class DisputeView {
  id: string;
  tenant_id: string;
  environment_id: string;
  created_at: string;
  updated_at: string;
  payment_id: string;
  invoice_id: string;
  customer_id: string;
  gateway_dispute_id: string;
  amount: string;
  currency: string;
  /** Bought credits that stand for it. */
  credits: string;
  /** Of them those that were still there and were set aside when it began; the others are owed once it is lost. */
  credits_set_aside: string;
  reason: string;
  @ApiProperty({ enum: DISPUTE_STAGES })
  dispute_status: DisputeStage;
  @ApiProperty({ type: String, nullable: true })
  closed_at: string | null;
}

export class DisputeListView {
  @ApiProperty({ type: [DisputeView] })
  items: DisputeView[];
  pagination: PaginationView;
}

export const disputeView = (dispute: Dispute): DisputeView => ({
  ...ownRow(dispute),
  payment_id: dispute.paymentId,
  invoice_id: dispute.invoiceId,
  customer_id: dispute.customerId,
  gateway_dispute_id: dispute.gatewayDisputeId,
  amount: text(dispute.amount),
  currency: dispute.currency,
  credits: text(dispute.credits),
  credits_set_aside: text(dispute.creditsSetAside),
  reason: dispute.reason,
  dispute_status: dispute.stage,
  closed_at: dispute.closedAt?.toISOString() ?? null,
});

const ownRow = ({ id, tenantId, environmentId, createdAt, updatedAt }: Refund | Dispute) => ({
  id,
  tenant_id: tenantId,
  environment_id: environmentId,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
});
