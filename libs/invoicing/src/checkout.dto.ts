import { MOST_CREDITS } from '@drawdown/billing-core';
import { IsAmount, Optional } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, IsUrl, MaxLength, ValidateIf } from 'class-validator';
import { CHECKOUT_STATUSES, type CheckoutStatus } from './lifecycles.js';
import { CHECKOUT_MODES, type CheckoutMode, type CheckoutSession } from './payment.entity.js';

const IsReturnAddress = () =>
  IsUrl(
    { protocols: ['http', 'https'], require_protocol: true, require_tld: false },
    { message: '$property must be an http(s) address' },
  );

export class CreateCheckoutSessionBody {
  /** `top_up` buys credits for a wallet, `setup` saves a card, `invoice` pays an open invoice. */
  @IsIn(CHECKOUT_MODES)
  mode: CheckoutMode;

  /** Mode setup: whose card; or `external_customer_id`. */
  @Optional()
  @IsString()
  @MaxLength(255)
  customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string;

  /** Mode top_up. */
  @ValidateIf((body: CreateCheckoutSessionBody) => body.mode === 'top_up')
  @IsString()
  @MaxLength(255)
  wallet_id?: string;

  /** Mode top_up: credits to buy, at the wallet's `topup_conversion_rate`. */
  @ValidateIf((body: CreateCheckoutSessionBody) => body.mode === 'top_up')
  @IsAmount({ above: '0', max: MOST_CREDITS })
  credits?: string;

  /** Mode invoice. */
  @ValidateIf((body: CreateCheckoutSessionBody) => body.mode === 'invoice')
  @IsString()
  @MaxLength(255)
  invoice_id?: string;

  /** Where the customer comes back to. */
  @IsReturnAddress()
  @MaxLength(2000)
  success_url: string;

  @IsReturnAddress()
  @MaxLength(2000)
  cancel_url: string;
}

export class CheckoutSessionView {
  id: string;
  @ApiProperty({ enum: CHECKOUT_MODES })
  mode: CheckoutMode;
  /** The hosted page; null until it is open. */
  @ApiProperty({ type: String, nullable: true })
  url: string | null;
  @ApiProperty({ enum: CHECKOUT_STATUSES })
  status: CheckoutStatus;
  customer_id: string;
  /** What is paid on the page; null in mode setup. */
  @ApiProperty({ type: String, nullable: true })
  invoice_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  payment_id: string | null;
  expires_at: string;
  created_at: string;
  updated_at: string;
}

export const checkoutSessionView = (session: CheckoutSession): CheckoutSessionView => ({
  id: session.id,
  mode: session.mode,
  url: session.url ?? null,
  status: session.status,
  customer_id: session.customerId,
  invoice_id: session.invoiceId ?? null,
  payment_id: session.paymentId ?? null,
  expires_at: session.expiresAt.toISOString(),
  created_at: session.createdAt.toISOString(),
  updated_at: session.updatedAt.toISOString(),
});
