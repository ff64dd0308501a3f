import type { Account } from './account.js';
import type { Entry } from './store.js';
import type { Delivery, DeliveryAttempt } from './tables.js';
import { strike } from './webhook-rules.js';
import { signatureHeader } from './webhook-signature.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** After each failure; about three days in all. Stripe does not publish its own. */
export const PAUSES = [
  1 * SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR,
  12 * HOUR, 12 * HOUR, 18 * HOUR,
]; // prettier-ignore
const ANSWER_WITHIN = 10 * SECOND;
const AT_ONCE = 16;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Takes deliveries to their endpoints: each when it is due, at most a few at once, until a 2xx or the last pause. */
export class Dispatcher {
  readonly #queue = new Set<string>();
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #busy = new Set<string>();
  readonly #observers = new Set<() => void>();
  readonly #hangUp = new AbortController();
  #closed = false;

  constructor(readonly account: Account) {
    account.store.onCommit((entry) => this.#notice(entry));
  }

  /** After a start or a jump of the clock: what is due goes out, the rest waits for its time. */
  reschedule(): void {
    for (const delivery of this.account.store.all('delivery')) this.#schedule(delivery);
  }

  /** Sends now, in this order, each after the answer to the one before. */
  async sendInOrder(ids: string[]): Promise<Delivery[]> {
    const sent: Delivery[] = [];
    for (const id of ids) {
      await this.#send(id);
      const delivery = this.account.store.get('delivery', id);
      if (delivery) sent.push(delivery);
    }
    return sent;
  }

  /** Waits until every first attempt for the event has been answered, or for so long. */
  async answered(event: string, withinMs: number): Promise<boolean> {
    const deadline = this.account.clock.nowMs() + withinMs;
    const open = () =>
      this.account.store
        .all('delivery')
        .some((one) => one.event === event && one.attempts.length === 0 && one.status === 'pending');
    while (open() && !this.#closed) {
      const left = deadline - this.account.clock.nowMs();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#observers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#observers.add(done);
      });
    }
    return true;
  }

  /** Waits until nothing is on its way or due. */
  async idle(): Promise<void> {
    while (!this.#closed && (this.#busy.size > 0 || this.#queue.size > 0)) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#observers.delete(done);
          resolve();
        };
        this.#observers.add(done);
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#hangUp.abort();
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#queue.clear();
    for (const done of this.#observers) done();
  }

  #notice(entry: Entry): void {
    for (const change of entry.changes) {
      if (change.table !== 'delivery' || !change.value) continue;
      const delivery = change.value as Delivery;
      this.#schedule(delivery);
      if (delivery.swaps && delivery.status === 'held') this.#swap(delivery.endpoint);
    }
  }

  #swap(endpoint: string): void {
    const waiting = this.account.store
      .all('delivery')
      .filter((one) => one.endpoint === endpoint && one.swaps && one.status === 'held' && !this.#busy.has(one.id));
    const [first, second] = waiting;
    if (first && second) void this.sendInOrder([second.id, first.id]);
  }

  #schedule(delivery: Delivery): void {
    clearTimeout(this.#waiting.get(delivery.id));
    this.#waiting.delete(delivery.id);
    if (this.#closed || delivery.next_attempt_at === null || delivery.status !== 'pending') return;
    if (this.#busy.has(delivery.id) || this.#queue.has(delivery.id)) return;
    const wait = Math.min(Math.max(0, delivery.next_attempt_at - this.account.clock.nowMs()), LONGEST_TIMER);
    if (wait === 0) {
      this.#queue.add(delivery.id);
      this.#drain();
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(delivery.id);
      this.#queue.add(delivery.id);
      this.#drain();
    }, wait);
    timer.unref();
    this.#waiting.set(delivery.id, timer);
  }

  #drain(): void {
    for (const id of this.#queue) {
      if (this.#busy.size >= AT_ONCE) return;
      this.#queue.delete(id);
      void this.#send(id).then(() => this.#drain());
    }
  }

  async #send(id: string): Promise<void> {
    const delivery = this.account.store.get('delivery', id);
    if (!delivery || this.#closed || this.#busy.has(id)) return;
    this.#busy.add(id);
    try {
      await this.account.store.journal.flushed();
      if (this.#closed) return;
      const copies = this.#strike('duplicate', delivery.type)?.n ?? 1;
      const attempts = await Promise.all(Array.from({ length: copies }, () => this.#post(delivery)));
      if (!this.#closed) this.#record(id, attempts);
    } finally {
      this.#busy.delete(id);
    }
    const after = this.account.store.get('delivery', id);
    if (after) this.#schedule(after);
    for (const done of this.#observers) done();
  }

  async #post(delivery: Delivery): Promise<DeliveryAttempt> {
    const at = this.account.clock.now();
    const endpoint = this.account.store.get('webhook_endpoint', delivery.endpoint);
    const event = this.account.store.get('event', delivery.event);
    if (!endpoint || !event) return { at, status: null, error: 'the endpoint is gone' };
    const body = JSON.stringify(event, null, 2);
    try {
      const answer = await fetch(endpoint.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': this.#signature(delivery, body),
        },
        body,
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN), this.#hangUp.signal]),
      });
      await answer.body?.cancel();
      return { at, status: answer.status, error: null };
    } catch (error) {
      return { at, status: null, error: reasonOf(error) };
    }
  }

  #signature(delivery: Delivery, body: string): string {
    const stored = this.account.store.get('endpoint_secrets', delivery.endpoint);
    const previous =
      stored?.previous && stored.previous.expires_at > this.account.clock.now() ? [stored.previous.secret] : [];
    const age = this.#strike('old_timestamp', delivery.type)?.seconds ?? 0;
    const wrong = this.#strike('wrong_secret', delivery.type);
    const secrets = wrong ? ['whsec_this_is_not_the_secret'] : [stored?.secret ?? '', ...previous];
    return signatureHeader(body, secrets, this.account.clock.realNow() - age);
  }

  #strike(act: 'duplicate' | 'old_timestamp' | 'wrong_secret', type: string) {
    return this.account.store.write({ by: 'delivery' }, () => strike(this.account, act, type));
  }

  #record(id: string, attempts: DeliveryAttempt[]): void {
    const delivery = this.account.store.get('delivery', id);
    if (!delivery) return;
    const all = [...delivery.attempts, ...attempts];
    const done =
      delivery.status === 'succeeded' ||
      attempts.some(({ status }) => status !== null && status >= 200 && status < 300);
    const gone = !this.account.store.get('webhook_endpoint', delivery.endpoint);
    const pause = gone ? undefined : PAUSES[delivery.attempts.length];
    const next: Delivery = {
      ...delivery,
      attempts: all,
      status: done ? 'succeeded' : pause === undefined ? 'failed' : 'pending',
      next_attempt_at: done || pause === undefined ? null : this.account.clock.nowMs() + pause,
    };
    this.account.store.write({ by: 'delivery' }, () => this.account.store.put('delivery', next));
  }
}

/** The plainest word for it: `ECONNREFUSED` rather than "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
