import { type Decimal, Decimal as DecimalOf, text } from '@drawdown/billing-core';
import { createHash } from 'node:crypto';
import type { CauseType, HeldChange, Movement, MovementKind, ReferenceType, TransactionReason } from './movement.js';

/** A lot and its wallet as the ledger last left them. */
export interface BookedLot {
  readonly lotId: string;
  readonly walletId: string;
  readonly customerId: string;
  readonly granted: Decimal;
  readonly remaining: Decimal;
  /** Kept by holds, between 0 and remaining. */
  readonly held: Decimal;
  readonly writtenOff: boolean;
  /** In effect and not expired: what nothing keeps of it can be spent. */
  readonly usable: boolean;
}
export interface BookedWallet {
  readonly walletId: string;
  readonly balance: Decimal;
  /** The number of its last entry; 0 before the first. */
  readonly seq: number;
  /** Of its last entry; empty before the first. */
  readonly hash: Buffer;
}

/** What a ledger entry says, and what its hash is taken over. */
export interface Entry {
  readonly id: string;
  readonly walletId: string;
  readonly seq: number;
  readonly customerId: string;
  readonly lotId: string;
  readonly kind: MovementKind;
  readonly credits: Decimal;
  readonly balanceAfter: Decimal;
  readonly lotRemainingAfter: Decimal;
  readonly causeType: CauseType;
  readonly causeId: string;
  readonly lineItemId: string | null;
  readonly periodId: string | null;
  readonly businessKey: string;
  readonly at: Date;
  readonly reason: TransactionReason;
  readonly referenceType: ReferenceType | null;
  readonly referenceId: string | null;
  readonly description: string | null;
  readonly metadata: Record<string, string>;
}

export interface ChainedEntry extends Entry {
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

/** Everything a set of movements changes: the entries in booking order, and where lots and wallets end. */
export interface Bookings {
  readonly entries: readonly ChainedEntry[];
  readonly lots: readonly BookedLot[];
  readonly wallets: readonly BookedWallet[];
}

const REASON_OF: Record<Exclude<MovementKind, 'add'>, TransactionReason> = {
  burn: 'INVOICE_PAYMENT',
  return: 'CREDIT_ADJUSTMENT',
  write_off: 'CREDIT_EXPIRED',
  terminate: 'WALLET_TERMINATION',
  debit: 'MANUAL_BALANCE_DEBIT',
  fee: 'INVOICE_PAYMENT',
  fee_return: 'CREDIT_ADJUSTMENT',
  reversal: 'CREDIT_ADJUSTMENT',
  reversal_return: 'CREDIT_ADJUSTMENT',
  debt_payment: 'CREDIT_ADJUSTMENT',
  debt_return: 'CREDIT_ADJUSTMENT',
};

/**
 * Books movements: what comes in before what goes out, so that no lot passes below zero on the way; what returns to a
 * lot that was written off is written off with it (MEANING "Usage and accrual"), and so is what holds let go of there.
 * Each wallet's entries continue its chain: `hash = sha256(hash of the entry before, this entry)`.
 * @throws RangeError when a movement is of nothing, a lot would leave 0 … granted, or its holds 0 … remaining.
 */
export function book(
  movements: readonly Movement[],
  lots: ReadonlyMap<string, BookedLot>,
  wallets: ReadonlyMap<string, BookedWallet>,
  environmentId: string,
  at: Date,
  newEntryId: () => string,
  heldChanges: readonly HeldChange[] = [],
): Bookings {
  const lotNow = new Map(lots);
  for (const { lotId, credits } of heldChanges) {
    const lot = lotNow.get(lotId)!;
    lotNow.set(lotId, { ...lot, held: lot.held.plus(credits) });
  }
  const walletNow = new Map(wallets);
  const ordered = inBookingOrder(movements, lots);
  const entries = [...ordered, ...letGo(ordered, lotNow, heldChanges)].map((movement): ChainedEntry => {
    const lot = moved(lotNow.get(movement.lotId)!, movement);
    lotNow.set(lot.lotId, lot);
    const wallet = walletNow.get(lot.walletId)!;
    const balance = wallet.balance.plus(movement.credits);
    const entry = entryOf(movement, lot, { ...wallet, balance, seq: wallet.seq + 1 }, at, newEntryId());
    const hash = hashOf(wallet.hash, environmentId, entry);
    walletNow.set(wallet.walletId, { walletId: wallet.walletId, balance, seq: entry.seq, hash });
    return { ...entry, prevHash: wallet.hash, hash };
  });
  for (const lot of lotNow.values()) assertHeldInside(lot);
  return { entries, lots: [...lotNow.values()], wallets: [...walletNow.values()] };
}

/** What holds no longer keep of lots that were written off is written off after them. */
function letGo(
  movements: readonly Movement[],
  lots: ReadonlyMap<string, BookedLot>,
  heldChanges: readonly HeldChange[],
): Movement[] {
  const lastHold = new Map(heldChanges.map(({ lotId, holdId }) => [lotId, holdId]));
  return [...lastHold].flatMap(([lotId, id]): Movement[] => {
    const lot = lots.get(lotId)!;
    const moving = movements.filter((movement) => movement.lotId === lotId);
    const free = moving.reduce((left, { credits }) => left.plus(credits), lot.remaining).minus(lot.held);
    if (!lot.writtenOff || free.lte(0)) return [];
    return [
      { lotId, credits: free.neg(), kind: 'write_off', cause: { type: 'hold', id }, key: `${id}:${lotId}:write_off` },
    ];
  });
}

function assertHeldInside({ lotId, held, remaining }: BookedLot): void {
  if (held.gte(0) && held.lte(remaining)) return;
  throw new RangeError(`holds would keep ${text(held)} of lot ${lotId}, which has ${text(remaining)}`);
}

function inBookingOrder(movements: readonly Movement[], lots: ReadonlyMap<string, BookedLot>): Movement[] {
  const incoming = movements.filter((movement) => movement.credits.gt(0));
  const lost = incoming.filter((movement) => movement.kind !== 'add' && lots.get(movement.lotId)!.writtenOff);
  const writtenOff = lost.map((movement): Movement => ({
    lotId: movement.lotId,
    credits: movement.credits.neg(),
    kind: 'write_off',
    cause: movement.cause,
    key: `${movement.key}:write_off`,
  }));
  return [...incoming, ...writtenOff, ...movements.filter((movement) => movement.credits.lte(0))];
}

function moved(lot: BookedLot, movement: Movement): BookedLot {
  const remaining = lot.remaining.plus(movement.credits);
  if (movement.credits.isZero() || remaining.lt(0) || remaining.gt(lot.granted)) {
    throw new RangeError(
      `${movement.kind} of ${text(movement.credits)} on lot ${lot.lotId} with ${text(lot.remaining)} of ${text(lot.granted)}`,
    );
  }
  return { ...lot, remaining };
}

function entryOf(movement: Movement, lot: BookedLot, wallet: BookedWallet, at: Date, id: string): Entry {
  const { cause, note = {}, kind } = movement;
  return {
    id,
    walletId: wallet.walletId,
    seq: wallet.seq,
    customerId: lot.customerId,
    lotId: lot.lotId,
    kind,
    credits: movement.credits,
    balanceAfter: wallet.balance,
    lotRemainingAfter: lot.remaining,
    causeType: cause.type,
    causeId: cause.id,
    lineItemId: cause.lineItemId ?? null,
    periodId: cause.periodId ?? null,
    businessKey: movement.key,
    at,
    reason: note.reason ?? (kind === 'add' ? 'FREE_CREDIT_GRANT' : REASON_OF[kind]),
    referenceType: note.referenceType ?? null,
    referenceId: note.referenceId ?? null,
    description: note.description ?? null,
    metadata: note.metadata ?? {},
  };
}

/** The hash of an entry: over the hash before it and everything it says, in one canonical text. */
export function hashOf(previous: Buffer, environmentId: string, entry: Entry): Buffer {
  const said = [
    environmentId,
    entry.walletId,
    entry.seq,
    entry.id,
    entry.customerId,
    entry.lotId,
    entry.kind,
    ...[entry.credits, entry.balanceAfter, entry.lotRemainingAfter].map(text),
    entry.causeType,
    entry.causeId,
    entry.lineItemId,
    entry.periodId,
    entry.businessKey,
    entry.at.toISOString(),
    entry.reason,
    entry.referenceType,
    entry.referenceId,
    entry.description,
    Object.entries(entry.metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ];
  return createHash('sha256').update(previous).update(JSON.stringify(said)).digest();
}

/** The end of a chain without entries. */
export const EMPTY_CHAIN: Omit<BookedWallet, 'walletId'> = { balance: new DecimalOf(0), seq: 0, hash: Buffer.alloc(0) };

/** The first thing wrong with a stretch of a wallet's chain that follows `last`, in order of seq; null when it is intact. */
export function chainFault(
  entries: readonly ChainedEntry[],
  environmentId: string,
  last: Omit<BookedWallet, 'walletId'> = EMPTY_CHAIN,
): string | null {
  for (const entry of entries) {
    const fault = linkFault(last, entry, environmentId);
    if (fault) return `entry ${entry.id}: ${fault}`;
    last = endOf(entry);
  }
  return null;
}

/** The end of the chain after an entry. */
export const endOf = (entry: ChainedEntry): Omit<BookedWallet, 'walletId'> => ({
  balance: entry.balanceAfter,
  seq: entry.seq,
  hash: entry.hash,
});

function linkFault(last: Omit<BookedWallet, 'walletId'>, entry: ChainedEntry, environmentId: string): string | null {
  if (entry.seq !== last.seq + 1) return `number ${entry.seq} follows ${last.seq}`;
  if (!entry.prevHash.equals(last.hash)) return 'does not continue the entry before';
  if (!entry.balanceAfter.eq(last.balance.plus(entry.credits))) return 'does not add up to its balance';
  return entry.hash.equals(hashOf(entry.prevHash, environmentId, entry)) ? null : 'was changed';
}
