import { PaginationView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import type { PaymentMethod } from './payment-method.entity.js';

export class PaymentMethodView {
  id: string;
  tenant_id: string;
  environment_id: string;
  customer_id: string;
  /** `card`, or another of Stripe's types. */
  type: string;
  /** Of a card its network, else the type. */
  brand: string;
  /** Empty where the type has no number. */
  last4: string;
  @ApiProperty({ type: 'integer', nullable: true })
  exp_month: number | null;
  @ApiProperty({ type: 'integer', nullable: true })
  exp_year: number | null;
  /** What is charged without the customer: the one saved, or preferred, last. */
  is_default: boolean;
  created_at: string;
  updated_at: string;
}

export class PaymentMethodListView {
  @ApiProperty({ type: [PaymentMethodView] })
  items: PaymentMethodView[];
  pagination: PaginationView;
}

export const paymentMethodView = (method: PaymentMethod, isDefault: boolean): PaymentMethodView => ({
  id: method.id,
  tenant_id: method.tenantId,
  environment_id: method.environmentId,
  customer_id: method.customerId,
  type: method.type,
  brand: method.brand,
  last4: method.last4,
  exp_month: method.expMonth ?? null,
  exp_year: method.expYear ?? null,
  is_default: isDefault,
  created_at: method.createdAt.toISOString(),
  updated_at: method.updatedAt.toISOString(),
});
