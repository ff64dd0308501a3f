import { Decimal } from '@drawdown/billing-core';
import { coreMeter } from '@drawdown/features';
import { newId, Problem, type Tx } from '@drawdown/platform';
import {
  expiryOf,
  priceView,
  stepOf,
  unitPriceOf,
  type CreateCreditGrantBody,
  type Offer,
  type Price,
} from '@drawdown/plans';
import { allowanceOf, windowOf, type MeterEntitlement } from './free-units.js';
import { SubscriptionGrant } from './grant.entity.js';
import { LineItem } from './line-item.entity.js';
import { copyOfRule } from './rule-copy.js';
import type { Subscription } from './subscription.entity.js';

/** What a plan offers, with what was agreed otherwise. */
export type AgreedOffer = Omit<Offer, 'entitlements'> & {
  readonly entitlements: readonly (Offer['entitlements'][number] & { readonly agreed?: true })[];
};

/**
 * Copies what a plan offers into a subscription, which from then on no edit of the catalogue reaches: prices with their
 * meters and allowances, and grants.
 */
export function copyOffer(
  tx: Tx,
  subscription: Subscription,
  offer: AgreedOffer,
  from: Date,
): { items: LineItem[]; grants: SubscriptionGrant[] } {
  const items = offer.prices.map((price) => copyPrice(tx, subscription, offer, price, from));
  return { items, grants: offer.grants.map((grant) => copyGrant(tx, subscription, grant)) };
}

function copyGrant(tx: Tx, subscription: Subscription, grant: Offer['grants'][number]): SubscriptionGrant {
  return tx.em.create(SubscriptionGrant, {
    id: newId('sgrant'),
    ...ofSubscription(tx, subscription),
    planGrantId: grant.id,
    planId: grant.planId,
    endedAt: null,
    name: grant.name,
    cadence: grant.cadence,
    credits: grant.credits,
    period: grant.period ?? null,
    periodCount: grant.periodCount,
    expirationType: grant.expirationType,
    expirationDuration: grant.expirationDuration ?? null,
    expirationUnit: grant.expirationUnit ?? null,
    priority: grant.priority ?? null,
    conversionRate: grant.conversionRate ?? null,
    topupConversionRate: grant.topupConversionRate ?? null,
    metadata: grant.metadata,
  });
}

/** A grant of the subscription's own, agreed with it. @throws Problem 400 for terms that make no sense. */
export function agreedGrant(tx: Tx, subscription: Subscription, body: CreateCreditGrantBody): SubscriptionGrant {
  if (body.scope !== 'SUBSCRIPTION') throw Problem.invalid('credit_grants', 'are of scope SUBSCRIPTION');
  for (const field of ['plan_id', 'subscription_id', 'start_date', 'end_date'] as const) {
    if (body[field]) throw Problem.unsupported('credit_grants', `of a new subscription have no ${field}`);
  }
  const own = newId('grant');
  return tx.em.create(SubscriptionGrant, {
    id: newId('sgrant'),
    ...ofSubscription(tx, subscription),
    planGrantId: own,
    planId: null,
    endedAt: null,
    name: body.name,
    cadence: body.cadence,
    credits: new Decimal(body.credits),
    ...stepOf(body),
    ...expiryOf(body),
    priority: body.priority ?? null,
    conversionRate: body.conversion_rate ? new Decimal(body.conversion_rate) : null,
    topupConversionRate: body.topup_conversion_rate ? new Decimal(body.topup_conversion_rate) : null,
    metadata: body.metadata ?? {},
  });
}

/** Who offers a price, null for one agreed with the customer, and the free units that go with it. */
type Offering = Pick<Offer, 'meters'> & {
  readonly plan: Offer['plan'] | null;
  readonly entitlements: readonly MeterEntitlement[];
};

const AGREED_FEE = 'Agreed fee';

/** The item of a price from `from` on, with the allowance that the offer has for its meter. */
export function copyPrice(tx: Tx, subscription: Subscription, offer: Offering, price: Price, from: Date): LineItem {
  const meter = price.meterId ? offer.meters.get(price.meterId)! : null;
  return tx.em.create(LineItem, {
    id: newId('item'),
    ...ofSubscription(tx, subscription),
    customerId: subscription.customerId,
    planId: offer.plan?.id ?? null,
    planDisplayName: offer.plan?.name ?? null,
    priceId: price.id,
    priceType: price.type,
    displayName: price.displayName ?? meter?.name ?? offer.plan?.name ?? AGREED_FEE,
    currency: price.currency,
    billingPeriod: price.billingPeriod,
    billingPeriodCount: price.billingPeriodCount,
    invoiceCadence: price.invoiceCadence,
    once: price.billingCadence === 'ONETIME',
    quantity: new Decimal(price.type === 'FIXED' ? 1 : 0),
    meterId: meter?.id ?? null,
    meterDisplayName: meter?.name ?? null,
    price: priceView(price, meter),
    rule: copyOfRule({
      price: unitPriceOf(price),
      meter: meter && coreMeter(meter),
      allowance: meter && allowanceOf(offer.entitlements, meter.id),
      window: meter && windowOf(offer.entitlements, meter.id),
    }),
    commitment: null,
    startDate: from,
    endDate: null,
    feeFrom: from,
    feeUntil: null,
    metadata: price.metadata,
  });
}

const ofSubscription = (tx: Tx, subscription: Subscription) => ({
  ...tx.scope,
  subscriptionId: subscription.id,
  createdAt: tx.now,
  updatedAt: tx.now,
});
