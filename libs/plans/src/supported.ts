import { Problem } from '@drawdown/platform';

/** What a plan can be made of in this version. Whatever the wire knows beyond it is refused at creation, and only there. */
export const supportedPriceUnits: readonly string[] = ['FIAT'];
export const supportedOwners: readonly string[] = ['PLAN'];

/** @throws Problem 400 for a value that is not in the list; an absent one passes. */
export function assertSupported<T>(field: string, value: T | null | undefined, supported: readonly T[]): void {
  if (value === undefined || value === null || supported.includes(value)) return;
  throw Problem.unsupported(field, `${String(value)} is not supported yet, only ${supported.join(', ')}`);
}
