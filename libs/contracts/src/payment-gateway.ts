import Type from 'typebox';
import { Amount, Currency, defineEvent, Id, Nullable } from './event.js';

/**
 * The way to the money, as invoicing sees it. The `stripe` module implements it and, being global, provides it under
 * PAYMENT_GATEWAY: invoicing can't import it. Every method talks to the network: call it outside any transaction, and
 * only after what it is about is committed.
 */
export interface PaymentGateway {
  /**
   * Charges a saved payment method without the customer. The attempt row holding `request` is committed before.
   * A repeat with the same attempt id can't charge twice. A decline is an outcome, not an error.
   * @throws OutcomeUnknown when the answer was lost: nobody may charge again before `resolve` has told. Invoicing takes
   * any other error the same way: unknown is not failed.
   */
  charge(request: ChargeRequest): Promise<ChargeOutcome>;

  /**
   * Asks what became of an attempt. `none`: it surely never reached the gateway and may be sent with the same id.
   * @throws when the gateway can't tell now; it is asked again later.
   */
  resolve(request: ChargeRequest): Promise<ChargeOutcome | { readonly status: 'none' }>;

  /**
   * Gives money of a payment back. The row holding `request` is committed before; a repeat with the same refund id can't
   * give it back twice. A refusal is an outcome, not an error.
   * @throws OutcomeUnknown when the answer was lost, as `charge`.
   */
  refund(request: RefundRequest): Promise<RefundOutcome>;

  /** As `resolve`, of a refund. */
  resolveRefund(request: RefundRequest): Promise<RefundOutcome | { readonly status: 'none' }>;

  /** Opens a hosted page. The row of `request.sessionId` is committed before; a repeat gives the same page. */
  openCheckout(
    request: CheckoutRequest,
  ): Promise<{ readonly gatewaySessionId: string; readonly url: string; readonly expiresAt: string }>;

  /** Reads a hosted page's state; an outcome found is told by `checkoutSettled` exactly as by the webhook. */
  refreshCheckout(environment: GatewayScope, gatewaySessionId: string): Promise<void>;

  /**
   * Closes a hosted page that nobody used in time. What became of it is told by `checkoutSettled`: `expired`, or what
   * the customer did a moment before.
   */
  expireCheckout(environment: GatewayScope, gatewaySessionId: string): Promise<void>;
}

export const PAYMENT_GATEWAY = Symbol('payment gateway');

/**
 * The payment methods customers have saved, read inside the caller's transaction (`Tx` is the platform's). Implemented
 * and provided by the `stripe` module under SAVED_METHODS, like the gateway.
 */
export interface SavedMethods<Tx> {
  /** The method an off-session charge would take; null when there is none that can be charged. */
  defaultOf(tx: Tx, customerId: string): Promise<SavedMethod | null>;

  /** One of the customer's methods; null when it has no such one that can be charged. */
  get(tx: Tx, customerId: string, id: string): Promise<SavedMethod | null>;
}

export const SAVED_METHODS = Symbol('saved payment methods');

export interface SavedMethod {
  /** The id of `paymentMethodSaved`, and of `ChargeRequest.paymentMethodId`. */
  readonly id: string;
  readonly brand: string;
  readonly last4: string;
}

/** The answer to a charge was lost: it may have happened or not. */
export class OutcomeUnknown extends Error {}

export interface GatewayScope {
  readonly tenantId: string;
  readonly environmentId: string;
}

/** Frozen when the attempt is made; plain JSON. Amounts are exact decimals in major units, as text. */
export interface ChargeRequest extends GatewayScope {
  readonly attemptId: string;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly customerId: string;
  /** The saved method of `paymentMethodSaved`. */
  readonly paymentMethodId: string;
  /** The PaymentIntent of an earlier attempt on the same invoice, confirmed again. */
  readonly gatewayPaymentId: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly description: string;
}

export type ChargeOutcome =
  | { readonly status: 'succeeded'; readonly gatewayPaymentId: string; readonly amount: string }
  | {
      readonly status: 'failed';
      readonly gatewayPaymentId: string | null;
      readonly code: string;
      readonly message: string;
      /** Trying the same card again is of no use (lost, stolen, closed). */
      readonly hard: boolean;
      /** The customer has to come and authenticate. */
      readonly needsCustomer: boolean;
    }
  | { readonly status: 'processing'; readonly gatewayPaymentId: string };

/** Frozen when the refund is made; plain JSON. */
export interface RefundRequest extends GatewayScope {
  readonly refundId: string;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly gatewayPaymentId: string;
  readonly amount: string;
  readonly currency: string;
}

/** `pending`: on its way, the final word comes later. A refund that succeeded may still fail, days later. */
export type RefundOutcome =
  | { readonly status: 'succeeded' | 'pending'; readonly gatewayRefundId: string }
  | {
      readonly status: 'failed';
      readonly gatewayRefundId: string | null;
      readonly code: string;
      readonly message: string;
    };

export interface CheckoutRequest extends GatewayScope {
  readonly sessionId: string;
  readonly mode: 'setup' | 'payment';
  readonly customerId: string;
  readonly customerName: string | null;
  readonly customerEmail: string | null;
  /** Null in mode setup. */
  readonly payment: {
    readonly paymentId: string;
    readonly invoiceId: string;
    readonly amount: string;
    readonly currency: string;
    readonly description: string;
  } | null;
  /** In mode payment: the method used is kept for later charges without the customer, who is told so on the page. */
  readonly saveMethod?: boolean;
  readonly successUrl: string;
  readonly cancelUrl: string;
}

const gateway = { customer_id: Id };

/** Told by the gateway module inside the transaction that marks the webhook (or the read) handled. */
export const chargeSettled = defineEvent('gateway.charge_settled', 'The gateway told the outcome of a charge', {
  attempt_id: Id,
  outcome: Type.Union([
    Type.Object({ status: Type.Literal('succeeded'), gatewayPaymentId: Id, amount: Type.String() }),
    Type.Object({
      status: Type.Literal('failed'),
      gatewayPaymentId: Nullable(Id),
      code: Type.String(),
      message: Type.String(),
      hard: Type.Boolean(),
      needsCustomer: Type.Boolean(),
    }),
    Type.Object({ status: Type.Literal('processing'), gatewayPaymentId: Id }),
  ]),
});
export const checkoutSettled = defineEvent('gateway.checkout_settled', 'A hosted page was completed or expired', {
  ...gateway,
  session_id: Id,
  status: Type.Enum(['paid', 'saved', 'expired', 'failed']),
  gateway_payment_id: Nullable(Id),
  /** What was paid, an exact decimal in major units; null where nothing was. */
  amount: Nullable(Type.String()),
});
const refundOutcome = Type.Union([
  Type.Object({ status: Type.Enum(['succeeded', 'pending']), gatewayRefundId: Id }),
  Type.Object({
    status: Type.Literal('failed'),
    gatewayRefundId: Nullable(Id),
    code: Type.String(),
    message: Type.String(),
  }),
]);
export const refundSettled = defineEvent('gateway.refund_settled', 'The gateway told the outcome of a refund', {
  refund_id: Id,
  outcome: refundOutcome,
});
export const refundReported = defineEvent(
  'gateway.refund_reported',
  'Somebody gave money back at the gateway itself, and that stands, is on its way, or came to nothing',
  { ...gateway, gateway_payment_id: Id, amount: Amount, currency: Currency, outcome: refundOutcome },
);
export const disputeChanged = defineEvent(
  'gateway.dispute_changed',
  'A customer took money back at its bank: it is withdrawn while the dispute is open, back when it is won, gone when lost',
  {
    ...gateway,
    gateway_dispute_id: Id,
    gateway_payment_id: Id,
    amount: Amount,
    currency: Currency,
    reason: Type.String(),
    stage: Type.Enum(['open', 'won', 'lost']),
  },
);
export const paymentMethodSaved = defineEvent('payment_method.saved', 'A customer saved a payment method', {
  ...gateway,
  payment_method_id: Id,
  brand: Type.String(),
  last4: Type.String(),
});
export const paymentMethodPreferred = defineEvent(
  'payment_method.preferred',
  'A saved payment method became the one that is charged',
  { ...gateway, payment_method_id: Id },
);
export const paymentMethodRemoved = defineEvent('payment_method.removed', 'A saved payment method is gone', {
  ...gateway,
  payment_method_id: Id,
});
