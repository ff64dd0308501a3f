import { roundMoney } from './currency.js';
import { Decimal, ZERO, sum } from './decimal.js';

/** A line as it was computed: money at full precision. A correction's amounts are negative. */
export interface DraftLineInput {
  key: string;
  gross: Decimal;
  /** given up visibly, such as the uncovered usage of a trial */
  waived: Decimal;
  /** money covered by credits */
  credits: Decimal;
}

/** A line as it is shown and owed: money in whole minor units, `due = gross - waived - credits`. */
export type DraftLine<T extends DraftLineInput> = T & { due: Decimal };

export interface InvoiceDraft<T extends DraftLineInput> {
  lines: DraftLine<T>[];
  /** sum of gross */
  subtotal: Decimal;
  /** sum of waived */
  totalDiscount: Decimal;
  /** sum of credits */
  totalCreditsApplied: Decimal;
  /** what is due: the sum of the lines' due, but never below zero */
  total: Decimal;
  /** the excess of an invoice below zero: the customer's account credit. `total - accountCredit` = sum of due */
  accountCredit: Decimal;
}

/**
 * Rounds lines to the currency's minor unit and adds them up; other fields of a line pass through. Gross and due are
 * rounded from the exact amounts, half away from zero; waived and credits show the difference between them.
 * MEANING "Invoices": "Per line gross = round(exact gross), due = round(exact gross - waived - credits)" and "No invoice
 * is below zero". Throws `UnknownCurrency`.
 */
export function draftInvoice<T extends DraftLineInput>(lines: readonly T[], currency: string): InvoiceDraft<T> {
  const drafted = lines.map((line) => draftLine(line, currency));
  const due = sum(drafted.map((line) => line.due));
  return {
    lines: drafted,
    subtotal: sum(drafted.map((line) => line.gross)),
    totalDiscount: sum(drafted.map((line) => line.waived)),
    totalCreditsApplied: sum(drafted.map((line) => line.credits)),
    total: Decimal.max(due, ZERO),
    accountCredit: Decimal.max(due.neg(), ZERO),
  };
}

function draftLine<T extends DraftLineInput>(line: T, currency: string): DraftLine<T> {
  const gross = roundMoney(line.gross, currency);
  const due = roundMoney(line.gross.minus(line.waived).minus(line.credits), currency);
  const waived = shownWaiver(line, gross.minus(due), currency);
  return { ...line, gross, waived, credits: gross.minus(due).minus(waived), due };
}

/** A line without credits shows none, however its gross and due are rounded; else what is waived is rounded itself. */
function shownWaiver({ waived, credits }: DraftLineInput, off: Decimal, currency: string): Decimal {
  if (waived.isZero()) return ZERO;
  if (credits.isZero()) return off;
  const rounded = roundMoney(waived, currency);
  if (!waived.s || waived.s !== credits.s) return rounded;
  return waived.s > 0 ? Decimal.min(rounded, off) : Decimal.max(rounded, off);
}
