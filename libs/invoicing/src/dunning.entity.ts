import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';
import { DUNNING_STATES } from './lifecycles.js';

/** What becomes of the subscription when the last step has brought no money. `keep`: it stays past due. */
export const DUNNING_ENDINGS = ['keep', 'cancel', 'pause'] as const;
export type DunningEnding = (typeof DUNNING_ENDINGS)[number];

const DunningPolicySchema = defineEntity({
  name: 'DunningPolicy',
  tableName: 'dunning_policy',
  properties: {
    ...owned,
    /** Whole days after the decline or the due date, ascending. */
    retryDays: p.json<number[]>(),
    ending: p.enum(DUNNING_ENDINGS),
  },
});

/** How an environment asks again for what wasn't paid; one row, none while nobody has said anything. */
export class DunningPolicy extends DunningPolicySchema.class {}
DunningPolicySchema.setClass(DunningPolicy);

const DunningSchema = defineEntity({
  name: 'Dunning',
  tableName: 'dunning',
  properties: {
    ...owned,
    /** Unique: an invoice is dunned once. */
    invoiceId: p.string(),
    customerId: p.string(),
    subscriptionId: p.string().nullable(),
    state: p.enum(DUNNING_STATES),
    /** The instants of the steps, as text, ascending: by the policy there was when it began. */
    steps: p.json<string[]>(),
    stepsTaken: p.integer(),
    ending: p.enum(DUNNING_ENDINGS),
    /** The pause it has made, which paying ends. */
    pauseId: p.string().nullable(),
    endedAt: p.datetime().nullable(),
  },
});

/** An invoice that was declined, or is overdue, being asked for again. */
export class Dunning extends DunningSchema.class {}
DunningSchema.setClass(Dunning);
