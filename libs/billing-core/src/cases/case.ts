import { Decimal, text } from '../decimal.js';

/** Facts of other systems, in as many shapes as there are. */
export type Facts = Record<string, any>;

/** One case of another system: what it was given and what its own test expects. */
export interface Case {
  id: string;
  source: string;
  area: string;
  given: Facts;
  expect: Facts;
  note: string;
}

/** What was compared, what billing-core says, and what the other system says. */
export type Check = [what: string, got: unknown, want: unknown];
export type Runner = (given: Facts, expected: Facts) => Check[];

/** How the cases of a system are run, by area or (first) by id, and which are left out for which reason. */
export interface System {
  runners: Record<string, Runner>;
  /** reason to ids, separated by blanks */
  leftOut: Record<string, string>;
}

export const d = (value: string | number): Decimal => new Decimal(value);
/** An amount in the one form that can be compared. */
export const plain = (value: Decimal | string | number): string => text(new Decimal(value));
export const at = (iso: string): Date => new Date(iso.length === 10 ? `${iso}T00:00:00Z` : iso);
export const day = (instant: Date): string => instant.toISOString().slice(0, 10);
export const same = (instant: Date | string): string => new Date(instant).toISOString();
