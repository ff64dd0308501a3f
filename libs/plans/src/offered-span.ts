import { Problem, type RecordStatus, type Tx } from '@drawdown/platform';

/** A price or a grant: on offer in `[startDate, endDate)`. */
interface Offered {
  status: RecordStatus;
  startDate?: Date | null;
  endDate?: Date | null;
  updatedAt: Date;
}

/** @throws Problem 400 when the end doesn't come after the start. */
export function offeredSpan(body: { start_date?: string | null; end_date?: string | null }) {
  const startDate = body.start_date ? new Date(body.start_date) : null;
  const endDate = body.end_date ? new Date(body.end_date) : null;
  if (startDate && endDate && startDate >= endDate) throw Problem.invalid('end_date', 'must lie after start_date');
  return { startDate, endDate };
}

export type OfferedSpan = ReturnType<typeof offeredSpan>;

/** True when there is an instant at which both are offered. */
export const overlap = (a: Partial<OfferedSpan>, b: Partial<OfferedSpan>): boolean =>
  startsBefore(a, b) && startsBefore(b, a);

const startsBefore = ({ startDate: start }: Partial<OfferedSpan>, { endDate: end }: Partial<OfferedSpan>): boolean =>
  !start || !end || start < end;

/** What a subscription starting at `at` can take, archived since or not: the dates alone decide. */
export const offeredAt = (at: Date) => ({
  $and: [
    { $or: [{ startDate: null }, { startDate: { $lte: at } }] },
    { $or: [{ endDate: null }, { endDate: { $gt: at } }] },
  ],
});

/** What is offered now or will be. */
export const notEnded = (now: Date) => ({
  status: 'published' as const,
  $or: [{ endDate: null }, { endDate: { $gt: now } }],
});

/**
 * Ends an offer: by default now, or at its start if that is still to come. One that has ended is archived, so that its
 * lookup key and its meter are free again; ending it once more changes nothing.
 * @throws Problem 400 for an end before the start, 409 for moving an end that has come.
 */
export function endOffer(tx: Tx, row: Offered, field: string, wanted: string | null | undefined): void {
  const { startDate, endDate } = row;
  const earliest = startDate && startDate > tx.now ? startDate : tx.now;
  const end = wanted ? new Date(wanted) : endDate && endDate <= tx.now ? endDate : earliest;
  if (startDate && end < startDate) throw Problem.invalid(field, `must not lie before ${startDate.toISOString()}`);
  if (endDate && endDate <= tx.now && end.getTime() !== endDate.getTime()) {
    throw Problem.state(`${field} can't be changed: the end came at ${endDate.toISOString()}`, 'ended');
  }
  row.endDate = end;
  row.updatedAt = tx.now;
  if (end <= earliest) row.status = 'archived';
}
