import { Problem } from '@drawdown/platform';

/** What became of a request of a group: its answer, or why nothing of it was done. */
export type GroupOutcome<Answer> = Answer | Error;

interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly settle: (outcome: GroupOutcome<Answer> | Promise<Answer>) => void;
}

export interface LaneLimits {
  /** What may wait in a lane; more is refused at once rather than kept waiting for long. */
  readonly waiting: number;
  /** What one transaction takes, unless a single request is more. */
  readonly group: number;
}

/**
 * Group commit: one transaction at a time; the requests that arrive while it is in flight join the next one, so that
 * under load they share the statements, the locks and the commit. An idle lane takes a request at once.
 */
export class GroupLane<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private waitingSize = 0;
  private running = false;

  /**
   * @param takeGroup takes requests in one transaction; tells of each, in their order, what became of it. The lane goes
   * on without one whose answer comes later, a promise.
   * @param sizeOf how much a request counts against the limits.
   */
  constructor(
    private readonly takeGroup: (
      requests: readonly Request[],
    ) => Promise<readonly (GroupOutcome<Answer> | Promise<Answer>)[]>,
    private readonly limits: LaneLimits,
    private readonly sizeOf: (request: Request) => number,
  ) {}

  /** Nothing waits and nothing is being done. */
  get isIdle(): boolean {
    return !this.running && this.waiting.length === 0;
  }

  /** @throws Problem 503 when too much is waiting: then nothing of the request was taken. */
  submit(request: Request): Promise<Answer> {
    const size = this.sizeOf(request);
    if (this.waitingSize > 0 && this.waitingSize + size > this.limits.waiting) {
      throw new Problem('service_unavailable', 'too many events are waiting, please try again');
    }
    return new Promise((resolve, reject) => {
      const settle: Waiting<Request, Answer>['settle'] = (outcome) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      this.waiting.push({ request, settle });
      this.waitingSize += size;
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

  private async outcomesOf(requests: readonly Request[]) {
    try {
      return await this.takeGroup(requests);
    } catch (error) {
      return requests.map(() => error as Error);
    }
  }

  private nextGroup(): Waiting<Request, Answer>[] {
    let size = 0;
    const full = this.waiting.findIndex(({ request }, place) => {
      size += this.sizeOf(request);
      return place > 0 && size > this.limits.group;
    });
    const group = full < 0 ? this.waiting : this.waiting.slice(0, full);
    this.waiting = full < 0 ? [] : this.waiting.slice(full);
    for (const { request } of group) this.waitingSize -= this.sizeOf(request);
    return group;
  }
}
