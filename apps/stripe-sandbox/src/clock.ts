/**
 * Real time plus an offset that only grows. The one place that reads the machine's clock:
 * everything Stripe would date (created, expires_at, key lifetimes, retries) uses `nowMs`/`now`;
 * only the signature timestamp of a delivery uses `realNow`, because receivers compare it with their own clock.
 */
export class Clock {
  #offsetMs = 0;

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  now(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  realNow(): number {
    return Math.floor(Date.now() / 1000);
  }

  year(): number {
    return new Date(this.nowMs()).getUTCFullYear();
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  set offsetMs(offset: number) {
    this.#offsetMs = offset;
  }
}
