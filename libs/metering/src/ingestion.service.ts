import { text, ZERO } from '@drawdown/billing-core';
import { newId, Problem, sqlState, Transactions, type Scope, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { EventCustomers, type Named } from './event-customers.js';
import {
  contentHash,
  EVENT_KEY,
  eventKey,
  insertEvents,
  storedHashes,
  type NewEvent,
  type Outcome,
} from './event-store.js';
import type { UsageFold } from './fold.js';
import type { IncomingEvent } from './incoming-event.js';
import { UsageBurner } from './usage-burner.js';
import type { UnbilledReason } from './usage-event.entity.js';

/** An event ahead of the clock by at most this counts as now; by more it is refused. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** An event older than this is refused: longer than any subscription may start in the past (13 months). */
export const RETENTION_MS = 400 * 24 * 60 * 60_000;

const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 5;

export interface IngestResult {
  readonly event_id: string;
  readonly status: 'accepted' | 'duplicate';
  /** By this request: 0 for a duplicate, below zero for a correction that returned credits. */
  readonly credits_burned: string;
  /** A duplicate whose content is another than the stored one; that one stays. */
  readonly differs: boolean;
  /** Why an accepted event was not billed; null when it was. */
  readonly reason: UnbilledReason | null;
}

/** Events of one request: all of them are taken, or none. `path` stands before a field's name in its problems. */
export interface IngestRequest {
  readonly events: readonly IncomingEvent[];
  readonly path: (index: number) => string;
}

/** Takes events in: stored, priced and burnt in one transaction whose number of statements doesn't grow with them. */
@Injectable()
export class IngestionService {
  constructor(
    private readonly transactions: Transactions,
    private readonly customers: EventCustomers,
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
  ) {}

  /**
   * Commits before it answers, one result per event in their order.
   * @throws Problem 400 for a timestamp beyond the bounds; then nothing of the request is stored.
   */
  async ingest(scope: Scope, request: IngestRequest): Promise<IngestResult[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactions.run(scope, (tx) => this.ingestIn(tx, request));
      } catch (error) {
        if (attempt === ATTEMPTS || !isEventRace(error)) throw error;
      }
    }
  }

  /** As `ingest`, inside the caller's transaction. */
  async ingestIn(tx: Tx, { events, path }: IngestRequest): Promise<IngestResult[]> {
    const arriving = events.map((content, index) => newEvent(tx, content, path(index)));
    const named = await this.customers.lock(tx, events);
    const stored = await storedHashes(tx, [...new Set(arriving.map((event) => event.key))]);
    const fold = await this.openFold(tx, arriving, named);
    const accepted: { event: NewEvent; outcome: Outcome }[] = [];
    const results = arriving.map((event): IngestResult => {
      const known = stored.get(event.key);
      if (known) return duplicate(event, known);
      stored.set(event.key, event.contentHash);
      const outcome = fate(event, named.get(event.content)!, fold, tx.now);
      accepted.push({ event, outcome });
      return taken(event, outcome);
    });
    const batchId = newId('batch');
    if (accepted.length > 0) await insertEvents(tx, batchId, accepted);
    await this.burner.record(tx, fold, { type: 'usage_batch', id: batchId });
    return results;
  }

  private async openFold(
    tx: Tx,
    events: readonly NewEvent[],
    named: ReadonlyMap<IncomingEvent, Named>,
  ): Promise<UsageFold> {
    const customerIds = [...new Set([...named.values()].flatMap((one) => ('customerId' in one ? one.customerId : [])))];
    const times = events.map((event) => event.at.getTime());
    const [from, to] = [new Date(Math.min(...times)), new Date(Math.max(...times))];
    const names = new Set(events.map((event) => event.content.event_name));
    const items = await this.subscriptions.usageItems(tx, customerIds, from, to);
    const wanted = items.filter((item) => names.has(item.rule.meter.eventName));
    return this.burner.open(tx, customerIds, wanted);
  }
}

/** Someone else has just stored one of the ids: the repetition finds it stored. */
const isEventRace = (error: unknown): boolean =>
  sqlState(error) === UNIQUE_VIOLATION && String((error as Error).message).includes(EVENT_KEY);

function newEvent(tx: Tx, content: IncomingEvent, path: string): NewEvent {
  const eventId = content.event_id ?? newId('event');
  const hash = contentHash(content);
  return { key: eventKey(tx.scope, eventId), eventId, content, contentHash: hash, at: countedAt(tx, content, path) };
}

/** MEANING "Usage and accrual": "one ahead of the clock, at most 5 minutes, as now". @throws Problem 400. */
function countedAt(tx: Tx, { timestamp }: IncomingEvent, path: string): Date {
  if (timestamp === null) return tx.now;
  const at = new Date(timestamp);
  const ahead = at.getTime() - tx.now.getTime();
  if (ahead > MAX_AHEAD_MS) {
    throw Problem.invalid(`${path}timestamp`, `lies more than 5 minutes ahead of the clock, ${tx.now.toISOString()}`);
  }
  if (-ahead > RETENTION_MS) throw Problem.invalid(`${path}timestamp`, 'lies more than 400 days back');
  return ahead > 0 ? tx.now : at;
}

function fate(event: NewEvent, named: Named, fold: UsageFold, asOf: Date): Outcome {
  if ('reason' in named) return { customerId: null, attribution: [], creditsBurned: ZERO, reason: named.reason };
  const { customerId } = named;
  const { event_name: eventName, properties } = event.content;
  return { customerId, ...fold.fold({ customerId, eventName, at: event.at, properties }, asOf) };
}

const duplicate = (event: NewEvent, known: Buffer): IngestResult => ({
  event_id: event.eventId,
  status: 'duplicate',
  credits_burned: '0',
  differs: !known.equals(event.contentHash),
  reason: null,
});

const taken = (event: NewEvent, { creditsBurned, reason }: Outcome): IngestResult => ({
  event_id: event.eventId,
  status: 'accepted',
  credits_burned: text(creditsBurned),
  differs: false,
  reason,
});
