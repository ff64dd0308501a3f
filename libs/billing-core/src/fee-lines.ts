import type { Commitment, CommitmentPart } from './commitment.js';
import { type Decimal, ZERO } from './decimal.js';
import type { DraftLineInput } from './invoice-draft.js';
import { type Span, intersection } from './period.js';
import { type UnitPrice, priceOf } from './price.js';
import { prorate } from './proration.js';

/** A price inside a subscription, as billing sees it. */
export interface BillableItem {
  id: string;
  type: 'FIXED' | 'USAGE';
  /** when a fee is owed: with the period that begins or with the one that ended */
  cadence: 'ADVANCE' | 'ARREAR';
  price: UnitPrice;
  /** units of a fee; usage brings its own quantity */
  quantity: Decimal;
  start: Date;
  /** null = runs on */
  end: Date | null;
  /** the fee is owed from here; missing = from the start. Later where an item began inside a period without proration */
  feeFrom?: Date;
  /** the fee is owed to here; missing = to the end. Later where an item ended inside a period without proration */
  feeUntil?: Date | null;
  /** a fee in advance that is asked once, in full, and never given back; missing = every period */
  once?: boolean;
  /** what is promised of its usage of a full period; missing = nothing */
  commitment?: Commitment | null;
}

/** A period a fee is for; `whole` is the full period a partial one is a part of. */
export interface FeePeriod extends Span {
  id: string;
  whole: Span;
  /** it was cut short, and the advance fees of the time cut off are given back */
  restCredited?: boolean;
}

/** `key` is unique within the bill: item and period, and of a change what it does. */
export interface BillLine extends DraftLineInput {
  /** null = no item's, but of the subscription's commitment */
  itemId: string | null;
  periodId: string;
  span: Span;
  quantity: Decimal;
  /** units of it that cost nothing */
  free: Decimal;
  /** of a period that was billed before */
  late?: boolean;
  /** what it charges of a commitment */
  commitment?: CommitmentPart;
}

/** The time for which an item's fee is owed. */
export function owedFee({ start, end, feeFrom = start, feeUntil, once = false }: BillableItem) {
  const until = feeUntil ?? end;
  return {
    /**
     * at its first instant a period's advance fee is charged for all of it; one that is asked once only where no paid
     * period has begun since it is owed, and no change charged it (it says so by `feeUntil`)
     */
    holds: (at: Date, began: readonly Date[] = []): boolean =>
      feeFrom <= at &&
      (until === null || at < until) &&
      (!once || (!feeUntil && !began.some((one) => feeFrom <= one && one < at))),
    beganBy: (at: Date): boolean => feeFrom <= at,
    within: (period: Span): Span | null => intersection({ start: feeFrom, end: until ?? period.end }, period),
    /** the advance fee of a period cut short at `at` was charged beyond that, and no change has given it back */
    paidFor: (at: Date): boolean => !once && feeFrom <= at && (feeUntil ? at < feeUntil : end === null || at <= end),
  };
}

/**
 * The fee of `part` of a period: its share by the second where partial periods are prorated; else the full fee is for
 * the period as it was to be, and a part of that its share. What is asked once is asked in full.
 */
export function feeLine(item: BillableItem, part: Span, period: FeePeriod, prorated: boolean): BillLine {
  const fee = priceOf(item.price, item.quantity);
  const all = +part.start === +period.start && +part.end === +period.end;
  const full = item.once || (all && !prorated);
  return {
    key: `${item.id}:${period.id}`,
    itemId: item.id,
    periodId: period.id,
    span: { start: part.start, end: part.end },
    quantity: item.quantity,
    free: ZERO,
    gross: full ? fee : prorate(fee, part, pricedSpan(period, prorated)),
    waived: ZERO,
    credits: ZERO,
  };
}

/**
 * Credits of what ended, then charges of what began, for the rest of a period. Only what is paid in advance; what was
 * asked once is not given back.
 */
export function changeLines(change: {
  ended: readonly BillableItem[];
  begun: readonly BillableItem[];
  rest: Span;
  period: FeePeriod;
  prorated: boolean;
}): BillLine[] {
  const { rest, period, prorated } = change;
  const lineOf = (sign: 'credit' | 'charge') => (item: BillableItem) => {
    const line = feeLine(item, rest, { ...period, start: period.start, end: period.whole.end }, prorated);
    return {
      ...line,
      key: `${line.key}:${sign}:${rest.start.toISOString()}`,
      gross: sign === 'credit' ? line.gross.neg() : line.gross,
    };
  };
  const inAdvance = (item: BillableItem) => item.type === 'FIXED' && item.cadence === 'ADVANCE';
  return [
    ...change.ended.filter((item) => inAdvance(item) && !item.once).map(lineOf('credit')),
    ...change.begun.filter(inAdvance).map(lineOf('charge')),
  ].filter((line) => !line.gross.isZero());
}

/** What a full fee is for: the whole period, or without prorations the partial one, up to its planned end. */
const pricedSpan = ({ start, whole }: FeePeriod, prorated: boolean): Span =>
  prorated ? whole : { start, end: whole.end };
