import { Decimal, ZERO } from '@drawdown/billing-core';
import type { BookedLot } from './ledger.js';

/** The spendable credits between which nothing has to be told of a wallet. Null: no mark on that side. */
export interface WatchMarks {
  readonly low: Decimal | null;
  readonly high: Decimal | null;
}

/** A wallet that somebody watches, with the credits it can spend. */
export interface Watched extends WatchMarks {
  readonly spendable: Decimal;
}

/** Whether the spendable credits have come to a mark, so that the wallet has to be looked at. */
export const reaches = ({ low, high }: WatchMarks, spendable: Decimal): boolean =>
  (low !== null && spendable.lte(low)) || (high !== null && spendable.gte(high));

/** The marks around a balance: the nearest thresholds at or below it and at or above it. */
export function marksAround(spendable: Decimal, thresholds: readonly Decimal[]): WatchMarks {
  const below = thresholds.filter((threshold) => threshold.lte(spendable));
  const above = thresholds.filter((threshold) => threshold.gte(spendable));
  return {
    low: below.length === 0 ? null : Decimal.max(...below),
    high: above.length === 0 ? null : Decimal.min(...above),
  };
}

/** By wallet: how bookings changed what can be spent. Lots that are expired, or not in effect yet, count for nothing. */
export function spendableChanges(
  before: ReadonlyMap<string, BookedLot>,
  after: readonly BookedLot[],
): Map<string, Decimal> {
  const changes = new Map<string, Decimal>();
  for (const lot of after) {
    if (!lot.usable) continue;
    const change = unheld(lot).minus(unheld(before.get(lot.lotId)!));
    changes.set(lot.walletId, change.plus(changes.get(lot.walletId) ?? ZERO));
  }
  return changes;
}

const unheld = ({ remaining, held }: BookedLot): Decimal => remaining.minus(held);
