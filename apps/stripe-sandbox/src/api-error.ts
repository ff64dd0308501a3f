import type Stripe from 'stripe';

export type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

/** The `error` object of an answer; the same fields as `last_payment_error`, plus the object it happened to. */
export interface ErrorBody extends Omit<Stripe.PaymentIntent.LastPaymentError, 'type' | 'code'> {
  type: ErrorType;
  code?: string;
}

export interface ErrorTraits {
  /** A decline is an answer, not a failure: what was written before it stays. */
  keepsEffects?: boolean;
  /** Refused before the endpoint began to execute: not remembered under the idempotency key. */
  beforeExecution?: boolean;
  shouldRetry?: boolean;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    readonly traits: ErrorTraits = {},
  ) {
    super(body.message);
  }
}

interface Detail extends Partial<ErrorBody> {
  status?: number;
}

export function invalidRequest(message: string, { status = 400, ...detail }: Detail = {}): ApiError {
  return new ApiError(status, { ...detail, type: 'invalid_request_error', message, ...documentation(detail.code) });
}

/** The request itself is malformed: found before anything runs. */
export function invalidParameter(message: string, param: string, code?: string): ApiError {
  const body: ErrorBody = { type: 'invalid_request_error', message, param, ...documentation(code) };
  return new ApiError(400, code ? { ...body, code } : body, { beforeExecution: true });
}

export function missing(noun: string, id: string, param = 'id'): ApiError {
  return invalidRequest(`No such ${noun}: '${id}'`, {
    status: param === 'id' ? 404 : 400,
    code: 'resource_missing',
    param,
  });
}

export function documentation(code: string | undefined): { doc_url?: string } {
  return code ? { doc_url: `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}` } : {};
}
