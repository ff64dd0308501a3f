import { Decimal, text, validatePrice } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { unitPriceOf, type Price, type PriceTerms } from './price.entity.js';
import type { ChangedMoneyBody, CreatePriceBody, MoneyTerms, NewPriceBody } from './prices.dto.js';
import { assertSupported, supportedOwners, supportedPriceUnits } from './supported.js';

/** @throws Problem 400 for a kind of price that this version doesn't bill. */
function assertSupportedPrice(body: NewPriceBody & { readonly entity_type?: string }): void {
  assertSupported('price_unit_type', body.price_unit_type, supportedPriceUnits);
  assertSupported('entity_type', body.entity_type, supportedOwners);
}

/** What a new price is, whoever offers it. @throws Problem 400 for what makes no sense or isn't billed by this version. */
export function newPriceOf(body: NewPriceBody & { readonly entity_type?: string }) {
  assertSupportedPrice(body);
  return {
    status: 'published' as const,
    type: body.type,
    billingPeriod: body.billing_period,
    billingPeriodCount: body.billing_period_count ?? 1,
    meterId: meterIdOf(body),
    ...priceTermsOf(body.billing_model, body),
    billingCadence: billingCadenceOf(body),
    invoiceCadence: invoiceCadenceOf(body),
    parentPriceId: null,
    superseded: false,
    lookupKey: body.lookup_key ?? null,
    displayName: body.display_name ?? null,
    description: body.description ?? null,
    metadata: body.metadata ?? {},
  };
}

/** The meter of a USAGE price; null for a FIXED one. @throws Problem 400 when it is missing or makes no sense. */
function meterIdOf({ type, meter_id: meterId }: NewPriceBody): string | null {
  if (type === 'USAGE' && !meterId) throw Problem.invalid('meter_id', 'is required for a USAGE price');
  if (type === 'FIXED' && meterId) throw Problem.invalid('meter_id', 'makes no sense for a FIXED price');
  return meterId ?? null;
}

/** Usage is known when its period is over. @throws Problem 400 for usage in advance, or a fee that doesn't say when. */
function invoiceCadenceOf({ type, invoice_cadence: cadence }: NewPriceBody): Price['invoiceCadence'] {
  if (type === 'USAGE') {
    if (cadence === 'ADVANCE') throw Problem.invalid('invoice_cadence', 'of a USAGE price can only be ARREAR');
    return 'ARREAR';
  }
  if (!cadence) throw Problem.invalid('invoice_cadence', 'is required for a FIXED price: ADVANCE or ARREAR');
  return cadence;
}

/** What is asked once is a fee, and asked in advance. @throws Problem 400 for anything else that shall be. */
function billingCadenceOf({
  billing_cadence: cadence,
  type,
  invoice_cadence: when,
}: NewPriceBody): Price['billingCadence'] {
  if (cadence !== 'ONETIME') return 'RECURRING';
  if (type === 'USAGE') throw Problem.invalid('billing_cadence', 'ONETIME makes no sense for a USAGE price');
  if (when === 'ARREAR') throw Problem.invalid('invoice_cadence', 'of what is asked once can only be ADVANCE');
  return cadence;
}

/**
 * What a quantity costs. @throws Problem 400 naming the field: what the model needs and lacks, what it has no use for,
 * and what makes no price (`validatePrice`).
 */
export function priceTermsOf(model: Price['billingModel'], body: MoneyTerms): PriceTerms {
  const { amount, tiers, tier_mode: tierMode, transform_quantity: transform, min_quantity: min } = body;
  const tiered = model === 'TIERED';
  assertFitting(model, [
    ['amount', tiered ? !new Decimal(amount ?? 0).isZero() : !given(amount), tiered],
    ['tiers', tiered !== given(tiers), !tiered],
    ['tier_mode', tiered !== given(tierMode), !tiered],
    ['transform_quantity', (model === 'PACKAGE') !== given(transform), model !== 'PACKAGE'],
  ]);
  const terms: PriceTerms = {
    billingModel: model,
    amount: new Decimal(tiered ? 0 : amount!),
    divideBy: transform ? new Decimal(transform.divide_by) : null,
    packageRound: transform ? (transform.round ?? 'up') : null,
    tierMode: tierMode ?? null,
    tiers: tiers?.map(storedTier) ?? null,
    minQuantity: given(min) ? new Decimal(min!) : null,
  };
  const [wrong] = validatePrice(unitPriceOf(terms));
  if (wrong) throw Problem.invalid(wrong.field, `is wrong: ${wrong.message}`);
  return terms;
}

const MONEY = ['amount', 'billing_model', 'tier_mode', 'tiers', 'transform_quantity'] as const;

/** True when a change decides anew what a quantity costs. */
export const changesMoney = (body: ChangedMoneyBody): boolean => MONEY.some((field) => given(body[field]));

/** The terms a change leaves a price with. @throws Problem 400 as `priceTermsOf`. */
export function changedTerms(before: PriceTerms, body: ChangedMoneyBody): PriceTerms {
  const said = Object.fromEntries(MONEY.flatMap((field) => (given(body[field]) ? [[field, body[field]]] : [])));
  return priceTermsOf(body.billing_model ?? before.billingModel, { ...keptTerms(before, body), ...said });
}

/** What the request leaves out stays, as long as the model does. */
function keptTerms(before: PriceTerms, { billing_model: model }: ChangedMoneyBody): MoneyTerms {
  const min = { min_quantity: before.minQuantity ? text(before.minQuantity) : null };
  if (model && model !== before.billingModel) return min;
  const { divideBy, packageRound: round, tierMode: tier_mode, tiers } = before;
  return {
    ...min,
    amount: before.billingModel === 'TIERED' ? null : text(before.amount),
    transform_quantity: divideBy ? { divide_by: text(divideBy), round } : null,
    tier_mode,
    tiers,
  };
}

/** @param rules field, whether it is missing or in the way, and which of the two. */
function assertFitting(model: string, rules: readonly [field: string, wrong: boolean, senseless: boolean][]): void {
  const broken = rules.find(([, wrong]) => wrong);
  if (!broken) return;
  const [field, , senseless] = broken;
  throw Problem.invalid(field, senseless ? `makes no sense for a ${model} price` : `is required for a ${model} price`);
}

const given = (value: unknown): boolean => value !== undefined && value !== null;

const storedTier = ({
  up_to: upTo,
  unit_amount: unit,
  flat_amount: flat,
}: NonNullable<MoneyTerms['tiers']>[number]) => ({
  up_to: upTo ?? null,
  unit_amount: unit,
  flat_amount: flat ?? null,
});

/** Days, 0 for none, by either of its names. @throws Problem 400 when the two differ, and for what is asked once. */
export function trialDaysOf({
  trial_period: older,
  trial_period_days: newer,
  billing_cadence: cadence,
}: CreatePriceBody): number {
  const given = [older, newer].filter((days) => days !== undefined && days !== null);
  if (new Set(given).size > 1) throw Problem.invalid('trial_period_days', 'differs from trial_period');
  const [days = 0] = given;
  if (days > 0 && cadence === 'ONETIME') {
    const field = newer ? 'trial_period_days' : 'trial_period';
    throw Problem.invalid(field, 'is of a recurring price: what is asked once waits for paid time anyway');
  }
  return days;
}
