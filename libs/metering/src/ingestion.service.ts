import { text, ZERO } from '@drawdown/billing-core';
import { Agenda, newId, overlapped, Problem, type Caller, type Scope, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CustomerLanes } from './customer-lanes.js';
import { CustomerBusy, type Patience } from './customer-locks.js';
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
import type { GroupOutcome } from './group-lane.js';
import type { IncomingEvent, IngestRequest, IngestResult } from './incoming-event.js';
import { repeatedOnRace } from './repeated-on-race.js';
import { UsageBurner } from './usage-burner.js';

/** An event ahead of the clock by at most this counts as now; by more it is refused. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** An event older than this is refused: longer than any subscription may start in the past (13 months). */
export const RETENTION_MS = 400 * 24 * 60 * 60_000;

/** Events that may wait in a lane, and events of one transaction, unless a single request has more. */
const LIMITS = { waiting: 20_000, group: 4_000 };

/** PostgreSQL inserts so many while the next ones are folded. */
const FOLDED_AT_ONCE = 500;

type RequestOutcome = GroupOutcome<readonly IngestResult[]>;

/** Takes events in: stored, priced and burnt in one transaction of a handful of statements. */
@Injectable()
export class IngestionService {
  private readonly lanes: CustomerLanes<IngestRequest, readonly IngestResult[]>;

  constructor(
    private readonly agenda: Agenda,
    private readonly customers: EventCustomers,
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
  ) {
    this.lanes = new CustomerLanes({
      limits: LIMITS,
      sizeOf: ({ events }) => events.length,
      namesOf: ({ events }) => events.map(nameOf),
      take: (caller, requests, patience) =>
        repeatedOnRace(EVENT_KEY, () =>
          agenda.runCurrent(caller, (tx, current) => this.takeIn(tx, requests, { current, patience })),
        ),
    });
  }

  /**
   * Commits before it answers, one result per event in their order. Requests of many callers share transactions.
   * @throws Problem 400 for a timestamp beyond the bounds, 503 when too many wait; then nothing of the request is stored.
   */
  async ingest(caller: Scope | Caller, request: IngestRequest): Promise<readonly IngestResult[]> {
    return this.lanes.submit(caller, request);
  }

  /** As `ingest`, inside the caller's transaction, to be repeated on a race for `EVENT_KEY`. */
  async ingestIn(tx: Tx, request: IngestRequest): Promise<readonly IngestResult[]> {
    const current: Current = async (customerIds) => {
      for (const customerId of customerIds) await this.agenda.catchUp(tx, customerId);
    };
    const [outcome] = await this.takeIn(tx, [request], { current, patience: 'long' });
    if (outcome instanceof Error) throw outcome;
    return outcome!;
  }

  /** Requests with a bad event or a locked customer are left out, the others are taken together. */
  private async takeIn(tx: Tx, requests: readonly IngestRequest[], how: How): Promise<RequestOutcome[]> {
    const arriving = requests.map((request) => arrivals(tx, request));
    const named = await this.customers.lock(
      tx,
      eventsOf(arriving).map(({ content }) => content),
      how.patience,
    );
    const outcomes = arriving.map((one) => (one instanceof Error ? one : (busyAmong(one, named) ?? one)));
    const events = eventsOf(outcomes);
    const results = events.length > 0 ? await this.take(tx, events, named, how) : [];
    let taken = 0;
    return outcomes.map((one) => (one instanceof Error ? one : results.slice(taken, (taken += one.length))));
  }

  private async take(
    tx: Tx,
    arriving: readonly NewEvent[],
    named: ReadonlyMap<IncomingEvent, Named>,
    { current }: How,
  ): Promise<IngestResult[]> {
    const names = arriving.map(({ content }) => named.get(content)!);
    const customerIds = [...new Set(names.flatMap((one) => ('customerId' in one ? one.customerId : [])))];
    await current(customerIds);
    const stored = await storedHashes(tx, [...new Set(arriving.map((event) => event.key))]);
    const fold = await this.openFold(tx, arriving, customerIds);
    const batchId = newId('batch');
    const results: IngestResult[] = [];
    await overlapped(async (write) => {
      for (let place = 0; place < arriving.length; place += FOLDED_AT_ONCE) {
        if (place > 0) await nextTurn();
        const accepted: { event: NewEvent; outcome: Outcome }[] = [];
        for (const event of arriving.slice(place, place + FOLDED_AT_ONCE)) {
          const known = stored.get(event.key);
          if (known) {
            results.push(duplicate(event, known));
            continue;
          }
          stored.set(event.key, event.contentHash);
          const outcome = fate(event, named.get(event.content)!, fold, tx.now);
          accepted.push({ event, outcome });
          results.push(taken(event, outcome));
        }
        if (accepted.length > 0) write(insertEvents(tx, batchId, accepted));
      }
      await this.burner.record(tx, fold, { type: 'usage_batch', id: batchId });
    });
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

/** How a group is taken. */
interface How {
  readonly current: Current;
  readonly patience: Patience;
}

const nameOf = (event: IncomingEvent): string => event.customer_id ?? event.external_customer_id ?? '';

const eventsOf = (requests: readonly (readonly NewEvent[] | Error)[]): NewEvent[] =>
  requests.flatMap((one) => (one instanceof Error ? [] : one));

const busyAmong = (events: readonly NewEvent[], named: ReadonlyMap<IncomingEvent, Named>): CustomerBusy | undefined =>
  events.map(({ content }) => named.get(content)).find((one) => one instanceof CustomerBusy);

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
