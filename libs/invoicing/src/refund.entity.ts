import type { RefundRequest } from '@drawdown/contracts';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { DISPUTE_STAGES, REFUND_STATES } from './lifecycles.js';

/** Who began it: somebody by our API, a payout of account credit, or somebody at the gateway itself. */
export const REFUND_ORIGINS = ['request', 'account_credit', 'gateway'] as const;

const RefundSchema = defineEntity({
  name: 'Refund',
  tableName: 'refund',
  properties: {
    ...owned,
    /** The money it gives back. */
    receiptId: p.string(),
    paymentId: p.string(),
    invoiceId: p.string(),
    customerId: p.string(),
    origin: p.enum(REFUND_ORIGINS),
    /** Money, above zero. */
    amount: amount(),
    currency: p.string(),
    /** Bought credits that go back with it. */
    credits: amount(),
    reason: p.string().nullable(),
    /** Frozen: whatever is sent, or sent again, is this. Null where the gateway has no part, or began it. */
    request: p.json<RefundRequest>().nullable(),
    state: p.enum(REFUND_STATES),
    timesAsked: p.integer(),
    gatewayRefundId: p.string().nullable(),
    errorCode: p.string().nullable(),
    errorMessage: p.string().nullable(),
    /** The caller's own key, unique in the environment. */
    requestKey: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
    sentAt: p.datetime().nullable(),
    settledAt: p.datetime().nullable(),
  },
});

/** Money given back, committed before it is sent. */
export class Refund extends RefundSchema.class {}
RefundSchema.setClass(Refund);

const DisputeSchema = defineEntity({
  name: 'Dispute',
  tableName: 'dispute',
  properties: {
    ...owned,
    /** The money it takes back. */
    receiptId: p.string(),
    paymentId: p.string(),
    invoiceId: p.string(),
    customerId: p.string(),
    /** Unique in the environment. */
    gatewayDisputeId: p.string(),
    amount: amount(),
    currency: p.string(),
    /** Bought credits that stand for it. */
    credits: amount(),
    /** Of them those that were still there when it began. */
    creditsSetAside: amount(),
    reason: p.string(),
    stage: p.enum(DISPUTE_STAGES),
    closedAt: p.datetime().nullable(),
  },
});

/** A customer took money back at its bank; who is right is open, or known. */
export class Dispute extends DisputeSchema.class {}
DisputeSchema.setClass(Dispute);
