import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { INVOICE_PAYMENT_STATUSES, INVOICE_STATUSES, PURCHASE_STATES } from './lifecycles.js';

export const INVOICE_TYPES = ['SUBSCRIPTION', 'CREDIT', 'ONE_OFF'] as const;
export type InvoiceType = (typeof INVOICE_TYPES)[number];

export const BILLING_REASONS = ['SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE', 'SUBSCRIPTION_UPDATE', 'MANUAL'] as const;
export type BillingReason = (typeof BILLING_REASONS)[number];

/** Which step of a subscription an invoice bills: its first period, a later one, its end, or a change inside one. */
export const INVOICE_KINDS = ['start', 'cycle', 'final', 'change'] as const;
export type InvoiceKind = (typeof INVOICE_KINDS)[number];

/** What a line charges of a commitment, and what its period came to in all; money as exact text. */
export interface CommitmentNote {
  readonly kind: 'overage' | 'true_up';
  readonly period_id: string;
  /** Whether money was promised, or units for which `promised` is what they cost. */
  readonly type: 'amount' | 'quantity';
  /** Units of a full period. */
  readonly quantity: string | null;
  readonly promised: string;
  readonly utilized: string;
  readonly overage: string;
  readonly true_up: string;
  readonly overage_factor: string;
  readonly true_up_enabled: boolean;
  readonly duration: string;
}

const InvoiceSchema = defineEntity({
  name: 'Invoice',
  tableName: 'invoice',
  properties: {
    ...owned,
    customerId: p.string(),
    /** Null for a credit purchase and a one-off invoice; with `periodId` and `kind` unique. */
    subscriptionId: p.string().nullable(),
    kind: p.enum(INVOICE_KINDS).nullable(),
    /** The change of line items that is billed. */
    changeId: p.string().nullable(),
    /** The period that begins; of a change the one it falls in; of a final invoice the one that ended. */
    periodId: p.string().nullable(),
    /** The period whose usage and arrears fees are billed; each is billed by one invoice only. */
    endedPeriodId: p.string().nullable(),
    /** The number of the period in its subscription. */
    sequence: p.integer().nullable(),
    type: p.enum(INVOICE_TYPES),
    billingReason: p.enum(BILLING_REASONS),
    status: p.enum(INVOICE_STATUSES),
    paymentStatus: p.enum(INVOICE_PAYMENT_STATUSES),
    currency: p.string(),
    number: p.string().nullable(),
    description: p.string().nullable(),
    periodStart: p.datetime().nullable(),
    periodEnd: p.datetime().nullable(),
    /** Sum of gross. Money, as all amounts below; a draft's are zero until they are recorded at finalization. */
    subtotal: amount(),
    totalDiscount: amount(),
    totalCreditsApplied: amount(),
    /** What is due, never below zero. */
    total: amount(),
    /** By how much the lines are below zero: it becomes the customer's account credit. */
    accountCreditGiven: amount(),
    /** What the customer's account credit pays of it, before any card. */
    accountCreditApplied: amount(),
    /** Above zero: too little to charge, put off to the next invoice. Below zero: what earlier ones had put off, asked for here. */
    accountCarried: amount(),
    /** With `overpaidAmount` the sum of the receipts. */
    amountPaid: amount(),
    amountRemaining: amount(),
    overpaidAmount: amount(),
    /** Of what was received: given back, or on its way; and taken back by the customer's bank, or claimed. */
    refundedAmount: amount(),
    disputedAmount: amount(),
    dueDate: p.datetime().nullable(),
    finalizedAt: p.datetime().nullable(),
    paidAt: p.datetime().nullable(),
    voidedAt: p.datetime().nullable(),
    /** The caller's own key of a one-off invoice, unique in the environment. */
    requestKey: p.string().nullable(),
    /** In the address under which anybody who has it may pay the invoice, and learns what it asks for; null on a draft. */
    paymentToken: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** What a customer owes, and for what. Once finalized the database itself refuses to change its money. */
export class Invoice extends InvoiceSchema.class {}
InvoiceSchema.setClass(Invoice);

const InvoiceLineSchema = defineEntity({
  name: 'InvoiceLine',
  tableName: 'invoice_line',
  properties: {
    ...owned,
    invoiceId: p.string(),
    position: p.integer(),
    customerId: p.string(),
    subscriptionId: p.string().nullable(),
    /** The subscription's line item; null on an invoice for credits. */
    lineItemId: p.string().nullable(),
    priceId: p.string().nullable(),
    priceType: p.enum(['FIXED', 'USAGE'] as const).nullable(),
    planId: p.string().nullable(),
    planDisplayName: p.string().nullable(),
    meterId: p.string().nullable(),
    meterDisplayName: p.string().nullable(),
    displayName: p.string(),
    currency: p.string(),
    periodStart: p.datetime().nullable(),
    periodEnd: p.datetime().nullable(),
    quantity: amount(),
    freeUnits: amount(),
    gross: amount(),
    /** Given up visibly: the uncovered usage of a trial. */
    waived: amount(),
    /** Money that credits paid. */
    creditsApplied: amount(),
    /** gross - waived - credits applied */
    due: amount(),
    /** Of a line that a commitment added; null on all others. */
    commitment: p.json<CommitmentNote>().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

export class InvoiceLine extends InvoiceLineSchema.class {}
InvoiceLineSchema.setClass(InvoiceLine);

const AccountCreditEntrySchema = defineEntity({
  name: 'AccountCreditEntry',
  tableName: 'account_credit_entry',
  properties: {
    ...owned,
    customerId: p.string(),
    currency: p.string(),
    invoiceId: p.string(),
    /**
     * An invoice below zero gives it, a later one takes it (below zero). One too small to charge is carried (below zero),
     * a later one collects that. One that is withdrawn returns what it did, whichever way. What is paid out (below zero)
     * goes back by a refund of a payment of the invoice; one that fails pays it back to the account.
     */
    kind: p.enum(['given', 'applied', 'carried', 'collected', 'returned', 'paid_out', 'paid_back'] as const),
    refundId: p.string().nullable(),
    amount: amount(),
  },
});

/** Money of a customer that pays its next invoices, or below zero what they collect; the balance is the sum of the entries, which never change. */
export class AccountCreditEntry extends AccountCreditEntrySchema.class {}
AccountCreditEntrySchema.setClass(AccountCreditEntry);

const CreditPurchaseSchema = defineEntity({
  name: 'CreditPurchase',
  tableName: 'credit_purchase',
  properties: {
    ...owned,
    invoiceId: p.string(),
    customerId: p.string(),
    walletId: p.string(),
    /** Ordered by the wallet itself. A wallet has one such that is pending: a unique index. */
    automatic: p.boolean(),
    credits: amount(),
    priority: p.integer().nullable(),
    expiresAt: p.datetime().nullable(),
    description: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
    state: p.enum(PURCHASE_STATES),
    lotId: p.string().nullable(),
    /** The caller's own key, unique in the wallet. */
    requestKey: p.string().nullable(),
  },
});

/** What an invoice of type CREDIT buys: its payment brings the lot, once. */
export class CreditPurchase extends CreditPurchaseSchema.class {}
CreditPurchaseSchema.setClass(CreditPurchase);
