import { Decimal } from '@drawdown/billing-core';

export const ZERO: Decimal = new Decimal(0);

interface Wallet {
  open: boolean;
  paysUsage: boolean;
  openedByGrant: boolean;
}
export interface Lot {
  readonly wallet: number;
  readonly priority: number | null;
  readonly purchased: boolean;
  /** Milliseconds. */
  readonly from: number;
  readonly until: number | null;
  remaining: Decimal;
  writtenOff: boolean;
}
/** So much that may be drawn from a lot, or was. */
export interface Part {
  readonly lot: Lot;
  credits: Decimal;
}
export interface Hold {
  status: 'open' | 'captured' | 'released' | 'expired';
  readonly at: number;
  readonly until: number;
  /** Null of plain credits. */
  readonly use: { readonly event: string; readonly value: Decimal } | null;
  readonly parts: Part[];
}

export const added = (parts: readonly { credits: Decimal }[]): Decimal =>
  parts.reduce((total, one) => total.plus(one.credits), ZERO);

/** The model's wallets, lots and holds: which credits there are, and who may have them. */
export class CreditsPurse {
  readonly wallets: Wallet[] = [];
  /** In the order in which they were made. */
  readonly lots: Lot[] = [];
  readonly holds: Hold[] = [];

  open(): Hold[] {
    return this.holds.filter(({ status }) => status === 'open');
  }

  /** Those of wallets that pay usage. */
  usageLots(at: number, end: number): Lot[] {
    return this.usable(at, end).filter(({ wallet }) => this.wallets[wallet]!.paysUsage);
  }

  /** Not expired at `at`, in effect before `end`. */
  usable(at: number, end: number): Lot[] {
    return this.lots.filter(
      ({ wallet, writtenOff, from, until }) =>
        this.wallets[wallet]!.open && !writtenOff && from < end && (until === null || at < until),
    );
  }

  /** What no hold has taken in these lots, in burn order. @param taken more that is spoken for. */
  free(lots: readonly Lot[], taken: readonly Part[] = []): Part[] {
    const last = (value: number | null) => value ?? Infinity;
    const order = (lot: Lot) => [last(lot.priority), last(lot.until), Number(lot.purchased), lot.from];
    const inOrder = lots.toSorted((a, b) => {
      const place = order(a).findIndex((rank, index) => rank !== order(b)[index]);
      return place < 0 ? this.lots.indexOf(a) - this.lots.indexOf(b) : order(a)[place]! < order(b)[place]! ? -1 : 1;
    });
    const spoken = (lot: Lot) => added(taken.filter((part) => part.lot === lot)).plus(this.held(lot));
    return inOrder
      .map((lot) => ({ lot, credits: lot.remaining.minus(spoken(lot)) }))
      .filter(({ credits }) => credits.gt(ZERO));
  }

  held(lot: Lot): Decimal {
    return added(this.open().flatMap(({ parts }) => parts.filter((part) => part.lot === lot)));
  }

  /** So many credits out of these, in their order; null when they have too few. */
  reserve(parts: readonly Part[], credits: Decimal): Part[] | null {
    if (added(parts).lt(credits)) return null;
    let left = credits;
    const reserved = parts.map(({ lot, credits: there }) => {
      const part = { lot, credits: Decimal.min(left, there) };
      left = left.minus(part.credits);
      return part;
    });
    return reserved.filter((part) => part.credits.gt(ZERO));
  }

  /** Draws as far as the parts go. @returns what was drawn. */
  take(parts: readonly Part[], credits: Decimal): Part[] {
    const drawn: Part[] = [];
    for (const part of parts) {
      const taken = Decimal.min(credits, part.credits);
      if (taken.lte(ZERO)) continue;
      part.credits = part.credits.minus(taken);
      part.lot.remaining = part.lot.remaining.minus(taken);
      credits = credits.minus(taken);
      drawn.push({ lot: part.lot, credits: taken });
    }
    return drawn;
  }

  /** A lot that was written off has nothing but what open holds keep of it. */
  dropWrittenOff(): void {
    for (const lot of this.lots) if (lot.writtenOff) lot.remaining = this.held(lot);
  }

  /** Wallets as people read them: status, all credits, spendable ones given and bought. */
  balances(now: number): string[][] {
    return this.wallets.map(({ open }, number) => {
      const part = (bought: boolean) =>
        this.free(this.usable(now, now + 1).filter((lot) => lot.wallet === number && lot.purchased === bought));
      const all = this.lots.filter(({ wallet }) => wallet === number).map(({ remaining }) => ({ credits: remaining }));
      return [open ? 'active' : 'closed', ...[all, part(false), part(true)].map((parts) => added(parts).toFixed())];
    });
  }
}
