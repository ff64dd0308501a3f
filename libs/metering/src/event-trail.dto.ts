import { UnusedKey } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import type { WalletTransactionView } from '@drawdown/wallets';
import type { LineItem } from '@drawdown/subscriptions';
import { eventView, EventView } from './events.dto.js';
import { accrualKey } from './open-accrual.js';
import type { Attribution, UnbilledReason, UsageEvent } from './usage-event.entity.js';

/** Credits drawn from a lot by the event; below zero returned to it. */
export class EventDrawView {
  lot_id: string;
  credits: string;
}

/** What all usage of a line item in the period comes to; the event is a part of it. Money, but for units and credits. */
export class EventAccrualView {
  period_start: string;
  period_end: string;
  quantity: string;
  free_quantity: string;
  accrued: string;
  /** `accrued` is what credits covered, what nobody has paid and what was waived. */
  covered: string;
  shortfall: string;
  waived: string;
  credits: string;
  /** When an invoice has billed it; usage after that is late. */
  @ApiProperty({ type: String, nullable: true })
  settled_at: string | null;
}

/** What the event did on one line item. The last ten keys are ours: quantities in units, `amount` in money. */
export class ProcessedEventView {
  customer_id: string | null;
  subscription_id: string;
  sub_line_item_id: string;
  price_id: string | null;
  meter_id: string;
  feature_id: string | null;
  qty_total: string;
  processed_at: string;
  period_id: string;
  currency: string;
  free_quantity: string;
  amount: string;
  credits: string;
  @ApiProperty({ type: [EventDrawView] })
  draws: EventDrawView[];
  /** The ledger entries of these draws; each sums what its batch drew from the lot for the line item. */
  ledger_entry_ids: string[];
  @ApiProperty({ type: EventAccrualView, nullable: true })
  accrual: EventAccrualView | null;
  reason: string | null;
  problem: string | null;
}

export class LookupView {
  @ApiProperty({ enum: ['unprocessed', 'not_found', 'found', 'error'] })
  status: string;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  error: null;
}

export class CustomerLookupView extends LookupView {
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  customer: null;
}

export class MatchedMeterView {
  event_name: string;
  meter_id: string;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  meter: null;
}

export class MeterMatchingView extends LookupView {
  @ApiProperty({ type: [MatchedMeterView] })
  matched_meters: MatchedMeterView[];
}

export class MatchedPriceView {
  meter_id: string;
  price_id: string | null;
  status: string;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  price: null;
}

export class PriceLookupView extends LookupView {
  @ApiProperty({ type: [MatchedPriceView] })
  matched_prices: MatchedPriceView[];
}

export class MatchedLineItemView {
  sub_line_item_id: string;
  subscription_id: string;
  price_id: string | null;
  start_date: string | null;
  end_date: string | null;
  is_active_for_event: boolean;
  timestamp_within_range: boolean;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  subscription_line_item: null;
}

export class LineItemLookupView extends LookupView {
  @ApiProperty({ type: [MatchedLineItemView] })
  matched_line_items: MatchedLineItemView[];
}

export class FailurePointView {
  failure_point_type: string;
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  error: null;
}

export class DebugTrackerView {
  customer_lookup: CustomerLookupView;
  meter_matching: MeterMatchingView;
  price_lookup: PriceLookupView;
  subscription_line_item_lookup: LineItemLookupView;
  @ApiProperty({ type: FailurePointView, nullable: true })
  failure_point: FailurePointView | null;
}

/** From an event to quantity, price, lots and ledger. */
export class EventTrailView {
  /** `processed`, or `failed` when it was not billed: `reason` says why. */
  status: string;
  event: EventView;
  @ApiProperty({ type: [ProcessedEventView] })
  processed_events: ProcessedEventView[];
  debug_tracker: DebugTrackerView;
  reason: string | null;
  credits_burned: string;
  /** The transaction that burnt it; the ledger names it as the cause. */
  batch_id: string;
  @ApiProperty({ type: [Object] })
  ledger_entries: WalletTransactionView[];
}

export interface TrailParts {
  readonly event: UsageEvent;
  readonly creditsBurned: string;
  readonly lineItems: ReadonlyMap<string, LineItem>;
  /** By meter. */
  readonly featureIds: ReadonlyMap<string, string>;
  readonly entries: readonly WalletTransactionView[];
  /** By `accrualKey`. */
  readonly accruals: ReadonlyMap<string, EventAccrualView>;
}

export function eventTrailView(parts: TrailParts): EventTrailView {
  const { event } = parts;
  return {
    status: event.reason ? 'failed' : 'processed',
    event: eventView(event),
    processed_events: event.attribution.map((one) => processedView(one, parts)),
    debug_tracker: debugTracker(event, parts.lineItems),
    reason: event.reason ?? null,
    credits_burned: parts.creditsBurned,
    batch_id: event.batchId,
    ledger_entries: [...parts.entries],
  };
}

function processedView(one: Attribution, parts: TrailParts): ProcessedEventView {
  const { event, lineItems, featureIds, entries, accruals } = parts;
  const own = entries.filter(
    (entry) => entry.line_item_id === one.line_item_id && one.draws.some((draw) => draw.lot_id === entry.lot_id),
  );
  return {
    customer_id: event.customerId ?? null,
    subscription_id: one.subscription_id,
    sub_line_item_id: one.line_item_id,
    price_id: lineItems.get(one.line_item_id)?.priceId ?? null,
    meter_id: one.meter_id,
    feature_id: featureIds.get(one.meter_id) ?? null,
    qty_total: one.quantity,
    processed_at: event.receivedAt.toISOString(),
    period_id: one.period_id,
    currency: one.currency,
    free_quantity: one.free,
    amount: one.amount,
    credits: one.credits,
    draws: [...one.draws],
    ledger_entry_ids: own.map((entry) => entry.id),
    accrual: accruals.get(accrualKey(one.line_item_id, one.period_id)) ?? null,
    reason: one.reason ?? null,
    problem: one.problem ?? null,
  };
}

const FAILURE_POINTS: Record<UnbilledReason, string> = {
  unknown_customer: 'customer_lookup',
  customer_mismatch: 'customer_lookup',
  no_match: 'meter_matching',
  bad_property: 'price_lookup',
  period_settled: 'subscription_line_item_lookup',
};

function debugTracker(event: UsageEvent, lineItems: ReadonlyMap<string, LineItem>): DebugTrackerView {
  const matched = event.attribution;
  const lookup = (found: boolean) => ({
    status: found ? 'found' : event.customerId ? 'not_found' : 'unprocessed',
    error: null,
  });
  return {
    customer_lookup: { status: event.customerId ? 'found' : 'not_found', error: null, customer: null },
    meter_matching: {
      ...lookup(matched.length > 0),
      matched_meters: matched.map((one) => ({ event_name: event.eventName, meter_id: one.meter_id, meter: null })),
    },
    price_lookup: {
      ...lookup(matched.length > 0),
      matched_prices: matched.map((one) => ({
        meter_id: one.meter_id,
        price_id: lineItems.get(one.line_item_id)?.priceId ?? null,
        status: 'published',
        price: null,
      })),
    },
    subscription_line_item_lookup: {
      ...lookup(matched.length > 0),
      matched_line_items: matched.map((one) => matchedLineItem(one, lineItems.get(one.line_item_id))),
    },
    failure_point: event.reason ? { failure_point_type: FAILURE_POINTS[event.reason], error: null } : null,
  };
}

const matchedLineItem = (one: Attribution, item: LineItem | undefined): MatchedLineItemView => ({
  sub_line_item_id: one.line_item_id,
  subscription_id: one.subscription_id,
  price_id: item?.priceId ?? null,
  start_date: item?.startDate.toISOString() ?? null,
  end_date: item?.endDate?.toISOString() ?? null,
  is_active_for_event: true,
  timestamp_within_range: true,
  subscription_line_item: null,
});
