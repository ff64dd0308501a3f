import {
  burn,
  capture,
  Decimal,
  giveBack,
  mayPay,
  ONE,
  payDown,
  ZERO,
  type Burn,
  type Cover,
  type Draw,
  type LotState,
} from '@drawdown/billing-core';
import { NEW_SHORTFALL, type OpenAccrual } from './open-accrual.js';

/** The credits to decide with, as `Purses` of wallets. */
export interface Credits {
  lots(customerId: string, currency: string): readonly LotState[];
  rate(customerId: string, currency: string): Decimal | null;
  take(draws: readonly Draw[]): void;
  giveBack(returns: readonly Draw[]): void;
  unhold(parts: readonly Draw[]): void;
}

/** Credits that went from (above zero) or back to (below zero) a lot for one line item's period. */
export interface NetDraw {
  readonly lotId: string;
  readonly lineItemId: string;
  readonly periodId: string;
  readonly credits: Decimal;
}

/** Shortfalls of a customer in a currency that credits have paid. */
export interface PaidDown {
  readonly customerId: string;
  readonly currency: string;
  readonly credits: Decimal;
  readonly amount: Decimal;
}

/**
 * Who pays what usage costs: draws it from lots, gives back what it no longer costs, and lets credits pay what is short
 * (MEANING "Lots, burn order, balances"). Works on the accruals and credits it is given, and remembers what has moved.
 */
export class Coverage {
  private readonly byPurse: ReadonlyMap<string, readonly OpenAccrual[]>;
  private lastShortNo = NEW_SHORTFALL;
  /** What the hold that is being captured still keeps, by currency. */
  private held: Map<string, readonly Draw[]> = new Map();
  private readonly touched = new Set<OpenAccrual>();
  private readonly net = new Map<string, NetDraw>();
  /** By `customer currency`. */
  readonly paidDown = new Map<string, PaidDown>();

  constructor(
    accruals: Iterable<OpenAccrual>,
    private readonly credits: Credits,
  ) {
    const all = [...accruals];
    this.byPurse = Map.groupBy(all, ({ customerId, currency }) => purseKey(customerId, currency));
    for (const { shortNo } of all) this.lastShortNo = Math.max(this.lastShortNo, shortNo ?? 0);
  }

  /** Burns an increase, gives back a decrease. @returns what left each lot, below zero what came back. */
  settle(accrual: OpenAccrual, delta: Decimal, at: Date, asOf: Date): Draw[] {
    this.touched.add(accrual);
    if (delta.gte(ZERO)) {
      const burnt = this.burn(accrual, delta, at, asOf);
      this.draw(accrual, burnt);
      return burnt.draws;
    }
    const { cover, returns } = giveBack(accrual.cover, delta.neg(), accrual.draws, this.rateOf(accrual));
    this.setCover(accrual, cover);
    for (const back of returns) this.undo(accrual, back);
    this.credits.giveBack(returns);
    if (returns.length > 0) this.payDown(accrual.customerId, accrual.currency, asOf);
    return returns.map(({ lotId, credits }) => ({ lotId, credits: credits.neg() }));
  }

  /**
   * Lets the customer's credits pay its open shortfalls, oldest first; a trial's and a closed period's never. A lot that
   * had expired before a shortfall's period began pays nothing of it, however late the lot came.
   */
  payDown(customerId: string, currency: string, asOf: Date): void {
    const short = (this.byPurse.get(purseKey(customerId, currency)) ?? [])
      .filter((one) => one.period.kind === 'paid' && !one.period.closed && one.cover.shortfall.gt(ZERO))
      .toSorted((a, b) => a.shortNo! - b.shortNo!);
    for (const accrual of short) {
      const before = accrual.cover;
      const at = asOf > accrual.period.start ? asOf : accrual.period.start;
      this.draw(accrual, payDown(before, this.payable(accrual, at, asOf), this.rateOf(accrual)));
      this.notePaidDown(accrual, before);
    }
  }

  /**
   * While `work` burns, what the hold keeps is drawn first; what it does not need is free again afterwards and pays open
   * shortfalls (MEANING "Authorization and holds").
   * @param held what the hold keeps, by currency, in burn order.
   */
  capturing<T>(customerId: string, held: ReadonlyMap<string, readonly Draw[]>, asOf: Date, work: () => T): T {
    this.held = new Map(held);
    const done = work();
    for (const rest of this.held.values()) this.credits.unhold(rest);
    for (const currency of this.held.keys()) this.payDown(customerId, currency, asOf);
    this.held = new Map();
    return done;
  }

  /** Whether the customer has credits that usage may draw. */
  hasCredits(customerId: string, currency: string): boolean {
    return this.credits.lots(customerId, currency).some(({ remaining, held }) => remaining.gt(held));
  }

  /** The accruals that are another now; new shortfalls in the order they arose. */
  changed(): OpenAccrual[] {
    return [...this.touched];
  }

  netDraws(): NetDraw[] {
    return [...this.net.values()].filter((one) => !one.credits.isZero());
  }

  private burn(accrual: OpenAccrual, cost: Decimal, at: Date, asOf: Date): Burn {
    const held = this.held.get(accrual.currency);
    const [lots, rate] = [this.payable(accrual, at, asOf), this.rateOf(accrual)];
    if (!held) return burn(accrual.cover, cost, lots, rate);
    const captured = capture(accrual.cover, cost, held, lots, rate);
    this.held.set(accrual.currency, captured.released);
    this.credits.unhold(held);
    this.credits.unhold(captured.released.map(({ lotId, credits }) => ({ lotId, credits: credits.neg() })));
    return captured;
  }

  /** Late usage draws from lots usable now, of a trial from none: it is waived (MEANING "Invoices", late usage). */
  private payable({ customerId, currency, period }: OpenAccrual, at: Date, asOf: Date): LotState[] {
    if (period.settled && period.kind === 'trial') return [];
    const [time, before] = period.settled ? [asOf, new Date(asOf.getTime() + 1)] : [at, period.end];
    return this.credits.lots(customerId, currency).filter((lot) => mayPay(lot, time, before));
  }

  /** Without a wallet there is no rate and nothing to draw: any rate leaves the whole cost short. */
  private rateOf(accrual: OpenAccrual): Decimal {
    return this.credits.rate(accrual.customerId, accrual.currency) ?? ONE;
  }

  private draw(accrual: OpenAccrual, { cover, draws }: Burn): void {
    this.setCover(accrual, cover);
    this.credits.take(draws);
    this.touched.add(accrual);
    for (const { lotId, credits } of draws) {
      const last = accrual.draws.at(-1);
      if (last?.lotId === lotId)
        accrual.draws[accrual.draws.length - 1] = { lotId, credits: last.credits.plus(credits) };
      else accrual.draws.push({ lotId, credits });
      this.addNet(accrual, lotId, credits);
    }
  }

  /** A new shortfall is the youngest, and is recorded after those before it. */
  private setCover(accrual: OpenAccrual, cover: Cover): void {
    accrual.cover = cover;
    if (cover.shortfall.isZero()) accrual.shortNo = null;
    else if (accrual.shortNo === null) {
      accrual.shortNo = ++this.lastShortNo;
      this.touched.delete(accrual);
      this.touched.add(accrual);
    }
  }

  /** Takes back from the last draw, which is of this lot. */
  private undo(accrual: OpenAccrual, { lotId, credits }: Draw): void {
    const last = accrual.draws.pop()!;
    if (credits.lt(last.credits)) accrual.draws.push({ lotId, credits: last.credits.minus(credits) });
    this.addNet(accrual, lotId, credits.neg());
  }

  private addNet({ lineItemId, periodId }: OpenAccrual, lotId: string, credits: Decimal): void {
    const key = `${lotId} ${lineItemId} ${periodId}`;
    const before = this.net.get(key)?.credits ?? ZERO;
    this.net.set(key, { lotId, lineItemId, periodId, credits: before.plus(credits) });
  }

  private notePaidDown({ customerId, currency, cover }: OpenAccrual, before: Cover): void {
    const amount = cover.covered.minus(before.covered);
    if (amount.isZero()) return;
    const key = purseKey(customerId, currency);
    const known = this.paidDown.get(key) ?? { customerId, currency, credits: ZERO, amount: ZERO };
    const credits = known.credits.plus(cover.credits.minus(before.credits));
    this.paidDown.set(key, { ...known, credits, amount: known.amount.plus(amount) });
  }
}

const purseKey = (customerId: string, currency: string): string => `${customerId} ${currency}`;
