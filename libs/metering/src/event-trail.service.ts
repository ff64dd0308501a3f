import { Decimal, text } from '@drawdown/billing-core';
import { FeaturesService } from '@drawdown/features';
import { Problem, type Tx } from '@drawdown/platform';
import { SubscriptionsService, type LineItem } from '@drawdown/subscriptions';
import { WalletTransactions } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { eventKey } from './event-store.js';
import { eventTrailView, type EventAccrualView, type EventTrailView } from './event-trail.dto.js';
import { accrualKey } from './open-accrual.js';
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
      accruals: await accrualsOf(tx, event),
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

interface AccrualRow extends Record<
  'quantity' | 'free' | 'accrued' | 'covered' | 'shortfall' | 'waived' | 'credits',
  string
> {
  line_item_id: string;
  period_id: string;
  start_at: string;
  end_at: string;
  settled_at: string | null;
}

/** By `accrualKey`. */
async function accrualsOf(tx: Tx, { attribution }: UsageEvent): Promise<Map<string, EventAccrualView>> {
  const found = await sql<AccrualRow>`
    select a.line_item_id, a.period_id, a.quantity, a.free, a.accrued, a.covered, a.shortfall, a.waived, a.credits,
           p.start_at, p.end_at, p.settled_at
    from unnest(${attribution.map((one) => one.line_item_id)}::text[], ${attribution.map((one) => one.period_id)}::text[])
      i(line_item_id, period_id)
    join accrual a on a.line_item_id = i.line_item_id and a.period_id = i.period_id
    join usage_period p on p.id = a.period_id
    where a.environment_id = ${tx.scope.environmentId}`.execute(tx.db);
  return new Map(found.rows.map((row) => [accrualKey(row.line_item_id, row.period_id), accrualView(row)]));
}

function accrualView(row: AccrualRow): EventAccrualView {
  const plain = (value: string) => text(new Decimal(value));
  const instant = (value: string) => new Date(value).toISOString();
  return {
    period_start: instant(row.start_at),
    period_end: instant(row.end_at),
    quantity: plain(row.quantity),
    free_quantity: plain(row.free),
    accrued: plain(row.accrued),
    covered: plain(row.covered),
    shortfall: plain(row.shortfall),
    waived: plain(row.waived),
    credits: plain(row.credits),
    settled_at: row.settled_at && instant(row.settled_at),
  };
}
