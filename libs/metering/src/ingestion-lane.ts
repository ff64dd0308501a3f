import { Problem } from '@drawdown/platform';
import type { IngestRequest, IngestResult } from './incoming-event.js';

/** What became of a request of a group: its results, or why nothing of it was taken. */
export type RequestOutcome = readonly IngestResult[] | Error;

/** Events that may wait in a lane; more are refused at once rather than kept waiting for long. */
export const MAX_WAITING_EVENTS = 20_000;
/** Events of one transaction, unless a single request has more. */
export const MAX_GROUP_EVENTS = 2_000;

interface Waiting {
  readonly request: IngestRequest;
  readonly settle: (outcome: RequestOutcome) => void;
}

/**
 * Group commit: one transaction at a time; the requests that arrive while it is in flight join the next one, so that
 * under load they share the statements, the locks and the commit. An idle lane takes a request at once.
 */
export class IngestionLane {
  private waiting: Waiting[] = [];
  private waitingEvents = 0;
  private running = false;

  /** @param takeGroup takes requests in one transaction; tells of each, in their order, what became of it. */
  constructor(private readonly takeGroup: (requests: readonly IngestRequest[]) => Promise<readonly RequestOutcome[]>) {}

  /** @throws Problem 503 when too much is waiting: then nothing of the request was taken. */
  submit(request: IngestRequest): Promise<readonly IngestResult[]> {
    if (this.waitingEvents > 0 && this.waitingEvents + request.events.length > MAX_WAITING_EVENTS) {
      throw new Problem('service_unavailable', 'too many events are waiting, please try again');
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: RequestOutcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      this.waiting.push({ request, settle });
      this.waitingEvents += request.events.length;
      if (!this.running) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.running = true;
    for (let group = this.nextGroup(); group.length > 0; group = this.nextGroup()) {
      const outcomes = await this.outcomesOf(group.map(({ request }) => request));
      group.forEach(({ settle }, place) => settle(outcomes[place]!));
    }
    this.running = false;
  }

  private async outcomesOf(requests: readonly IngestRequest[]): Promise<readonly RequestOutcome[]> {
    try {
      return await this.takeGroup(requests);
    } catch (error) {
      return requests.map(() => error as Error);
    }
  }

  private nextGroup(): Waiting[] {
    let events = 0;
    const full = this.waiting.findIndex(({ request }, place) => {
      events += request.events.length;
      return place > 0 && events > MAX_GROUP_EVENTS;
    });
    const group = full < 0 ? this.waiting : this.waiting.slice(0, full);
    this.waiting = full < 0 ? [] : this.waiting.slice(full);
    for (const { request } of group) this.waitingEvents -= request.events.length;
    return group;
  }
}
