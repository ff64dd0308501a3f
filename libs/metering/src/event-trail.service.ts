import { text } from '@drawdown/billing-core';
import { FeaturesService } from '@drawdown/features';
import { Problem, type Tx } from '@drawdown/platform';
import { SubscriptionsService, type LineItem } from '@drawdown/subscriptions';
import { WalletTransactions } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { eventKey } from './event-store.js';
import { eventTrailView, type EventTrailView } from './event-trail.dto.js';
import { UsageEvent } from './usage-event.entity.js';

/** Follows an event to quantity, price, lots drawn and ledger entries. */
@Injectable()
export class EventTrail {
  constructor(
    private readonly features: FeaturesService,
    private readonly subscriptions: SubscriptionsService,
    private readonly transactions: WalletTransactions,
  ) {}

  /** @throws Problem 404. */
  async follow(tx: Tx, eventId: string): Promise<EventTrailView> {
    const where = { environmentId: tx.scope.environmentId, key: eventKey(tx.scope, eventId) };
    const event = await tx.em.findOne(UsageEvent, where);
    if (!event) throw Problem.notFound('event', eventId);
    const drawn = event.attribution.some((one) => one.draws.length > 0);
    return eventTrailView({
      event,
      creditsBurned: text(event.creditsBurned),
      lineItems: await this.lineItems(tx, event),
      featureIds: await this.featureIds(tx, event),
      entries: drawn ? await this.transactions.causedBy(tx, event.batchId, event.customerId!) : [],
    });
  }

  private async lineItems(tx: Tx, event: UsageEvent): Promise<Map<string, LineItem>> {
    const items: LineItem[] = [];
    for (const id of new Set(event.attribution.map((one) => one.subscription_id))) {
      items.push(...(await this.subscriptions.lineItems(tx, id)));
    }
    return new Map(items.map((item) => [item.id, item]));
  }

  private async featureIds(tx: Tx, event: UsageEvent): Promise<Map<string, string>> {
    const meterIds = [...new Set(event.attribution.map((one) => one.meter_id))];
    if (meterIds.length === 0) return new Map();
    const [features] = await this.features.search(tx, { meter_ids: meterIds, limit: 1000 });
    return new Map(features.map((feature) => [feature.meterId!, feature.id]));
  }
}
