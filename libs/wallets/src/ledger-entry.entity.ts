import { amount } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { CAUSE_TYPES, MOVEMENT_KINDS, REFERENCE_TYPES, TRANSACTION_REASONS } from './movement.js';

const LedgerEntrySchema = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger_entry',
  properties: {
    id: p.string().primary(),
    tenantId: p.string(),
    environmentId: p.string(),
    walletId: p.string(),
    /** 1, 2, 3 … within the wallet. */
    seq: p.bigint('string'),
    customerId: p.string(),
    lotId: p.string(),
    kind: p.enum(MOVEMENT_KINDS),
    /** Signed: above zero came in, below zero went out. */
    credits: amount(),
    balanceAfter: amount(),
    lotRemainingAfter: amount(),
    causeType: p.enum(CAUSE_TYPES),
    causeId: p.string(),
    lineItemId: p.string().nullable(),
    periodId: p.string().nullable(),
    businessKey: p.string(),
    at: p.datetime(),
    reason: p.enum(TRANSACTION_REASONS),
    referenceType: p.enum(REFERENCE_TYPES).nullable(),
    referenceId: p.string().nullable(),
    description: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
    prevHash: p.blob(),
    hash: p.blob(),
  },
});

/** One movement of credits, never changed: the database itself refuses it. Written only by `post`. */
export class LedgerEntry extends LedgerEntrySchema.class {}
LedgerEntrySchema.setClass(LedgerEntry);
