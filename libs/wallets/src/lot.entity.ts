import { amount, owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

/** Where a lot came from: a plan's grant, given for free, bought, or loaded when its wallet was created. */
export const LOT_SOURCES = ['grant', 'free', 'purchase', 'initial'] as const;
export type LotSource = (typeof LOT_SOURCES)[number];

const LotSchema = defineEntity({
  name: 'Lot',
  tableName: 'lot',
  properties: {
    ...owned,
    customerId: p.string(),
    walletId: p.string(),
    source: p.enum(LOT_SOURCES),
    /** Lower burns first, none last. */
    priority: p.integer().nullable(),
    /** From here on, not from when it was booked, its expiry counts. */
    effectiveAt: p.datetime(),
    /** Unusable for events at or after this instant. */
    expiresAt: p.datetime().nullable(),
    granted: amount(),
    /** Between 0 and granted. Moved only by `post`. */
    remaining: amount(),
    /** Reserved by holds, between 0 and remaining. */
    held: amount(),
    /** From here on what returns to the lot is written off with it. */
    writtenOffAt: p.datetime().nullable(),
    /** Unique in the environment: one cause makes one lot, whatever runs twice. */
    businessKey: p.string(),
  },
});

/** Credits granted at one time. */
export class Lot extends LotSchema.class {}
LotSchema.setClass(Lot);
