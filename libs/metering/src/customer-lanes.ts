import { Problem, sqlState, type Caller, type Scope } from '@drawdown/platform';
import { hash } from 'node:crypto';
import { CustomerBusy, type Patience } from './customer-locks.js';
import { GroupLane, type GroupOutcome, type LaneLimits } from './group-lane.js';

interface Kind<Request, Answer> {
  readonly limits: LaneLimits;
  /** How much a request counts against the limits. */
  readonly sizeOf: (request: Request) => number;
  /** By which ids, ours or theirs, it names its customers. */
  readonly namesOf: (request: Request) => readonly string[];
  /** Takes requests of one caller in one transaction; tells of each, in their order, what became of it. */
  readonly take: (
    caller: Scope | Caller,
    requests: readonly Request[],
    patience: Patience,
  ) => Promise<readonly GroupOutcome<Answer>[]>;
}

/**
 * Lanes per API key: this many transactions of its requests are in flight at most, beside those of `MOST_WAITING`. One
 * works in this process while the other waits for the database; more would only make their groups smaller.
 */
const LANES = 2;
/** Transactions of a process that may wait for a locked customer at a time, each with a connection. */
const MOST_WAITING = 2;

/**
 * Group commit for requests about customers. A customer's requests meet in one lane, where they share a transaction
 * instead of waiting for each other's; so do all requests of several customers. The requests of a lane are of one API
 * key, so that their transaction can ask for all of them whether it still opens the environment.
 *
 * Whoever holds a customer's row for long holds up that customer only: a group waits briefly, then goes on without the
 * requests of those who are locked, and these meet in a lane of that customer until it is free.
 */
export class CustomerLanes<Request, Answer> {
  private readonly lanes = new Map<string, GroupLane<Request, Answer>>();
  /** Of busy customers, by the environment, API key and each of their names. */
  private readonly asides = new Map<string, GroupLane<Request, Answer>>();
  private waiting = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly kind: Kind<Request, Answer>) {}

  /** @throws Problem 503 when too much waits; then nothing of the request was done. */
  submit(caller: Scope | Caller, request: Request): Promise<Answer> {
    const names = this.kind.namesOf(request);
    const aside = this.asides.size === 0 ? undefined : this.asideOf(caller, names);
    return (aside ?? this.laneOf(caller, names)).submit(request);
  }

  private laneOf(caller: Scope | Caller, names: readonly string[]): GroupLane<Request, Answer> {
    const [first] = names;
    const mixed = names.some((name) => name !== first);
    const key = keyOf(caller, mixed ? 'mixed' : laneNumber(first!));
    let lane = this.lanes.get(key);
    if (!lane) this.lanes.set(key, (lane = this.lane((requests) => this.takeGroup(caller, requests, 'brief'))));
    return lane;
  }

  private lane(take: (requests: readonly Request[]) => Promise<readonly (GroupOutcome<Answer> | Promise<Answer>)[]>) {
    return new GroupLane(take, this.kind.limits, this.kind.sizeOf);
  }

  /** One request that can't be taken must not fail its neighbours: a group that fails is tried again in halves. */
  private async takeGroup(
    caller: Scope | Caller,
    requests: readonly Request[],
    patience: Patience,
  ): Promise<readonly (GroupOutcome<Answer> | Promise<Answer>)[]> {
    try {
      const outcomes = await this.kind.take(caller, requests, patience);
      return outcomes.map((outcome, place) =>
        outcome instanceof CustomerBusy ? this.setAside(caller, requests[place]!, outcome) : outcome,
      );
    } catch (error) {
      if (patience === 'brief' && sqlState(error) === LOCK_TIMEOUT) return this.takeGroup(caller, requests, 'none');
      if (requests.length === 1 || !mayBeOfOne(error)) return requests.map(() => error as Error);
      const half = requests.length >> 1;
      const first = await this.takeGroup(caller, requests.slice(0, half), patience);
      return [...first, ...(await this.takeGroup(caller, requests.slice(half), patience))];
    }
  }

  /** It meets the others of that customer, and nobody waits for it. */
  private setAside(caller: Scope | Caller, request: Request, { customerId, names }: CustomerBusy): Promise<Answer> {
    const known = this.asideOf(caller, [customerId]);
    const patience = { waitFor: customerId };
    const lane = known ?? this.lane((requests) => this.inTurn(() => this.takeGroup(caller, requests, patience)));
    const keys = [customerId, ...names].map((name) => keyOf(caller, name));
    for (const key of keys) this.asides.set(key, lane);
    return lane.submit(request).finally(() => {
      if (lane.isIdle) for (const key of keys) this.asides.delete(key);
    });
  }

  private asideOf(caller: Scope | Caller, names: readonly string[]): GroupLane<Request, Answer> | undefined {
    for (const name of names) {
      const aside = this.asides.get(keyOf(caller, name));
      if (aside) return aside;
    }
    return undefined;
  }

  /** At most `MOST_WAITING` at a time: other requests need connections too. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting === MOST_WAITING) await new Promise<void>((go) => this.queue.push(go));
    else this.waiting++;
    try {
      return await work();
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.waiting--;
    }
  }
}

const LOCK_TIMEOUT = '55P03';

const keyOf = (caller: Scope | Caller, rest: string | number): string =>
  `${caller.environmentId} ${'apiKeyId' in caller ? caller.apiKeyId : ''} ${rest}`;

const laneNumber = (name: string): number => hash('sha256', name, 'buffer')[0]! % LANES;

/** Not the database gone or busy with something else: one request's content may be the reason. */
const mayBeOfOne = (error: unknown): boolean => {
  if (error instanceof Problem) return true;
  const state = sqlState(error);
  return state ? /^2[23]/.test(state) : !/connect|terminated|timeout/i.test(String((error as Error).message));
};
