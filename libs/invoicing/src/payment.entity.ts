import type { ChargeRequest, CheckoutRequest } from '@drawdown/contracts';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { ATTEMPT_STATES, CHECKOUT_STATUSES, PAYMENT_STATUSES } from './lifecycles.js';

export const PAYMENT_METHOD_TYPES = ['CARD', 'PAYMENT_LINK', 'OFFLINE', 'CREDITS'] as const;
export type PaymentMethodType = (typeof PAYMENT_METHOD_TYPES)[number];

/** Where a hosted page leads to. */
export interface ReturnUrls {
  readonly success_url: string;
  readonly cancel_url: string;
}

const PaymentSchema = defineEntity({
  name: 'Payment',
  tableName: 'payment',
  properties: {
    ...owned,
    invoiceId: p.string(),
    customerId: p.string(),
    /**
     * CARD: charged off-session, one per invoice with an attempt per try. PAYMENT_LINK: one per hosted page. OFFLINE: money
     * of another way. CREDITS: from the customer's wallets.
     */
    methodType: p.enum(PAYMENT_METHOD_TYPES),
    status: p.enum(PAYMENT_STATUSES),
    /** What is asked for, money. */
    amount: amount(),
    currency: p.string(),
    paymentMethodId: p.string().nullable(),
    gatewayPaymentId: p.string().nullable(),
    errorCode: p.string().nullable(),
    errorMessage: p.string().nullable(),
    /** Of a hosted page: the method used is kept and becomes the default; where the customer comes back to. */
    saveMethod: p.boolean(),
    returnUrls: p.json<ReturnUrls>().nullable(),
    /** The caller's own key, unique in the environment. */
    requestKey: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
    succeededAt: p.datetime().nullable(),
    failedAt: p.datetime().nullable(),
    refundedAt: p.datetime().nullable(),
    /** Deleted by somebody; what was tried stays known, and shows again when it is tried again. */
    archivedAt: p.datetime().nullable(),
  },
});

/** One way in which the money of an invoice is collected. An invoice has at most one open: a unique index. */
export class Payment extends PaymentSchema.class {}
PaymentSchema.setClass(Payment);

const PaymentAttemptSchema = defineEntity({
  name: 'PaymentAttempt',
  tableName: 'payment_attempt',
  properties: {
    ...owned,
    paymentId: p.string(),
    invoiceId: p.string(),
    customerId: p.string(),
    /** 1, 2, 3 … within the payment. */
    number: p.integer(),
    /** Why it was made; unique per invoice, so that one cause told twice charges once. */
    cause: p.string(),
    /** Frozen: whatever is sent, resolved or sent again is this. */
    request: p.json<ChargeRequest>(),
    state: p.enum(ATTEMPT_STATES),
    /** How often the gateway was asked what became of it. */
    timesAsked: p.integer(),
    gatewayPaymentId: p.string().nullable(),
    errorCode: p.string().nullable(),
    errorMessage: p.string().nullable(),
    /** The same card is not worth another try. */
    hard: p.boolean(),
    sentAt: p.datetime().nullable(),
    settledAt: p.datetime().nullable(),
  },
});

/** One charge of a saved card, committed before it is sent. */
export class PaymentAttempt extends PaymentAttemptSchema.class {}
PaymentAttemptSchema.setClass(PaymentAttempt);

const PaymentReceiptSchema = defineEntity({
  name: 'PaymentReceipt',
  tableName: 'payment_receipt',
  properties: {
    ...owned,
    paymentId: p.string(),
    invoiceId: p.string(),
    customerId: p.string(),
    /** Unique in the environment: one payment of the gateway is counted once, whoever tells of it. */
    gatewayPaymentId: p.string(),
    amount: amount(),
    currency: p.string(),
  },
});

/** Money that arrived. Rows are only added; an invoice's `amountPaid` and `overpaidAmount` are their sum. */
export class PaymentReceipt extends PaymentReceiptSchema.class {}
PaymentReceiptSchema.setClass(PaymentReceipt);

export const CHECKOUT_MODES = ['top_up', 'setup', 'invoice'] as const;
export type CheckoutMode = (typeof CHECKOUT_MODES)[number];

const CheckoutSessionSchema = defineEntity({
  name: 'CheckoutSession',
  tableName: 'checkout_session',
  properties: {
    ...owned,
    customerId: p.string(),
    mode: p.enum(CHECKOUT_MODES),
    /** Null in mode setup, as `paymentId`. */
    invoiceId: p.string().nullable(),
    paymentId: p.string().nullable(),
    status: p.enum(CHECKOUT_STATUSES),
    /** Frozen: a page opened twice is the same page. */
    request: p.json<CheckoutRequest>(),
    gatewaySessionId: p.string().nullable(),
    url: p.string().nullable(),
    /** When the page is closed if nobody used it. */
    expiresAt: p.datetime(),
    settledAt: p.datetime().nullable(),
  },
});

/** A hosted page: to buy credits, to save a card, or to pay an invoice. */
export class CheckoutSession extends CheckoutSessionSchema.class {}
CheckoutSessionSchema.setClass(CheckoutSession);
