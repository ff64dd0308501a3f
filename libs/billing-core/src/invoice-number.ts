/** The month (UTC) whose counter numbers an invoice finalized at this instant: `202601`. */
export function invoiceMonth(finalizedAt: Date): string {
  return finalizedAt.toISOString().slice(0, 7).replace('-', '');
}

/**
 * An invoice's number: `INV-202601-00001`, from its month and a gap-free counter from 1 (more than five digits once it
 * passes 99,999). MEANING "Invoices": "Numbers run gap-free per environment and month of finalization (UTC)".
 * Throws RangeError for a counter that is no whole number from 1.
 */
export function invoiceNumber(finalizedAt: Date, counter: number): string {
  if (!Number.isSafeInteger(counter) || counter < 1) throw new RangeError(`an invoice counts from 1, not ${counter}`);
  return `INV-${invoiceMonth(finalizedAt)}-${String(counter).padStart(5, '0')}`;
}
