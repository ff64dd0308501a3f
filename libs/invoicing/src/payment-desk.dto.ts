import { IsAmount, IsCurrency, IsMetadata, IsText, NotYet, Optional } from '@drawdown/platform';
import { IsBoolean, IsIn, IsString, IsUrl, MaxLength } from 'class-validator';
import { PAYMENT_METHOD_TYPES } from './payment.entity.js';

const WEB = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

export class CreatePaymentBody {
  /** Of a card or a hosted page all that is left to pay, of credits at most that. */
  @IsAmount({ above: '0' })
  amount: string;

  @IsCurrency()
  currency: string;

  @IsIn(['INVOICE'])
  destination_type: 'INVOICE';

  /** The invoice. */
  @IsText()
  destination_id: string;

  /**
   * CARD charges a saved card, PAYMENT_LINK opens a hosted page, OFFLINE records money, CREDITS pays from the customer's
   * wallets that allow it.
   */
  @IsIn(PAYMENT_METHOD_TYPES)
  payment_method_type: (typeof PAYMENT_METHOD_TYPES)[number];

  @Optional()
  @IsIn(['stripe'])
  payment_gateway?: 'stripe' | null;

  /** False: it waits to be processed. */
  @Optional()
  @IsBoolean()
  process_payment?: boolean | null;

  /** Of a hosted page: the method used is kept for later charges. */
  @Optional()
  @IsBoolean()
  save_card_and_make_default?: boolean | null;

  /** Where the hosted page leads to. */
  @Optional()
  @IsUrl(WEB)
  success_url?: string | null;

  @Optional()
  @IsUrl(WEB)
  cancel_url?: string | null;

  /** One key is one payment. */
  @Optional()
  @IsText()
  idempotency_key?: string | null;

  /** Of CARD a saved method (default: the default one), of CREDITS a wallet (default: all that allow it). */
  @Optional()
  @IsText()
  payment_method_id?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class UpdatePaymentBody {
  /** Of a payment that waits: FAILED, or SUCCEEDED for money that came another way. */
  @Optional()
  @IsIn(['SUCCEEDED', 'FAILED'])
  payment_status?: 'SUCCEEDED' | 'FAILED' | null;

  @Optional()
  @IsText()
  payment_method_id?: string | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  error_message?: string | null;

  @Optional()
  @IsIn(['stripe'])
  payment_gateway?: 'stripe' | null;

  /** What the gateway says is not said by hand. */
  @NotYet()
  gateway_payment_id?: string | null;

  @NotYet()
  succeeded_at?: string | null;

  @NotYet()
  failed_at?: string | null;
}
