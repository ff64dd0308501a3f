import { type Commitment, type CommitmentPart, settleCommitment } from './commitment.js';
import { type Decimal, ONE, ZERO } from './decimal.js';
import type { BillLine, FeePeriod } from './fee-lines.js';
import type { Span } from './period.js';
import { share } from './proration.js';

/** The usage of a paid period that is measured against a commitment: money at full precision. */
export interface CommittedUsage {
  period: FeePeriod;
  /** whose usage it is; null = all of the subscription */
  itemId: string | null;
  /** all of it, whether credits paid it or not */
  accrued: Decimal;
  /** what of it an invoice has billed already; null = nothing was billed yet */
  billed: Decimal | null;
}

/**
 * The lines a commitment adds when a period closes, fees of that period; after late usage the difference to what was
 * billed. MEANING "Lots, burn order, balances": "Commitment overage and true-up are lines added at close and count as
 * fees". Of a part of a period, and of an item that runs in a part of it (`span`), its share by the second is promised
 * (decision 14). Without lines when all is as promised.
 */
export function commitmentLines(
  commitment: Commitment,
  { period, itemId, accrued, billed }: CommittedUsage,
  span: Span = period,
): BillLine[] {
  const part = share(span, period.whole);
  const now = settleCommitment(commitment, accrued, part);
  const before = billed && settleCommitment(commitment, billed, part);
  const line = (kind: CommitmentPart['kind'], gross: Decimal): BillLine => ({
    key: [`commitment:${kind}:${period.id}`, ...(itemId === null ? [] : [itemId])].join(':'),
    itemId,
    periodId: period.id,
    span: { start: span.start, end: span.end },
    quantity: ONE,
    free: ZERO,
    gross,
    waived: ZERO,
    credits: ZERO,
    commitment: { ...now, kind },
    late: before !== null,
  });
  return [
    line('overage', now.surcharge.minus(before?.surcharge ?? ZERO)),
    line('true_up', now.trueUp.minus(before?.trueUp ?? ZERO)),
  ].filter(({ gross }) => !gross.isZero());
}
