import type { BillingPeriod } from '@drawdown/billing-core';
import { FeaturesService, type Meter } from '@drawdown/features';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Price } from './price.entity.js';
import { newPriceOf } from './price.rules.js';
import type { AgreedPriceBody } from './prices.dto.js';
import { unknownReference } from './reference.js';

/** The subscription that shall have a price of its own. */
interface Subscriber {
  readonly id: string;
  readonly currency: string;
  readonly billingPeriod: BillingPeriod;
  readonly billingPeriodCount: number;
}

/** A price and the meter it counts by. */
export interface AgreedPrice {
  readonly price: Price;
  readonly meter: Meter | null;
}

/** Prices agreed with one customer, as the line item shows them: no plan offers them, and nobody else can take them. */
@Injectable()
export class AgreedPrices {
  constructor(private readonly features: FeaturesService) {}

  /**
   * @throws Problem 400 for a price that makes no sense, isn't billed by this version, or isn't in the subscription's
   * currency and interval; 404 for an unknown meter.
   */
  async create(tx: Tx, subscription: Subscriber, body: AgreedPriceBody): Promise<AgreedPrice> {
    const terms = newPriceOf(body);
    assertOf(subscription, terms, body.currency);
    const meter = terms.meterId ? await this.meter(tx, terms.meterId) : null;
    const price = tx.em.create(Price, {
      id: newId('price'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      planId: null,
      subscriptionId: subscription.id,
      currency: subscription.currency,
      trialPeriodDays: 0,
      startDate: null,
      endDate: null,
      ...terms,
    });
    await tx.em.flush();
    return { price, meter };
  }

  private async meter(tx: Tx, id: string): Promise<Meter> {
    const [meter] = await this.features.meters(tx, [id]);
    if (meter?.status !== 'published') throw unknownReference('meter_id', id);
    return meter;
  }
}

function assertOf(
  { currency, billingPeriod, billingPeriodCount }: Subscriber,
  terms: Pick<Price, 'billingPeriod' | 'billingPeriodCount'>,
  wanted: string | null | undefined,
): void {
  if (wanted && wanted !== currency) throw Problem.invalid('currency', `is ${currency}, the subscription's`);
  if (terms.billingPeriod !== billingPeriod) {
    throw Problem.invalid('billing_period', `is ${billingPeriod}, the subscription's`);
  }
  if (terms.billingPeriodCount !== billingPeriodCount) {
    throw Problem.invalid('billing_period_count', `is ${billingPeriodCount}, the subscription's`);
  }
}
