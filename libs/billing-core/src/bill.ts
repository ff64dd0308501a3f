import type { Commitment } from './commitment.js';
import { type CommittedUsage, commitmentLines } from './commitment-lines.js';
import { type Decimal, sum } from './decimal.js';
import { type BillLine, type BillableItem, type FeePeriod, changeLines, feeLine, owedFee } from './fee-lines.js';
import { type InvoiceDraft, draftInvoice } from './invoice-draft.js';
import { type Span, intersection } from './period.js';

/** A trial or billing period. */
export interface BilledPeriod extends FeePeriod {
  kind: 'trial' | 'paid';
  /** the invoice of its advance fees was voided: nobody paid them, and nothing of them is given back */
  dropped?: boolean;
}

/** What a usage item cost in the period that ended: money at full precision. */
export interface BilledUsage {
  lineItemId: string;
  quantity: Decimal;
  free: Decimal;
  accrued: Decimal;
  /** money that credits paid */
  covered: Decimal;
  /** money given up visibly: the uncovered usage of a trial */
  waived: Decimal;
}

/** What changed of a settled period since it was billed; a correction makes the differences negative. */
export interface LateBilledUsage extends BilledUsage {
  period: Span & { id: string };
}

export interface BillInput {
  items: readonly BillableItem[];
  /** the period that begins, whose advance fees are owed; null when the subscription ended */
  next: BilledPeriod | null;
  /** the period that ended, whose arrears fees and usage are owed; null at the start */
  ended: BilledPeriod | null;
  /** parts of the same whole period as `ended` before a pause that gave nothing back: their fee was for all of it */
  charged?: readonly Span[];
  /** the same of `next` */
  paidBefore?: readonly Span[];
  /** where paid periods before have begun; missing = nowhere. What is asked once is asked in the first of them */
  began?: readonly Date[];
  usage: readonly BilledUsage[];
  /** of periods billed before */
  late?: readonly LateBilledUsage[];
  /** what the subscription as a whole promised to use of a full period; missing = nothing */
  commitment?: Commitment | null;
  /** all usage of the paid periods that late usage is of: of items with a commitment each its own */
  lateCommitted?: readonly CommittedUsage[];
  /** fees of a partial period: their share by the second, or in full */
  prorated: boolean;
  currency: string;
}

/**
 * The bill of a subscription: advance fees of the next period, then arrears fees and usage of the one that ended, late
 * usage, then what is given back of it; after each period's usage what a commitment adds to it. The one composition behind drafts, previews and finalized invoices. MEANING "Invoices":
 * "Start: advance fees of the first period. Cycle: advance fees of the next period + arrears fees and usage of the one
 * that ended"; "Periods": a trial has "no fees". Usage items nothing was used of are left out. Throws RangeError for
 * usage of an item that is not among them.
 */
export function composeBill(input: BillInput): InvoiceDraft<BillLine> {
  const { items, next, ended, usage, late = [], charged = [], prorated, currency } = input;
  const lines = [
    ...(next?.kind === 'paid' ? advanceFees(next, input) : []),
    ...(ended?.kind === 'paid' ? arrearsFees(items, ended, prorated, charged) : []),
    ...(ended === null ? [] : usageLines(usage, items, ended)),
    ...(ended?.kind === 'paid' ? committed(input, committedUsage(input, ended)) : []),
    ...late.filter(counts).map(lateLine),
    ...committed(input, input.lateCommitted ?? []),
    ...(ended?.kind === 'paid' && ended.restCredited && !ended.dropped
      ? unusedFees(items, asPaid(ended, charged), next, prorated)
      : []),
  ];
  return draftInvoice(lines, currency);
}

/** What a change of items inside a period gives back and charges at once: credits first. */
export interface ChangeInput {
  /** advance fees that were paid for the period and end here */
  ended: readonly BillableItem[];
  begun: readonly BillableItem[];
  /** the change instant belongs to the new side only */
  at: Date;
  /** the open period */
  period: BilledPeriod;
  /** parts of the same whole period before a pause that gave nothing back; missing = none */
  charged?: readonly Span[];
  /** whether a partial period was charged by its share */
  prorated: boolean;
  currency: string;
}

/**
 * The bill of a change inside a paid period; without lines in a trial, at the period's end, and for what is billed in
 * arrears. MEANING "Periods": "Proration is by the second, the change instant belongs to the new side only, shares sum
 * to the whole".
 */
export function composeChange(change: ChangeInput): InvoiceDraft<BillLine> {
  const { ended, begun, at, charged = [], prorated, currency } = change;
  const period = asPaid(change.period, charged);
  const rest = period.kind === 'paid' ? intersection(period, { start: at, end: period.end }) : null;
  if (!rest) return draftInvoice([], currency);
  const paid = period.dropped ? [] : ended.filter((item) => owedFee(item).beganBy(at));
  return draftInvoice(changeLines({ ended: paid, begun, rest, period, prorated }), currency);
}

/**
 * Fees of a period are charged as it begins, for all of it as it was to be: what changes inside it is a change's
 * business, and what is given back of one that was cut short is its own bill's. A part after a pause that gave nothing
 * back owes no fee that the part before it was charged.
 */
function advanceFees(
  next: BilledPeriod,
  { items, began = [], paidBefore = [], ended, prorated }: BillInput,
): BillLine[] {
  const starts = ended?.kind === 'paid' ? [...began, ended.start] : began;
  const planned = { ...next, end: next.whole.end };
  return items
    .filter((item) => item.type === 'FIXED' && item.cadence === 'ADVANCE' && owedFee(item).holds(next.start, starts))
    .filter((item) => item.once || !paidBefore.some((part) => owedFee(item).holds(part.start)))
    .map((item) => feeLine(item, planned, planned, prorated));
}

/**
 * A full fee is for the whole period: what paid it before a pause owes no other after it. Of which an earlier part was
 * charged its share only, because it began inside, this part is charged its share too.
 */
function arrearsFees(
  items: readonly BillableItem[],
  ended: BilledPeriod,
  prorated: boolean,
  charged: readonly Span[],
): BillLine[] {
  return items
    .filter((item) => item.type === 'FIXED' && item.cadence === 'ARREAR')
    .flatMap((item) => {
      const part = owedFee(item).within(ended);
      const before = charged.filter((one) => owedFee(item).within(one) !== null);
      if (!part || before.some((one) => +owedFee(item).within(one)!.start === +one.start)) return [];
      return [feeLine(item, part, ended, prorated || ended.restCredited === true || before.length > 0)];
    });
}

/** The fee of a part after a pause that gave nothing back was paid with the first part, for the time from its start. */
const asPaid = <P extends BilledPeriod>(period: P, [first]: readonly Span[]): P =>
  first ? { ...period, start: first.start } : period;

/** Advance fees of the time by which a period was cut short; what goes on in the next period began with it. */
function unusedFees(
  items: readonly BillableItem[],
  ended: BilledPeriod,
  next: BilledPeriod | null,
  prorated: boolean,
): BillLine[] {
  const unused = intersection(ended.whole, { start: ended.end, end: ended.whole.end });
  if (!unused) return [];
  const paid = items.filter((item) => (next === null || item.end !== null) && owedFee(item).paidFor(ended.end));
  return changeLines({ ended: paid, begun: [], rest: unused, period: ended, prorated });
}

/** True when a bill of this period has usage items: it waits for late usage before it is finalized. */
export function settlesUsage(items: readonly BillableItem[], ended: BilledPeriod | null): boolean {
  return ended !== null && items.some((item) => item.type === 'USAGE' && meets(item, ended));
}

/** As `runsIn`, and true in a period without length too: one cancelled the instant it began may have usage of it. */
function meets(item: BillableItem, period: BilledPeriod): boolean {
  return runsIn(item, period) || (+period.start === +period.end && +item.start === +period.start);
}

function runsIn(item: BillableItem, period: BilledPeriod): boolean {
  return intersection({ start: item.start, end: item.end ?? period.end }, period) !== null;
}

/** In the order of the items. */
function usageLines(usage: readonly BilledUsage[], items: readonly BillableItem[], ended: BilledPeriod): BillLine[] {
  const place = new Map(items.map((item, at) => [item.id, at]));
  const stray = usage.find((one) => !place.has(one.lineItemId));
  if (stray) throw new RangeError(`usage of ${stray.lineItemId}, which is no item of the bill`);
  return usage
    .filter(counts)
    .toSorted((a, b) => place.get(a.lineItemId)! - place.get(b.lineItemId)!)
    .map((one) => usageLine(one, ended));
}

const accruedOf = (usage: readonly BilledUsage[]): Decimal => sum(usage.map(({ accrued }) => accrued));

/** The usage of a period by who promised it: each item its own, the subscription all. */
function committedUsage({ items, commitment, usage }: BillInput, period: BilledPeriod): CommittedUsage[] {
  const accruedBy = (itemId: string) => accruedOf(usage.filter(({ lineItemId }) => lineItemId === itemId));
  const own = items.flatMap(({ id: itemId, commitment: promise }) =>
    promise ? [{ itemId, accrued: accruedBy(itemId) }] : [],
  );
  const whole = commitment ? [{ itemId: null, accrued: accruedOf(usage) }] : [];
  return [...own, ...whole].map((one) => ({ ...one, period, billed: null }));
}

/** What commitments add: the subscription's for the whole period, an item's for its part of it. */
function committed({ items, commitment: whole }: BillInput, usage: readonly CommittedUsage[]): BillLine[] {
  return usage.flatMap((one) => {
    const item = items.find(({ id }) => id === one.itemId);
    const commitment = one.itemId === null ? whole : item?.commitment;
    const { period } = one;
    const span = item ? intersection(period, { start: item.start, end: item.end ?? period.end }) : period;
    return commitment && span ? commitmentLines(commitment, one, span) : [];
  });
}

const counts = ({ quantity, accrued }: BilledUsage): boolean => !quantity.isZero() || !accrued.isZero();

/** MEANING "Invoices": "stands as a late line naming its period (a credit line when negative) on the current invoice". */
function lateLine({ period, ...usage }: LateBilledUsage): BillLine {
  return { ...usageLine(usage, period), key: `${usage.lineItemId}:${period.id}:late`, late: true };
}

function usageLine(usage: BilledUsage, ended: Span & { id: string }): BillLine {
  return {
    key: `${usage.lineItemId}:${ended.id}`,
    itemId: usage.lineItemId,
    periodId: ended.id,
    span: { start: ended.start, end: ended.end },
    quantity: usage.quantity,
    free: usage.free,
    gross: usage.accrued,
    waived: usage.waived,
    credits: usage.covered,
  };
}
