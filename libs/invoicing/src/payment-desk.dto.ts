import { IsAmount, IsCurrency, IsText, NotYet, Optional } from '@drawdown/platform';
import { IsBoolean, IsIn, IsUrl } from 'class-validator';
import { PAYMENT_METHOD_TYPES } from './payment.entity.js';

const WEB = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

export class CreatePaymentBody {
  /** Of a card or a hosted page: all that is left to pay. */
  @IsAmount({ above: '0' })
  amount: string;

  @IsCurrency()
  currency: string;

  @IsIn(['INVOICE'])
  destination_type: 'INVOICE';

  /** The invoice. */
  @IsText()
  destination_id: string;

  /** CARD charges the saved default card, PAYMENT_LINK opens a hosted page, OFFLINE records money. */
  @IsIn(PAYMENT_METHOD_TYPES)
  payment_method_type: (typeof PAYMENT_METHOD_TYPES)[number];

  @Optional()
  @IsIn(['stripe'])
  payment_gateway?: 'stripe' | null;

  /** A payment is processed when it is made; false is refused. */
  @Optional()
  @IsIn([true])
  process_payment?: true | null;

  @Optional()
  @IsBoolean()
  @IsIn([false])
  save_card_and_make_default?: false | null;

  /** Where the hosted page leads to. */
  @Optional()
  @IsUrl(WEB)
  success_url?: string | null;

  @Optional()
  @IsUrl(WEB)
  cancel_url?: string | null;

  /** One key is one payment of the invoice. */
  @NotYet()
  idempotency_key?: string | null;

  @NotYet()
  payment_method_id?: string | null;

  @NotYet()
  metadata?: Record<string, string> | null;
}
