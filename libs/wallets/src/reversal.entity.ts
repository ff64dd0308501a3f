import { type Decimal, ZERO } from '@drawdown/billing-core';
import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

/** `refund`: we gave the money back. `loss`: it was taken from us (a dispute), whatever had become of the credits. */
export const REVERSAL_KINDS = ['refund', 'loss'] as const;
export type ReversalKind = (typeof REVERSAL_KINDS)[number];

const CreditReversalSchema = defineEntity({
  name: 'CreditReversal',
  tableName: 'credit_reversal',
  properties: {
    ...owned,
    customerId: p.string(),
    walletId: p.string(),
    /** The purchase whose credits go back. */
    lotId: p.string(),
    kind: p.enum(REVERSAL_KINDS),
    /** Credits whose money is gone, above zero. */
    credits: amount(),
    /** What the lot still had of them, unheld. The rest of a loss is the wallet's debt; a refund takes all or is refused. */
    taken: amount(),
    /** What purchases since have paid of the debt. */
    debtPaid: amount(),
    /** Unique in the environment: one refund, one dispute is one reversal, however often it is told. */
    businessKey: p.string(),
    /** The money came back after all: the dispute was won, the refund failed. */
    undoneAt: p.datetime().nullable(),
  },
});

/** Credits of a purchase going back because its money did. */
export class CreditReversal extends CreditReversalSchema.class {}
CreditReversalSchema.setClass(CreditReversal);

/** Credits still owed for it. */
export const debtOf = ({ credits, taken, debtPaid, undoneAt }: CreditReversal): Decimal =>
  undoneAt ? ZERO : credits.minus(taken).minus(debtPaid);
