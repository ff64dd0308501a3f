import type { Decimal } from './decimal.js';
import {
  type BillingPeriod,
  type Cadence,
  type DurationUnit,
  type PaidTimeline,
  type Span,
  addDuration,
  boundary,
  periodContaining,
} from './period.js';
import { prorate } from './proration.js';

/** The rule by which credits are granted; what it grants at one time is a lot. */
export interface GrantRule {
  credits: Decimal;
  cadence: 'ONETIME' | 'RECURRING';
  /** the grant's own step; only RECURRING has one */
  period: BillingPeriod | null;
  /** steps are so many periods long; a whole number from 1 */
  periodCount: number;
  expirationType: 'NEVER' | 'DURATION' | 'BILLING_CYCLE';
  expirationDuration: number | null;
  expirationUnit: DurationUnit | null;
}

/** One lot to be granted: it takes effect at `at`, from which its expiry counts, whenever the job runs. */
export interface GrantStep {
  index: number;
  at: Date;
  /** the end of the grant's step (ONETIME: of the period it starts in) */
  stepEnd: Date | null;
  /** 12 places */
  credits: Decimal;
  expiresAt: Date | null;
}

/**
 * The lot of a one-time grant, at the start of the billing period or trial it starts in. BILLING_CYCLE expires with
 * that period. MEANING "Grants": "ONETIME at subscription start (a trial's start)". Throws RangeError for a DURATION
 * without duration and unit.
 */
export function oneTimeGrant(rule: GrantRule, start: Span, zone: string): GrantStep {
  const { expirationType } = rule;
  const expiresAt = expirationType === 'BILLING_CYCLE' ? new Date(start.end) : expiry(rule, start.start, zone);
  return { index: 0, at: new Date(start.start), stepEnd: new Date(start.end), credits: rule.credits, expiresAt };
}

/**
 * Lot number `index` (0 = with the first paid second) of a recurring grant. Steps go by the grant's own period from the
 * billing anchor. A first step cut by the start of paid time gives the share of credits that its seconds are of the
 * whole step when `prorated`, else all. BILLING_CYCLE expires with the step.
 * MEANING "Grants": "A recurring grant steps by its own `period` from the billing anchor". Throws RangeError for a
 * negative index, or a rule that lacks its period or duration.
 */
export function recurringStep(
  rule: GrantRule,
  timeline: PaidTimeline,
  zone: string,
  index: number,
  prorated: boolean,
): GrantStep {
  if (!rule.period) throw new RangeError('a recurring grant needs a period');
  if (!Number.isInteger(index) || index < 0) throw new RangeError(`a grant step counts from 0, not ${index}`);
  const cadence: Cadence = { billingPeriod: rule.period, count: rule.periodCount, zone };
  const paidStart = timeline.firstPeriod.start;
  const first = periodContaining(timeline.anchor, cadence, paidStart);
  const end = boundary(timeline.anchor, cadence, first.index + index + 1);
  const at = index === 0 ? new Date(paidStart) : boundary(timeline.anchor, cadence, first.index + index);
  return {
    index,
    at,
    stepEnd: end,
    credits: index === 0 && prorated ? prorate(rule.credits, { start: at, end }, first) : rule.credits,
    expiresAt: rule.expirationType === 'BILLING_CYCLE' ? end : expiry(rule, at, zone),
  };
}

/**
 * The lot with which a recurring grant begins (anew) inside one of its steps, at `at`: a change of plan, the end of a
 * pause. It is numbered as `recurringStep` numbers the step and gets the share that is left of it when `prorated`.
 * Before paid time that is the first step. MEANING "Periods": "the new plan's recurring grant is given for the
 * remaining share". Throws as `recurringStep`.
 */
export function stepFrom(
  rule: GrantRule,
  timeline: PaidTimeline,
  zone: string,
  at: Date,
  prorated: boolean,
): GrantStep {
  if (!rule.period) throw new RangeError('a recurring grant needs a period');
  const paidStart = timeline.firstPeriod.start;
  if (at <= paidStart) return recurringStep(rule, timeline, zone, 0, prorated);
  const cadence: Cadence = { billingPeriod: rule.period, count: rule.periodCount, zone };
  const first = periodContaining(timeline.anchor, cadence, paidStart);
  const step = periodContaining(timeline.anchor, cadence, at);
  const rest = { start: at, end: step.end };
  return {
    index: step.index - first.index,
    at: new Date(at),
    stepEnd: step.end,
    credits: prorated ? prorate(rule.credits, rest, step) : rule.credits,
    expiresAt: rule.expirationType === 'BILLING_CYCLE' ? step.end : expiry(rule, at, zone),
  };
}

function expiry(rule: GrantRule, at: Date, zone: string): Date | null {
  if (rule.expirationType === 'NEVER') return null;
  if (!rule.expirationDuration || !rule.expirationUnit) throw new RangeError('an expiry needs a duration and a unit');
  return addDuration(at, rule.expirationUnit, rule.expirationDuration, zone);
}
