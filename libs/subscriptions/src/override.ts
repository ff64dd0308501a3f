import { Decimal } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import {
  changedTerms,
  changesMoney,
  priceTermsView,
  termsOfUnitPrice,
  unitPriceOf,
  type ChangedMoneyBody,
  type Offer,
} from '@drawdown/plans';
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
export function withEntitlements(offer: Offer, overrides: readonly OverrideEntitlementBody[]): Offer {
  const wanted = new Map(overrides.map((one) => [one.entitlement_id, one]));
  const entitlements = offer.entitlements.map((given) => {
    const { entitlement } = given;
    const one = wanted.get(entitlement.id);
    if (!one) return given;
    wanted.delete(entitlement.id);
    if (entitlement.featureType !== 'metered') {
      throw Problem.unsupported('override_entitlements', `of a ${entitlement.featureType} feature: it is the plan's`);
    }
    const usageLimit = one.usage_limit === undefined ? entitlement.usageLimit : one.usage_limit;
    const isEnabled = one.is_enabled ?? entitlement.isEnabled;
    const terms = { isEnabled, usageLimit: usageLimit === null ? null : usageLimit && new Decimal(usageLimit) };
    return { ...given, entitlement: Object.assign(Object.create(entitlement) as typeof entitlement, terms) };
  });
  const [unknown] = wanted.keys();
  if (unknown) throw Problem.invalid('override_entitlements', `names ${unknown}, which the plan doesn't have`);
  return { ...offer, entitlements };
}
