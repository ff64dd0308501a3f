import type { AccrualState } from '@drawdown/billing-core';
import { amount } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

/** A net draw of a line item from a lot, oldest first, credits as text: what a correction undoes from the end. */
export interface StoredDraw {
  readonly lotId: string;
  readonly credits: string;
}

/** As it stood on the invoice, exact text. */
export type BilledAmounts = Readonly<Record<'quantity' | 'free' | 'accrued' | 'covered' | 'waived', string>>;

const AccrualSchema = defineEntity({
  name: 'Accrual',
  tableName: 'accrual',
  properties: {
    environmentId: p.string().primary(),
    lineItemId: p.string().primary(),
    periodId: p.string().primary(),
    tenantId: p.string(),
    customerId: p.string(),
    currency: p.string(),
    /** billing-core's; stored, never recomputed. */
    state: p.json<AccrualState>(),
    /** How many events it holds; numbers their arrival. */
    events: p.bigint('number'),
    quantity: amount(),
    free: amount(),
    billable: amount(),
    /** Money: `accrued = covered + shortfall + waived`. */
    accrued: amount(),
    /** Paid by credits, and how many those were. */
    covered: amount(),
    credits: amount(),
    /** Owed: later credits pay it down while the period is open, the invoice bills the rest. */
    shortfall: amount(),
    /** Given up visibly: a trial's shortfall. */
    waived: amount(),
    draws: p.json<StoredDraw[]>(),
    /** Numbers shortfalls in the order they arose: the oldest is paid down first. Null while it has none. */
    shortNo: p.bigint('number').nullable(),
    /** Free units of its first window that usage before it has used. */
    freeBefore: amount(),
    /** Of `accrued`, what no event brought: as its period opened, as time passed, as usage before it changed. */
    eventless: amount(),
    /** What invoices say of it; null until its period is settled. */
    billed: p.json<BilledAmounts>().nullable(),
    /** Usage came after that: the next invoice bills the difference. */
    late: p.boolean(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** What the usage of a line item costs so far in one period. */
export class Accrual extends AccrualSchema.class {}
AccrualSchema.setClass(Accrual);
