import type Stripe from 'stripe';
import { ApiError, documentation, type ErrorBody } from './api-error.js';
import type { Decline } from './cards.js';

/** A decline as the error of the intent it happened to. */
export function declineBody(decline: Decline, method: Stripe.PaymentMethod, charge?: Stripe.Charge): ErrorBody {
  return {
    type: 'card_error',
    ...(decline.advice_code && { advice_code: decline.advice_code }),
    ...(charge && { charge: charge.id }),
    code: decline.code,
    ...(decline.decline_code && { decline_code: decline.decline_code }),
    ...documentation(decline.code),
    message: decline.message,
    payment_method: method,
  };
}

/** HTTP 402. What led to it (the failed charge, the intent's new state) stays. */
export function cardError(body: ErrorBody, subject: Pick<ErrorBody, 'payment_intent' | 'setup_intent'>): ApiError {
  return new ApiError(402, { ...body, ...subject }, { keepsEffects: true });
}
