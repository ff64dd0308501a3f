/** After so many failures in a row Stripe is taken to be down. */
const FAILURES_IN_A_ROW = 20;
/** While it is, one call in so long a time finds out whether it still is. */
const PROBE_EVERY_MS = 5_000;

/**
 * While Stripe is down not everybody waits for it to say nothing: calls fail at once but for one every few seconds. The
 * first answer ends it. Counts along: callers tell what became of each call that was let through.
 */
export class CircuitBreaker {
  private failures = 0;
  private nextProbe = 0;

  /** @param now Milliseconds on a clock that never steps back. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  lets(): boolean {
    if (this.failures < FAILURES_IN_A_ROW) return true;
    if (this.now() < this.nextProbe) return false;
    this.nextProbe = this.now() + PROBE_EVERY_MS;
    return true;
  }

  answered(): void {
    this.failures = 0;
  }

  failed(): void {
    this.failures += 1;
    if (this.failures === FAILURES_IN_A_ROW) this.nextProbe = this.now() + PROBE_EVERY_MS;
  }
}
