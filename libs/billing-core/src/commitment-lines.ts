import { type Commitment, type CommitmentPart, settleCommitment } from './commitment.js';
import { type Decimal, ONE, ZERO } from './decimal.js';
import type { BillLine, FeePeriod } from './fee-lines.js';
import { share } from './proration.js';

/** The usage of a paid period that is measured against the subscription's commitment: money at full precision. */
export interface CommittedUsage {
  period: FeePeriod;
  /** all of it, whether credits paid it or not */
  accrued: Decimal;
  /** what of it an invoice has billed already; null = nothing was billed yet */
  billed: Decimal | null;
}

/**
 * The lines a commitment adds when a period closes, fees of that period; after late usage the difference to what was
 * billed. MEANING "Lots, burn order, balances": "Commitment overage and true-up are lines added at close and count as
 * fees". Of a part of a period its share by the second is promised (decision 14). Without lines when all is as promised.
 */
export function commitmentLines(commitment: Commitment, { period, accrued, billed }: CommittedUsage): BillLine[] {
  const part = share(period, period.whole);
  const now = settleCommitment(commitment, accrued, part);
  const before = billed && settleCommitment(commitment, billed, part);
  const line = (kind: CommitmentPart['kind'], gross: Decimal): BillLine => ({
    key: `commitment:${kind}:${period.id}`,
    itemId: null,
    periodId: period.id,
    span: { start: period.start, end: period.end },
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
