/** When payment is due, as the wire says it: `15 NET` (the published client) or `NET_15`, in days after finalization. */
export type PaymentTerms = `${number} NET` | `NET_${number}`;

const LONGEST_DAYS = 365;
const TERMS = /^(?:NET_(\d{1,3})|(\d{1,3}) NET)$/;

/** True for terms of 0 to 365 days. */
export function isPaymentTerms(terms: string): terms is PaymentTerms {
  const days = read(terms);
  return days !== null && days <= LONGEST_DAYS;
}

/** The days of the terms, 0 to 365. Throws RangeError for anything else. */
export function daysOf(terms: PaymentTerms): number {
  const days = read(terms);
  if (days === null || days > LONGEST_DAYS) throw new RangeError(`no payment terms: ${JSON.stringify(terms)}`);
  return days;
}

function read(terms: string): number | null {
  const found = TERMS.exec(terms);
  return found ? Number(found[1] ?? found[2]) : null;
}
