import { setTimeout as sleep } from 'node:timers/promises';

interface Parts {
  /** Milliseconds on a clock that never steps back. */
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

const SLOWEST_PER_SECOND = 1;
/** A slowed bucket is back at full speed after this many answers. */
const ANSWERS_TO_RECOVER = 40;

/**
 * Lets so many calls a second pass, and a burst of as many after a quiet second; the others wait their turn, in order.
 * A "too many requests" halves the rate, each answer brings a part of it back.
 */
export class TokenBucket {
  private rate: number;
  /** The instant at which the calls let in so far are used up. */
  private usedUpAt = -Infinity;
  private readonly now: () => number;
  private readonly pause: (ms: number) => Promise<unknown>;

  constructor(
    private readonly perSecond: number,
    { now = () => performance.now(), pause = (ms) => sleep(ms) }: Parts = {},
  ) {
    this.rate = perSecond;
    this.now = now;
    this.pause = pause;
  }

  async take(): Promise<void> {
    const now = this.now();
    const interval = 1000 / this.rate;
    this.usedUpAt = Math.max(this.usedUpAt, now) + interval;
    const wait = this.usedUpAt - now - this.perSecond * interval;
    if (wait > 0) await this.pause(wait);
  }

  slowDown(): void {
    this.rate = Math.max(this.rate / 2, SLOWEST_PER_SECOND);
    this.usedUpAt = Math.max(this.usedUpAt, this.now() + (this.perSecond * 1000) / this.rate);
  }

  speedUp(): void {
    this.rate = Math.min(this.rate + this.perSecond / ANSWERS_TO_RECOVER, this.perSecond);
  }
}
