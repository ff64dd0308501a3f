import { Decimal, ZERO } from './decimal.js';
import { type DraftLineInput, type InvoiceDraft, draftInvoice } from './invoice-draft.js';
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
}

/** A trial or billing period; `whole` is the full period a partial one is a part of. */
export interface BilledPeriod extends Span {
  id: string;
  kind: 'trial' | 'paid';
  whole: Span;
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

/** `key` is unique within the bill: item and period. */
export interface BillLine extends DraftLineInput {
  itemId: string;
  periodId: string;
  span: Span;
  quantity: Decimal;
  /** units of it that cost nothing */
  free: Decimal;
}

export interface BillInput {
  items: readonly BillableItem[];
  /** the period that begins, whose advance fees are owed; null when the subscription ended */
  next: BilledPeriod | null;
  /** the period that ended, whose arrears fees and usage are owed; null at the start */
  ended: BilledPeriod | null;
  usage: readonly BilledUsage[];
  /** fees of a partial period: their share by the second, or in full */
  prorated: boolean;
  currency: string;
}

/**
 * The bill of a subscription: advance fees of the next period, then arrears fees and usage of the one that ended.
 * The one composition behind drafts, previews and finalized invoices. MEANING "Invoices": "Start: advance fees of the
 * first period. Cycle: advance fees of the next period + arrears fees and usage of the one that ended"; "Periods": a
 * trial has "no fees". Usage items nothing was used of are left out. Throws RangeError for usage of an
 * item that is not among them.
 */
export function composeBill({ items, next, ended, usage, prorated, currency }: BillInput): InvoiceDraft<BillLine> {
  const fees = (cadence: BillableItem['cadence'], period: BilledPeriod | null): BillLine[] =>
    period === null || period.kind === 'trial'
      ? []
      : items
          .filter((item) => item.type === 'FIXED' && item.cadence === cadence && runsIn(item, period))
          .map((item) => feeLine(item, period, prorated));
  const lines = [
    ...fees('ADVANCE', next),
    ...fees('ARREAR', ended),
    ...(ended === null ? [] : usageLines(usage, items, ended)),
  ];
  return draftInvoice(lines, currency);
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

function feeLine(item: BillableItem, period: BilledPeriod, prorated: boolean): BillLine {
  const whole = priceOf(item.price, item.quantity);
  return {
    key: `${item.id}:${period.id}`,
    itemId: item.id,
    periodId: period.id,
    span: { start: period.start, end: period.end },
    quantity: item.quantity,
    free: ZERO,
    gross: prorated ? prorate(whole, period, period.whole) : whole,
    waived: ZERO,
    credits: ZERO,
  };
}

/** In the order of the items. */
function usageLines(usage: readonly BilledUsage[], items: readonly BillableItem[], ended: BilledPeriod): BillLine[] {
  const place = new Map(items.map((item, at) => [item.id, at]));
  const stray = usage.find((one) => !place.has(one.lineItemId));
  if (stray) throw new RangeError(`usage of ${stray.lineItemId}, which is no item of the bill`);
  return usage
    .filter((one) => !one.quantity.isZero() || !one.accrued.isZero())
    .toSorted((a, b) => place.get(a.lineItemId)! - place.get(b.lineItemId)!)
    .map((one) => usageLine(one, ended));
}

function usageLine(usage: BilledUsage, ended: BilledPeriod): BillLine {
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
