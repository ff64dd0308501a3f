import { text, ZERO } from '@drawdown/billing-core';
import { Agenda, newId, Problem, sqlState, type Caller, type Scope, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
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
import type { IncomingEvent, IngestRequest, IngestResult } from './incoming-event.js';
import { IngestionLane, type RequestOutcome } from './ingestion-lane.js';
import { UsageBurner } from './usage-burner.js';

/** An event ahead of the clock by at most this counts as now; by more it is refused. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** An event older than this is refused: longer than any subscription may start in the past (13 months). */
export const RETENTION_MS = 400 * 24 * 60 * 60_000;

const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 5;

/** Lanes per environment: this many transactions of it are in flight at most. */
const LANES = 4;

/** Takes events in: stored, priced and burnt in one transaction whose number of statements doesn't grow with them. */
@Injectable()
export class IngestionService {
  private readonly lanes = new Map<string, IngestionLane>();

  constructor(
    private readonly agenda: Agenda,
    private readonly customers: EventCustomers,
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
  ) {}

  /**
   * Commits before it answers, one result per event in their order. Requests of many callers share transactions.
   * @throws Problem 400 for a timestamp beyond the bounds, 503 when too many wait; then nothing of the request is stored.
   */
  async ingest(scope: Scope | Caller, request: IngestRequest): Promise<readonly IngestResult[]> {
    return this.laneOf(scope, request).submit(request);
  }

  /** As `ingest`, inside the caller's transaction. */
  async ingestIn(tx: Tx, request: IngestRequest): Promise<readonly IngestResult[]> {
    const [outcome] = await this.takeIn(tx, [request], async (customerIds) => {
      for (const customerId of customerIds) await this.agenda.catchUp(tx, customerId);
    });
    if (outcome instanceof Error) throw outcome;
    return outcome!;
  }

  /**
   * A customer's requests meet in one lane, where they share a transaction instead of waiting for each other's; so do
   * all requests of several customers, whose transactions would wait for each other's locks. The requests of a lane are
   * of one API key, so that their transaction can ask for all of them whether it still opens the environment.
   */
  private laneOf(scope: Scope | Caller, { events }: IngestRequest): IngestionLane {
    const caller = 'apiKeyId' in scope ? scope.apiKeyId : '';
    const first = customerOf(events[0]!);
    const mixed = events.some((event) => customerOf(event) !== first);
    const key = `${scope.environmentId} ${caller} ${mixed ? 'mixed' : laneNumber(first)}`;
    let lane = this.lanes.get(key);
    if (!lane) this.lanes.set(key, (lane = new IngestionLane((requests) => this.takeGroup(scope, requests))));
    return lane;
  }

  /** One request that can't be taken must not fail its neighbours: a group that fails is tried again in halves. */
  private async takeGroup(
    scope: Scope | Caller,
    requests: readonly IngestRequest[],
  ): Promise<readonly RequestOutcome[]> {
    try {
      return await this.takeOnce(scope, requests);
    } catch (error) {
      if (requests.length === 1 || !mayBeOfOne(error)) return requests.map(() => error as Error);
      const half = requests.length >> 1;
      const first = await this.takeGroup(scope, requests.slice(0, half));
      return [...first, ...(await this.takeGroup(scope, requests.slice(half)))];
    }
  }

  private async takeOnce(
    scope: Scope | Caller,
    requests: readonly IngestRequest[],
  ): Promise<readonly RequestOutcome[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.agenda.runCurrent(scope, (tx, current) => this.takeIn(tx, requests, current));
      } catch (error) {
        if (attempt === ATTEMPTS || !isEventRace(error)) throw error;
      }
    }
  }

  private async takeIn(
    tx: Tx,
    requests: readonly IngestRequest[],
    current: Current,
  ): Promise<readonly RequestOutcome[]> {
    const arriving = requests.map((request) => arrivals(tx, request));
    const events = arriving.flatMap((one) => (one instanceof Error ? [] : one));
    const results = events.length > 0 ? await this.take(tx, events, current) : [];
    let taken = 0;
    return arriving.map((one) => (one instanceof Error ? one : results.slice(taken, (taken += one.length))));
  }

  private async take(tx: Tx, arriving: readonly NewEvent[], current: Current): Promise<IngestResult[]> {
    const named = await this.customers.lock(
      tx,
      arriving.map((event) => event.content),
    );
    const customerIds = [...new Set([...named.values()].flatMap((one) => ('customerId' in one ? one.customerId : [])))];
    await current(customerIds);
    const stored = await storedHashes(tx, [...new Set(arriving.map((event) => event.key))]);
    const fold = await this.openFold(tx, arriving, customerIds);
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

  private async openFold(tx: Tx, events: readonly NewEvent[], customerIds: readonly string[]): Promise<UsageFold> {
    const times = events.map((event) => event.at.getTime());
    const [from, to] = [new Date(Math.min(...times)), new Date(Math.max(...times))];
    const names = new Set(events.map((event) => event.content.event_name));
    const items = await this.subscriptions.usageItems(tx, customerIds, from, to);
    const wanted = items.filter((item) => names.has(item.rule.meter.eventName));
    return this.burner.open(tx, customerIds, wanted);
  }
}

/** Does first what is due by now for these customers, whose locks are held. */
type Current = (customerIds: readonly string[]) => Promise<void>;

const customerOf = (event: IncomingEvent): string => event.customer_id ?? event.external_customer_id ?? '';

const laneNumber = (customer: string): number => hash('sha256', customer, 'buffer')[0]! % LANES;

/** Someone else has just stored one of the ids: the repetition finds it stored. */
const isEventRace = (error: unknown): boolean =>
  sqlState(error) === UNIQUE_VIOLATION && String((error as Error).message).includes(EVENT_KEY);

/** Not the database gone or busy with something else: one request's content may be the reason. */
const mayBeOfOne = (error: unknown): boolean => {
  const state = sqlState(error);
  return state ? /^(22|23|55P03)/.test(state) : !/connect|terminated|timeout/i.test(String((error as Error).message));
};

/** The events of a request, or what is wrong with one of them. */
function arrivals(tx: Tx, { events, path }: IngestRequest): NewEvent[] | Problem {
  try {
    return events.map((content, index) => newEvent(tx, content, path(index)));
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function newEvent(tx: Tx, content: IncomingEvent, path: string): NewEvent {
  const eventId = content.event_id ?? newId('event');
  const at = countedAt(tx, content, path);
  return { key: eventKey(tx.scope, eventId), eventId, content, contentHash: contentHash(content), at };
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
