import type { Decimal, Draw, HoldStatus, Properties } from '@drawdown/billing-core';

/** Credits reserved for something a customer is about to do: captured, released or expired. */
export interface Hold {
  readonly id: string;
  readonly customerId: string;
  /** Of what it keeps; null when it keeps nothing and no price was asked. */
  readonly currency: string | null;
  /** The use it was asked for; null for a hold of plain credits. */
  readonly use: HeldUse | null;
  /** What it keeps of which lot, in burn order, and all of it. */
  readonly parts: readonly Draw[];
  readonly credits: Decimal;
  /** An open hold whose time is over is `expired`, whether or not a job has said so. */
  readonly status: HoldStatus;
  readonly idempotencyKey: string | null;
  readonly requestHash: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  /** Of a capture: the event it recorded, the credits it took, the money no credits covered. */
  readonly eventId: string | null;
  readonly creditsCaptured: Decimal;
  readonly shortfall: Decimal;
}

export interface HeldUse {
  readonly eventName: string;
  readonly properties: Properties;
}

/** What an open hold was asked for, and when: the event it may become. */
export interface OpenUse {
  readonly customerId: string;
  readonly use: HeldUse;
  readonly at: Date;
}

export type NewHold = Omit<Hold, 'status' | 'endedAt' | 'eventId' | 'creditsCaptured' | 'shortfall'>;

/** How an open hold ends by request. */
export type SettledHold =
  | { readonly status: 'released' }
  | {
      readonly status: 'captured';
      readonly eventId: string | null;
      readonly creditsCaptured: Decimal;
      readonly shortfall: Decimal;
    };
