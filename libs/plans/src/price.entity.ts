import { BILLING_PERIODS, Decimal, text, type Tier, type UnitPrice, ZERO } from '@drawdown/billing-core';
import { amount, archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const priceTypes = ['FIXED', 'USAGE'] as const;
export const billingModels = ['FLAT_FEE', 'PACKAGE', 'TIERED'] as const;
export const billingCadences = ['RECURRING', 'ONETIME'] as const;
export const invoiceCadences = ['ADVANCE', 'ARREAR'] as const;
export const tierModes = ['SLAB', 'VOLUME'] as const;
export const packageRounds = ['up', 'down'] as const;

/** As the wire spells it; amounts are exact text. */
export interface StoredTier {
  /** Null = no end, of the last tier only. */
  readonly up_to: string | null;
  readonly unit_amount: string;
  readonly flat_amount: string | null;
}

const PriceSchema = defineEntity({
  name: 'Price',
  tableName: 'price',
  properties: {
    ...archivable,
    /** Null of a price agreed with one customer, which no plan offers. */
    planId: p.string().nullable(),
    /** The subscription that alone has it; null of a plan's. */
    subscriptionId: p.string().nullable(),
    type: p.enum(priceTypes),
    billingModel: p.enum(billingModels),
    billingPeriod: p.enum(BILLING_PERIODS),
    billingPeriodCount: p.integer(),
    /** Asked every period, or once. */
    billingCadence: p.enum(billingCadences),
    invoiceCadence: p.enum(invoiceCadences),
    currency: p.string(),
    /** Money for a unit (of usage, or of a fee's quantity) or for a package; 0 of a tiered price. */
    amount: amount(),
    /** PACKAGE: units in a package, and what a part of one counts as. */
    divideBy: amount().nullable(),
    packageRound: p.enum(packageRounds).nullable(),
    /** TIERED. */
    tierMode: p.enum(tierModes).nullable(),
    tiers: p.json<StoredTier[]>().nullable(),
    /** Billed at least, as soon as anything is billed. */
    minQuantity: amount().nullable(),
    /** The first version of the price; null of the first itself. */
    parentPriceId: p.string().nullable(),
    /** A later version has taken its name. */
    superseded: p.boolean(),
    /** What a USAGE price counts by; a FIXED one has none. */
    meterId: p.string().nullable(),
    trialPeriodDays: p.integer(),
    /** Offered in `[startDate, endDate)`; null = from ever, for ever. */
    startDate: p.datetime().nullable(),
    endDate: p.datetime().nullable(),
    lookupKey: p.string().nullable(),
    displayName: p.string().nullable(),
    description: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** Money for a time (FIXED) or for use (USAGE). Its money never changes: a line item keeps the copy it was made with. */
export class Price extends PriceSchema.class {}
PriceSchema.setClass(Price);

/** Asked every period. */
export const recurs = ({ billingCadence }: Pick<Price, 'billingCadence'>): boolean => billingCadence === 'RECURRING';

/** What a quantity costs: the part of a price that versions change. */
export type PriceTerms = Pick<
  Price,
  'billingModel' | 'amount' | 'divideBy' | 'packageRound' | 'tierMode' | 'tiers' | 'minQuantity'
>;

/** The price of a quantity, as the arithmetic takes it. */
export function unitPriceOf(price: PriceTerms): UnitPrice {
  const minQuantity = price.minQuantity ?? null;
  switch (price.billingModel) {
    case 'FLAT_FEE':
      return { model: 'FLAT_FEE', amount: price.amount, minQuantity };
    case 'PACKAGE':
      return {
        model: 'PACKAGE',
        amount: price.amount,
        divideBy: price.divideBy!,
        round: price.packageRound!,
        minQuantity,
      };
    case 'TIERED':
      return { model: 'TIERED', tierMode: price.tierMode!, tiers: price.tiers!.map(coreTier), minQuantity };
  }
}

const coreTier = (tier: StoredTier) => ({
  upTo: tier.up_to === null ? null : new Decimal(tier.up_to),
  unitAmount: new Decimal(tier.unit_amount),
  flatAmount: tier.flat_amount === null ? null : new Decimal(tier.flat_amount),
});

/** The other way: the terms of a price that a line item has its own copy of. */
export const termsOfUnitPrice = (price: UnitPrice): PriceTerms => ({
  billingModel: price.model,
  amount: price.model === 'TIERED' ? ZERO : price.amount,
  divideBy: price.model === 'PACKAGE' ? price.divideBy : null,
  packageRound: price.model === 'PACKAGE' ? price.round : null,
  tierMode: price.model === 'TIERED' ? price.tierMode : null,
  tiers: price.model === 'TIERED' ? price.tiers.map(storedTier) : null,
  minQuantity: price.minQuantity ?? null,
});

const storedTier = ({ upTo, unitAmount, flatAmount }: Tier): StoredTier => ({
  up_to: upTo && text(upTo),
  unit_amount: text(unitAmount),
  flat_amount: flatAmount && text(flatAmount),
});

/** The versions of a price are those with the same first one. */
export const firstVersionOf = (price: Pick<Price, 'id' | 'parentPriceId'>): string => price.parentPriceId ?? price.id;
