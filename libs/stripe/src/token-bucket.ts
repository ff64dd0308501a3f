import { setTimeout as sleep } from 'node:timers/promises';

interface Parts {
  /** How many may pass at once after a quiet time; default: those of a second. */
  readonly burst?: number;
  /** Milliseconds on a clock that never steps back. */
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

const SLOWEST_PER_SECOND = 1;
/** A slowed bucket is back at full speed after this many answers. */
const ANSWERS_TO_RECOVER = 40;

/**
 * Lets so many calls a second pass, and a burst after a quiet time; the others wait their turn, in order.
 * A "too many requests" halves the rate, each answer brings a part of it back.
 */
export class TokenBucket {
  private rate: number;
  private readonly burst: number;
  /** Below zero: so many calls are waiting for theirs. */
  private tokens: number;
  private countedAt: number;
  private readonly now: () => number;
  private readonly pause: (ms: number) => Promise<unknown>;

  constructor(
    private readonly perSecond: number,
    { burst = perSecond, now = () => performance.now(), pause = (ms) => sleep(ms) }: Parts = {},
  ) {
    this.now = now;
    this.pause = pause;
    this.rate = perSecond;
    this.tokens = burst;
    this.burst = burst;
    this.countedAt = now();
  }

  async take(): Promise<void> {
    this.count();
    this.tokens -= 1;
    if (this.tokens < 0) await this.pause((-this.tokens * 1000) / this.rate);
  }

  slowDown(): void {
    this.count();
    this.tokens = Math.min(this.tokens, 0);
    this.rate = Math.max(this.rate / 2, SLOWEST_PER_SECOND);
  }

  speedUp(): void {
    this.count();
    this.rate = Math.min(this.rate + this.perSecond / ANSWERS_TO_RECOVER, this.perSecond);
  }

  private count(): void {
    const now = this.now();
    this.tokens = Math.min(this.tokens + ((now - this.countedAt) * this.rate) / 1000, this.burst);
    this.countedAt = now;
  }
}
