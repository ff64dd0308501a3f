import type { DurationUnit, GrantRule } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import type { CreateCreditGrantBody } from './credit-grants.dto.js';

/** A hundred years: more is a typing error, and would leave the calendar. */
const LONGEST: Record<DurationUnit, number> = { DAY: 36_525, WEEK: 5_217, MONTH: 1_200, YEAR: 100 };

/** @throws Problem 400 when a recurring grant lacks its step, or a one-time grant has one. */
export function stepOf(body: CreateCreditGrantBody): Pick<GrantRule, 'period' | 'periodCount'> {
  const { cadence, period = null, period_count: count } = body;
  if (cadence === 'RECURRING' && !period) throw Problem.invalid('period', 'is required for a RECURRING grant');
  if (cadence === 'ONETIME' && period) throw Problem.invalid('period', 'makes no sense for a ONETIME grant');
  return { period, periodCount: count ?? 1 };
}

/** @throws Problem 400 unless duration and unit are there exactly for DURATION, and within a hundred years. */
export function expiryOf(
  body: CreateCreditGrantBody,
): Pick<GrantRule, 'expirationType' | 'expirationDuration' | 'expirationUnit'> {
  const { expiration_duration: duration = null, expiration_duration_unit: unit = null } = body;
  const expirationType = body.expiration_type ?? 'NEVER';
  for (const [field, value] of [
    ['expiration_duration', duration],
    ['expiration_duration_unit', unit],
  ] as const) {
    if (expirationType === 'DURATION' && value === null) throw Problem.invalid(field, 'is required for DURATION');
    if (expirationType !== 'DURATION' && value !== null) {
      throw Problem.invalid(field, `makes no sense for ${expirationType}, only for DURATION`);
    }
  }
  if (duration !== null && unit !== null && duration > LONGEST[unit]) {
    throw Problem.invalid('expiration_duration', `must be at most ${LONGEST[unit]} with ${unit}`);
  }
  return { expirationType, expirationDuration: duration, expirationUnit: unit };
}
