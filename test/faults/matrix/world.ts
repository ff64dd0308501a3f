import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from './random.js';
import { API_KEY, type Instance } from './instance.js';
import type { WebhookRelay } from './webhook-relay.js';

/** How Stripe's events come to the server in a run. */
export const DELIVERIES = ['in_order', 'reversed', 'shuffled', 'thrice', 'twins', 'never'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** How often a client asks again before it gives up, and what it asks again after. */
const TRIES = 12;
const ASKED_AGAIN = new Set([409, 500, 502, 503, 504]);

interface Parts {
  readonly databaseUrl: string;
  readonly controlUrl: string;
  readonly relay: WebhookRelay;
  readonly random: Random;
  readonly delivery: Delivery;
  /** Starts another process on the same database, after one has died. */
  readonly revive: () => Promise<Instance>;
}

/** Everybody around the server in one run: the client, the buyer, Stripe's deliveries, the operator, the time. */
export class World {
  private keys = 0;

  private constructor(
    private readonly parts: Parts,
    private readonly db: pg.Pool,
    private instance: Instance,
  ) {
    this.aim();
  }

  static async start(parts: Parts): Promise<World> {
    const db = new pg.Pool({ connectionString: parts.databaseUrl, max: 2 });
    db.on('error', () => {}); // the database may be dropped under a run that hangs
    return new World(parts, db, await parts.revive());
  }

  async end(): Promise<void> {
    this.parts.relay.target = null;
    await this.db.end();
    await this.instance.stop();
  }

  async rows<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.db.query<T>(text, values)).rows;
  }

  audit(): Promise<string[]> {
    return this.insist('the audit', () => this.instance.audit());
  }

  /** A request as a careful client sends it: again with the same key until it is answered. */
  async post<T>(path: string, body: object): Promise<T> {
    const key = `${new URL(this.parts.databaseUrl).pathname.slice(1)}-${++this.keys}`;
    return this.insist(`POST ${path}`, () => this.send<T>('POST', path, body, key));
  }

  get<T>(path: string): Promise<T> {
    return this.insist(`GET ${path}`, () => this.send<T>('GET', path));
  }

  async put<T>(path: string, body: object): Promise<T> {
    return this.insist(`PUT ${path}`, () => this.send<T>('PUT', path, body));
  }

  /** The environment's clock goes on, and everything due on the way is done. */
  async advance(to: string): Promise<void> {
    await this.insist(`advance to ${to}`, () => this.send('POST', '/clock/advance', { to }));
  }

  /** What the buyer does on the hosted page of a session. */
  async buy(pageUrl: string, card = '4242424242424242'): Promise<void> {
    const id = new URL(pageUrl).pathname.split('/').at(-1)!;
    await this.control(`/sessions/${id}/complete`, { card });
  }

  /** Stripe tells what it has held back, in this run's manner, and the server's worker handles it. */
  async tellEvents(): Promise<void> {
    const { delivery, relay } = this.parts;
    if (delivery === 'never') return;
    relay.copies = delivery === 'thrice' ? 3 : 1;
    for (let round = 0; round < TRIES; round++) {
      await this.breathe();
      const held = await this.held();
      if (held.length === 0) break;
      await this.control('/webhooks/release', { order: this.ordered(held) });
      await this.control('/clock', { advance_seconds: 60 });
      await this.control('/webhooks/drain', {});
    }
    await this.handleEvents();
  }

  /** Time goes by until nothing is left to be done by itself. @throws Error with what is left when it never ends. */
  async settle(): Promise<void> {
    let left: string[] = [];
    for (let round = 0; round < TRIES; round++) {
      await this.tellEvents();
      await this.pass();
      await this.insist('the sweep', () => this.instance.sweep());
      await this.handleEvents();
      const [{ now }] = (await this.rows<{ now: Date }>(
        `select clock_at now from environment where type = 'development'`,
      )) as [{ now: Date }];
      await this.advance(now.toISOString());
      left = await this.left();
      if (left.length === 0) return;
    }
    throw new Error(`never settled: ${left.join(', ')}`);
  }

  async control<T>(path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.parts.controlUrl}${path}`, {
      method: body ? 'POST' : 'GET',
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} of the sandbox: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  private async handleEvents(): Promise<void> {
    await this.insist('handling events', () => this.instance.handleEvents());
  }

  private async held(): Promise<string[]> {
    const { data } = await this.control<{ data: { event: string }[] }>('/webhooks/deliveries?status=held');
    return [...new Set(data.map(({ event }) => event))];
  }

  private ordered(events: string[]): string[] {
    const { delivery, random } = this.parts;
    if (delivery === 'reversed') return events.toReversed();
    return delivery === 'shuffled' ? random.shuffled(events) : events;
  }

  /** Pauses and leases of transport, which go by real time, are over. */
  private async pass(): Promise<void> {
    await this.db.query(`
      update outbox_delivery set leased_until = null, next_attempt_at = least(next_attempt_at, now()) where status = 'pending';
      update stripe_event set next_attempt_at = least(next_attempt_at, now()) where status = 'received';
      update stripe_sweep set claimed_until = least(claimed_until, now());
      update stripe_checkout set read_at = now() - interval '1 hour' where status = 'open';
      update due_work set retry_at = null where parked_at is null`);
  }

  private async left(): Promise<string[]> {
    const rows = await this.rows<{ left: string }>(`
      select handler || ' waits: ' || coalesce(last_error, '') "left" from outbox_delivery where status = 'pending'
      union all select type || ' is not handled: ' || coalesce(last_error, '') from stripe_event where status = 'received'
      union all select 'attempt ' || state from payment_attempt
        where state in ('created', 'sent', 'unknown', 'processing')
          and created_at < (select clock_at from environment where type = 'development') - interval '1 hour'`);
    return rows.map((row) => row.left);
  }

  private async send<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
    const answer = await fetch(`${this.instance.url}/v1${path}`, {
      method,
      headers: {
        'x-api-key': API_KEY,
        connection: 'close',
        ...(body && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(answer.status, `${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Does something with the server until it has worked; a dead one is replaced, as a supervisor does. */
  private async insist<T>(what: string, work: () => Promise<T>): Promise<T> {
    let last: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await this.breathe();
      try {
        const done = await Promise.race([work(), this.death()]);
        if (done !== DEAD) return done as T;
      } catch (error) {
        if (error instanceof Refused && !ASKED_AGAIN.has(error.status)) throw error;
        last = error;
        await this.pass();
        if (attempt > 3) await sleep(50);
      }
    }
    throw new Error(`${what} never worked`, { cause: last });
  }

  private async death(): Promise<typeof DEAD> {
    await this.instance.whenDead();
    return DEAD;
  }

  /** Somebody is there: the process, or another in its place. */
  private async breathe(): Promise<void> {
    while (this.instance.isDead) {
      this.parts.relay.target = null;
      const dead = this.instance;
      void dead.stop();
      this.instance = await this.parts.revive();
      this.aim();
      await this.pass();
    }
  }

  private aim(): void {
    this.parts.relay.target = this.instance.url;
  }
}

const DEAD = Symbol('dead');

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
