import { Decimal } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import {
  changedTerms,
  changesMoney,
  priceTermsView,
  termsOfUnitPrice,
  unitPriceOf,
  type ChangedMoneyBody,
  type Entitlement,
  type Offer,
} from '@drawdown/plans';
import type { AgreedOffer } from './copies.js';
import type { LineItem } from './line-item.entity.js';
import type { OverrideEntitlementBody, OverrideLineItemBody } from './line-items.dto.js';
import { copyOfPrice, unitPriceOfItem } from './rule-copy.js';

/** What a subscription has otherwise than its plan. */
interface OverriddenTerms extends ChangedMoneyBody {
  /** Units of a fee, as text. */
  readonly quantity?: string | null;
}

/** @throws Problem 400 for terms the item's price can't have. */
export function override(item: LineItem, { quantity, ...money }: OverriddenTerms): void {
  if (quantity !== undefined && quantity !== null) {
    if (item.priceType === 'USAGE') throw Problem.invalid('quantity', 'of usage is metered');
    item.quantity = new Decimal(quantity);
  }
  if (!changesMoney(money)) return;
  const terms = changedTerms(termsOfUnitPrice(unitPriceOfItem(item)), money);
  item.rule = { ...item.rule, price: copyOfPrice(unitPriceOf(terms)) };
  item.price = Object.assign({}, item.price, priceTermsView(terms, item.currency));
}

/** @throws Problem 400 for a price that the subscription didn't take. */
export function overrideItems(items: readonly LineItem[], overrides: readonly OverrideLineItemBody[]): void {
  for (const wanted of overrides) {
    const item = items.find(({ priceId }) => priceId === wanted.price_id);
    if (!item) throw Problem.invalid('override_line_items', `names ${wanted.price_id}, which is none of its prices`);
    override(item, wanted);
  }
}

/** The offer with the entitlements that the request wants otherwise. @throws Problem 400 for those it doesn't have. */
export function withEntitlements(offer: Offer, overrides: readonly OverrideEntitlementBody[]): AgreedOffer {
  const wanted = new Map(overrides.map((terms, place) => [terms.entitlement_id, { terms, place }]));
  const entitlements = offer.entitlements.map((given) => {
    const one = wanted.get(given.entitlement.id);
    if (!one) return given;
    wanted.delete(given.entitlement.id);
    const terms = termsAgreed(given.entitlement, one.terms, `override_entitlements[${one.place}]`);
    const entitlement = Object.assign(Object.create(given.entitlement) as Entitlement, terms);
    return { ...given, entitlement, agreed: true as const };
  });
  const [unknown] = wanted.keys();
  if (unknown) throw Problem.invalid('override_entitlements', `names ${unknown}, which the plan doesn't have`);
  return { ...offer, entitlements };
}

/** @throws Problem 400 for what the kind of feature has no use for. */
function termsAgreed(entitlement: Entitlement, wanted: OverrideEntitlementBody, path: string) {
  const { featureType: type } = entitlement;
  const { usage_limit: limit, static_value: value } = wanted;
  const senseless = type !== 'metered' && limit ? 'usage_limit' : type !== 'static' && value ? 'static_value' : null;
  if (senseless) throw Problem.invalid(`${path}.${senseless}`, `makes no sense for a ${type} feature`);
  const usageLimit = limit === undefined ? entitlement.usageLimit : limit;
  return {
    isEnabled: wanted.is_enabled ?? entitlement.isEnabled,
    usageLimit: typeof usageLimit === 'string' ? new Decimal(usageLimit) : usageLimit,
    staticValue: value ?? entitlement.staticValue,
  };
}
