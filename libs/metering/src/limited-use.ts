import {
  accrue,
  accrueUntil,
  emptyAccrual,
  matches,
  ZERO,
  type AccrualRule,
  type AccrualState,
  type Span,
  type WindowPeriod,
} from '@drawdown/billing-core';
import { coreMeter, type Meter } from '@drawdown/features';
import type { Tx } from '@drawdown/platform';
import type { AggregatedFeature, SubscriptionTerms } from '@drawdown/subscriptions';
import { sql } from 'kysely';
import { limitWindow } from './limit-window.js';

const CHUNK = 1000;

/** What was counted of a meter, and the rule it was counted by; priced at nothing. */
export interface Counted {
  readonly rule: AccrualRule;
  readonly state: AccrualState;
}

/** What is to be counted of a meter that only has a limit, or one by time: what is priced has been counted as it came. */
export interface Limit {
  readonly meter: Meter;
  readonly window: Span;
}

/** In the limit's window of the oldest subscription that gives the feature; null where there is none at `now`. */
export function limitOf(
  { meter, entitlement, sources }: AggregatedFeature,
  running: readonly SubscriptionTerms[],
  now: Date,
): Limit | null {
  const oldest = running.find(({ id }) => sources.some((source) => source.subscriptionId === id));
  const reset = entitlement.usageResetPeriod as WindowPeriod | null;
  const window = meter && oldest ? limitWindow(oldest, meter, reset, now) : null;
  return meter && window && { meter, window };
}

/** Counts the customer's events in the window, in pages; usage that lasts counts up to now. */
export async function countUse(tx: Tx, customerId: string, { meter, window }: Limit): Promise<Counted> {
  const rule: AccrualRule = {
    price: { model: 'FLAT_FEE', amount: ZERO },
    meter: coreMeter(meter),
    allowance: null,
    span: { start: window.start, end: window.end },
  };
  let state = emptyAccrual();
  for (let after = '0'; ;) {
    const events = await eventsOf(tx, customerId, meter.eventName, window, after);
    for (const event of events) {
      if (!matches(rule.meter, { eventName: meter.eventName, properties: event.properties })) continue;
      const { properties, seq } = event;
      const counted = accrue(rule, state, { at: new Date(event.at), arrival: Number(seq), properties });
      if (!('problem' in counted)) state = counted.state;
    }
    if (events.length < CHUNK) return { rule, state: accrueUntil(rule, state, tx.now).state };
    after = events.at(-1)!.seq;
  }
}

interface EventRow {
  seq: string;
  at: string;
  properties: Record<string, string | number | boolean>;
}

async function eventsOf(tx: Tx, customerId: string, eventName: string, span: Span, after: string): Promise<EventRow[]> {
  const found = await sql<EventRow>`
    select seq, at, properties from usage_event
    where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and event_name = ${eventName}
      and at >= ${span.start} and at < ${span.end} and seq > ${after}::bigint
    order by seq limit ${CHUNK}`.execute(tx.db);
  return found.rows;
}
