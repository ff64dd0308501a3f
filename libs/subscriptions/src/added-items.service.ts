import { coreMeter } from '@drawdown/features';
import { Problem, within, type Tx } from '@drawdown/platform';
import { AgreedPrices, PlansService, type AgreedPriceBody, type Offer, type Price } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { copyPrice } from './copies.js';
import { unfitWindow, type MeterEntitlement } from './free-units.js';
import { commit, commits } from './item-commitment.js';
import type { LineItem } from './line-item.entity.js';
import type { CreateLineItemBody } from './line-items.dto.js';
import { assertMeteredOnce } from './metered-once.js';
import { override } from './override.js';
import { OwnEntitlements } from './own-entitlements.service.js';
import type { Subscription } from './subscription.entity.js';

interface Addition {
  readonly body: CreateLineItemBody;
  readonly at: Date;
  readonly endDate: Date | null;
  /** The other items of the subscription. */
  readonly beside: readonly LineItem[];
}

/** A price, and who offers it; null where it is agreed. */
interface Added extends Pick<Offer, 'meters'> {
  readonly plan: Offer['plan'] | null;
  readonly price: Price;
}

/** Line items beside those of the subscription's plan: prices of other plans, and prices agreed with the customer. */
@Injectable()
export class AddedItems {
  constructor(
    private readonly plans: PlansService,
    private readonly agreedPrices: AgreedPrices,
    private readonly entitlements: OwnEntitlements,
  ) {}

  /**
   * The item of a price from `at` on. @throws Problem 400 for a price that isn't sold in the subscription's currency and
   * interval, or counts what another item prices; 404 for an unknown one.
   */
  async item(tx: Tx, subscription: Subscription, { body, at, endDate, beside }: Addition): Promise<LineItem> {
    const { price_id: priceId, price } = body;
    if (priceId && price) throw Problem.invalid('price', 'and price_id exclude each other');
    if (!priceId && !price) throw Problem.invalid('price_id', 'or price is required');
    const added = price
      ? await within('price', () => this.agreed(tx, subscription, price))
      : await this.offered(tx, subscription, priceId!, at);
    const field = price ? 'price.meter_id' : 'price_id';
    // MEANING "Allowances": "An item's allowance is its own subscription's".
    const entitlements = await this.entitlements.ofMeters(tx, subscription.id);
    assertFreeUnitsFit(added, entitlements, { subscription, field });
    const item = copyPrice(tx, subscription, { ...added, entitlements }, added.price, at);
    item.endDate = endDate;
    assertMeteredOnce(item, beside, field);
    item.displayName = body.display_name ?? item.displayName;
    if (body.metadata) item.metadata = body.metadata;
    override(item, { quantity: body.quantity });
    if (commits(body)) commit(item, body, subscription);
    return item;
  }

  /** Those that a new subscription has from its start. @throws Problem as `item`, naming which. */
  async items(
    tx: Tx,
    subscription: Subscription,
    bodies: readonly CreateLineItemBody[],
    ofPlan: readonly LineItem[],
  ): Promise<LineItem[]> {
    const items: LineItem[] = [];
    const at = subscription.startDate;
    for (const [place, body] of bodies.entries()) {
      const name = `line_items[${place}]`;
      if (body.start_date || body.end_date) {
        throw Problem.unsupported(name, 'of a new subscription has no dates: add it later, or end it then');
      }
      const beside = [...ofPlan, ...items];
      items.push(await within(name, () => this.item(tx, subscription, { body, at, endDate: null, beside })));
    }
    return items;
  }

  private async offered(tx: Tx, subscription: Subscription, priceId: string, at: Date): Promise<Added> {
    const { currency, billingPeriod, billingPeriodCount } = subscription;
    const planId = await this.plans.planOfPrice(tx, priceId);
    const offer = await this.plans.offer(tx, planId, { currency, billingPeriod, billingPeriodCount, at, trialDays: 0 });
    const price = offer.prices.find(({ id }) => id === priceId);
    if (!price) throw Problem.invalid('price_id', `is not offered in ${currency}, ${billingPeriod}, at that time`);
    return { plan: offer.plan, price, meters: offer.meters };
  }

  private async agreed(tx: Tx, subscription: Subscription, body: AgreedPriceBody): Promise<Added> {
    const { price, meter } = await this.agreedPrices.create(tx, subscription, body);
    return { plan: null, price, meters: new Map(meter ? [[meter.id, meter]] : []) };
  }
}

/** @throws Problem 400 where usage that is billed every interval can't be free in the windows that the subscription has. */
function assertFreeUnitsFit(
  { price, meters }: Added,
  entitlements: readonly MeterEntitlement[],
  { subscription, field }: { readonly subscription: Subscription; readonly field: string },
): void {
  const meter = meters.get(price.meterId ?? '');
  if (!meter) return;
  const wrong = unfitWindow(meter.id, coreMeter(meter), entitlements, subscription);
  if (wrong) throw Problem.invalid(field, `has free units that can't be told from others: ${wrong}`);
}
