import { Decimal } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import type { Price } from './price.entity.js';
import type { CreatePriceBody } from './prices.dto.js';
import {
  assertSupported,
  supportedBillingCadences,
  supportedBillingModels,
  supportedBillingPeriods,
  supportedOwners,
  supportedPeriodCounts,
  supportedPriceUnits,
} from './supported.js';

/** @throws Problem 400 for a kind of price that this version doesn't bill. */
export function assertSupportedPrice(body: CreatePriceBody): void {
  assertSupported('billing_model', body.billing_model, supportedBillingModels);
  assertSupported('billing_period', body.billing_period, supportedBillingPeriods);
  assertSupported('billing_period_count', body.billing_period_count, supportedPeriodCounts);
  assertSupported('billing_cadence', body.billing_cadence, supportedBillingCadences);
  assertSupported('price_unit_type', body.price_unit_type, supportedPriceUnits);
  assertSupported('entity_type', body.entity_type, supportedOwners);
}

/** The meter of a USAGE price; null for a FIXED one. @throws Problem 400 when it is missing or makes no sense. */
export function meterIdOf({ type, meter_id: meterId }: CreatePriceBody): string | null {
  if (type === 'USAGE' && !meterId) throw Problem.invalid('meter_id', 'is required for a USAGE price');
  if (type === 'FIXED' && meterId) throw Problem.invalid('meter_id', 'makes no sense for a FIXED price');
  return meterId ?? null;
}

/** Usage is known when its period is over. @throws Problem 400 for usage in advance, or a fee that doesn't say when. */
export function invoiceCadenceOf({ type, invoice_cadence: cadence }: CreatePriceBody): Price['invoiceCadence'] {
  if (type === 'USAGE') {
    if (cadence === 'ADVANCE') throw Problem.invalid('invoice_cadence', 'of a USAGE price can only be ARREAR');
    return 'ARREAR';
  }
  if (!cadence) throw Problem.invalid('invoice_cadence', 'is required for a FIXED price: ADVANCE or ARREAR');
  return cadence;
}

/** Money, 0 or more. @throws Problem 400 when it is missing. */
export function amountOf({ amount, billing_model: model }: CreatePriceBody): Decimal {
  if (amount === undefined || amount === null) throw Problem.invalid('amount', `is required for a ${model} price`);
  return new Decimal(amount);
}

/** Days, 0 for none, by either of its names. @throws Problem 400 when the two differ. */
export function trialDaysOf({ trial_period: older, trial_period_days: newer }: CreatePriceBody): number {
  const given = [older, newer].filter((days) => days !== undefined && days !== null);
  if (new Set(given).size > 1) throw Problem.invalid('trial_period_days', 'differs from trial_period');
  return given[0] ?? 0;
}
