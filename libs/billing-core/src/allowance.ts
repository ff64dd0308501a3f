import { Decimal, ZERO, text } from './decimal.js';
import { type BillingPeriod, type Span, periodContaining } from './period.js';
import { read } from './running-total.js';

/** Free units of a window: so many, all (`'unlimited'`), or none (null). */
export type Allowance = Decimal | 'unlimited' | null;

/**
 * The time for which an allowance is given once, when that is not the billing period. Windows step from `anchor`: the
 * period's start, or for a window longer than the period the start of paid time, so that its rest is carried over.
 * MEANING "Allowances": "Windows step from the period's start; one longer than the period carries its rest over".
 */
export interface AllowanceWindow {
  /** NEVER: one window without end, given once in a subscription's life */
  period: WindowPeriod;
  anchor: Date;
  zone: string;
}

export type WindowPeriod = BillingPeriod | 'NEVER';

/** How often a subscription is billed. */
interface Interval {
  billingPeriod: BillingPeriod;
  count: number;
}

/** The length of a window, in days: only to compare it with others. */
const DAYS: Record<WindowPeriod, number> = {
  DAILY: 1,
  WEEKLY: 7,
  MONTHLY: 30.5,
  QUARTERLY: 91.5,
  HALF_YEARLY: 183,
  ANNUAL: 366,
  NEVER: Infinity,
};

/** True for a window longer than the billing period: what is left of it is carried over into the next. */
export function outlasts(window: WindowPeriod, { billingPeriod, count }: Interval): boolean {
  return DAYS[window] > DAYS[billingPeriod] * count;
}

/**
 * The window of an allowance in one period of a subscription; null when it is the billing period itself. MEANING
 * "Allowances": "Windows step from the period's start; one longer than the period carries its rest over", for which it
 * steps from the start of paid time (in a trial, which has an allowance of its own, from the trial's start).
 */
export function allowanceWindow(
  window: WindowPeriod | null,
  interval: Interval,
  { period, paidStart, zone }: { period: Span & { kind: 'trial' | 'paid' }; paidStart: Date; zone: string },
): AllowanceWindow | null {
  if (window === null || (window === interval.billingPeriod && interval.count === 1)) return null;
  const carried = period.kind === 'paid' && outlasts(window, interval);
  return { period: window, anchor: carried ? paidStart : period.start, zone };
}

/** Units used per window (by its number, as text), as plain JSON. */
export type WindowedUsage = Record<string, string>;

/** The number, as text, of the window that holds `at`. */
export function windowOf(window: AllowanceWindow, at: Date): string {
  if (window.period === 'NEVER') return '0';
  const cadence = { billingPeriod: window.period, count: 1, zone: window.zone };
  return String(periodContaining(window.anchor, cadence, at).index);
}

/** Usage per window with so many units more in one of them. */
export function useInWindow(usage: WindowedUsage, window: string, quantity: Decimal): WindowedUsage {
  return { ...usage, [window]: text(read(usage[window]).plus(quantity)) };
}

/**
 * The free units among `quantity`: up to the allowance, less those used before by others. None of a negative quantity.
 * MEANING "Allowances": "units beyond it are charged, never refused".
 */
export function freeUnits(quantity: Decimal, allowance: Allowance, usedBefore: Decimal = ZERO): Decimal {
  if (allowance === null || quantity.lte(ZERO)) return ZERO;
  if (allowance === 'unlimited') return quantity;
  return Decimal.min(quantity, Decimal.max(allowance.minus(usedBefore), ZERO));
}

/** The free units over all windows; `usedBefore` counts in the window `first` only. */
export function freeByWindow(usage: WindowedUsage, allowance: Allowance, first: string, usedBefore: Decimal): Decimal {
  let free = ZERO;
  for (const [window, units] of Object.entries(usage)) {
    free = free.plus(freeUnits(new Decimal(units), allowance, window === first ? usedBefore : ZERO));
  }
  return free;
}
