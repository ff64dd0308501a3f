import { fromMinorUnits, text } from '@drawdown/billing-core';
import type { ChargeOutcome } from '@drawdown/contracts';
import Stripe from 'stripe';
import { idOf } from './stripe-api.js';

type Failed = Extract<ChargeOutcome, { status: 'failed' }>;

/** `none`: the attempt has surely not been thrown at the card. `unknown`: it may have been. */
export type Verdict = ChargeOutcome | { readonly status: 'none' } | { readonly status: 'unknown' };

/**
 * In the metadata of a PaymentIntent that is confirmed again: its latest charge before. While that is still the latest,
 * the new attempt hasn't been thrown at the card, whatever the last error says.
 */
export const CHARGE_BEFORE = 'charge_before';
export const NO_CHARGE = 'none';

/** What an answer of Stripe to a charge, or a later look at its PaymentIntent, means (reference "Stripe, 5"). */
export function chargeOutcome(answer: { intent: Stripe.PaymentIntent } | { error: unknown }): Verdict {
  return 'intent' in answer ? ofIntent(answer.intent) : ofError(answer.error);
}

function ofIntent(intent: Stripe.PaymentIntent): Verdict {
  const gatewayPaymentId = intent.id;
  switch (intent.status) {
    case 'succeeded':
      return { status: 'succeeded', gatewayPaymentId, amount: amountReceived(intent) };
    case 'processing':
    case 'requires_capture':
      return { status: 'processing', gatewayPaymentId };
    case 'requires_action':
      return failed(gatewayPaymentId, 'authentication_required', 'the customer has to authenticate this payment', {
        needsCustomer: true,
      });
    case 'canceled':
      return failed(gatewayPaymentId, 'canceled', 'the payment was canceled');
    case 'requires_payment_method':
      if (!intent.last_payment_error || !wasConfirmed(intent)) return { status: 'none' };
      return declined(gatewayPaymentId, intent.last_payment_error);
    case 'requires_confirmation':
    default:
      return { status: 'none' };
  }
}

function ofError(error: unknown): Verdict {
  const { StripeCardError, StripeInvalidRequestError } = Stripe.errors;
  if (error instanceof StripeCardError) return declined(error.payment_intent?.id ?? null, error);
  if (!(error instanceof StripeInvalidRequestError)) return { status: 'unknown' };
  if (error.code === 'payment_intent_unexpected_state' && error.payment_intent) {
    const seen = ofIntent(error.payment_intent);
    if (seen.status !== 'none') return seen;
  }
  // Refused as it stands: nothing was charged, and the same request would be refused again.
  const code = error.code === 'resource_missing' ? `${error.param ?? 'resource'}_missing` : error.code;
  return failed(error.payment_intent?.id ?? null, code ?? 'invalid_request', error.message, {
    hard: NEVER_AGAIN.has(code ?? ''),
  });
}

/** What arrived, an exact decimal in major units. */
export const amountReceived = (intent: Stripe.PaymentIntent): string =>
  text(fromMinorUnits(BigInt(intent.amount_received), intent.currency));

function wasConfirmed(intent: Stripe.PaymentIntent): boolean {
  return (idOf(intent.latest_charge) ?? NO_CHARGE) !== intent.metadata[CHARGE_BEFORE];
}

interface Decline {
  readonly code?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly message?: string;
}

const AUTHENTICATION: ReadonlySet<string> = new Set([
  'authentication_required',
  'authentication_not_handled',
  'payment_intent_authentication_failure',
]);

/** Declines and refusals after which the same card is of no use (docs.stripe.com/declines/codes). */
const NEVER_AGAIN: ReadonlySet<string> = new Set(
  (
    'account_closed bank_account_closed card_not_supported currency_not_supported expired_card fraudulent ' +
    'incorrect_cvc incorrect_number invalid_account invalid_cvc invalid_expiry_month invalid_expiry_year ' +
    'invalid_number lost_card merchant_blacklist new_account_information_available not_permitted pickup_card ' +
    'restricted_card revocation_of_all_authorizations revocation_of_authorization security_violation ' +
    'service_not_allowed stolen_card stop_payment_order transaction_not_allowed ' +
    'amount_too_large amount_too_small payment_method_unexpected_state'
  ).split(' '),
);

function declined(gatewayPaymentId: string | null, decline: Decline): Failed {
  // The client library gives an empty text where Stripe gave no decline code.
  const code = decline.decline_code || decline.code || 'card_declined';
  const needsCustomer = AUTHENTICATION.has(code) || AUTHENTICATION.has(decline.code ?? '');
  return failed(gatewayPaymentId, code, decline.message ?? 'the card was declined', {
    needsCustomer,
    hard: !needsCustomer && isHard(code, decline.advice_code),
  });
}

/** The issuer's advice where there is one, else the code. */
function isHard(code: string, advice: string | undefined): boolean {
  if (advice === 'do_not_try_again' || advice === 'confirm_card_data') return true;
  return advice !== 'try_again_later' && NEVER_AGAIN.has(code);
}

export function failed(
  gatewayPaymentId: string | null,
  code: string,
  message: string,
  { hard = false, needsCustomer = false }: Partial<Pick<Failed, 'hard' | 'needsCustomer'>> = {},
): Failed {
  return { status: 'failed', gatewayPaymentId, code, message, hard, needsCustomer };
}
