import type { EventEnvelope } from '@drawdown/contracts';
import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { Scope } from '../database/scope.js';
import type { Sql } from '../database/transactions.js';
import { Subscribers } from './subscribers.js';

/** After this many failures a delivery is dead: visible, and run again only by hand. */
const MAX_ATTEMPTS = 12;
/** A worker that died in the middle of a delivery loses it to another after this time. */
const LEASE_SECONDS = 120;
const BATCH = 20;
/** Of so many customers at once at most; what concerns one customer is delivered in order. */
const MAX_AT_ONCE = 4;

interface Delivery {
  event_seq: string;
  handler: string;
  attempts: number;
  id: string;
  name: string;
  payload: unknown;
  at: string;
  tenant_id: string;
  environment_id: string;
}

/** What concerns no customer stays in one order too. */
const customerOf = ({ payload }: Delivery): unknown => (payload as { customer_id?: unknown }).customer_id;

/**
 * Runs the subscribers that asked to run after the commit: at least once, each with retries of its own,
 * each customer's in the order of publication where nothing fails. Leases and pauses go by the database's real time.
 */
@Injectable()
export class Outbox {
  private readonly log = new Logger(Outbox.name);
  private wakeUp: (() => void) | null = null;
  private readonly atOnce: number;

  constructor(
    private readonly orm: MikroORM,
    private readonly subscribers: Subscribers,
    @Inject(SETTINGS) settings: Settings,
  ) {
    this.atOnce = Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(settings.DATABASE_POOL_SIZE / 2) - 1));
  }

  /** The worker's loop is told that something was committed. */
  wake(): void {
    this.wakeUp?.();
  }

  onWake(action: () => void): void {
    this.wakeUp = action;
  }

  /** Delivers what is waiting, one batch; false when there was nothing. Several processes may call it at once. */
  async deliverBatch(environmentId?: string): Promise<boolean> {
    const claimed = await this.claim(environmentId);
    const lanes = [...Map.groupBy(claimed, customerOf).values()];
    const workers = Array.from({ length: Math.min(this.atOnce, lanes.length) }, async () => {
      for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
        for (const delivery of lane) await this.deliver(delivery);
      }
    });
    await Promise.all(workers);
    return claimed.length > 0;
  }

  /** Delivers until nothing of the environment is waiting for its first or next immediate try, nor in another worker's hands. */
  async drain(scope: Scope): Promise<void> {
    for (;;) {
      if (await this.deliverBatch(scope.environmentId)) continue;
      // What another worker is claiming at this moment doesn't look leased yet: it counts as long as it is due.
      const busy = await sql<{ n: number }>`
        select count(*)::int n from outbox_delivery
        where environment_id = ${scope.environmentId} and status = 'pending'
          and (leased_until > now() or next_attempt_at <= now())`.execute(this.db());
      if (busy.rows[0]!.n === 0) return;
      await sleep(20);
    }
  }

  private async claim(environmentId?: string): Promise<Delivery[]> {
    const claimed = await sql<Delivery>`
      with due as (
        select event_seq, handler from outbox_delivery
        where status = 'pending' and next_attempt_at <= now() and (leased_until is null or leased_until <= now())
          and (${environmentId ?? null}::text is null or environment_id = ${environmentId ?? null})
        order by event_seq, handler limit ${BATCH} for update skip locked)
      update outbox_delivery d
      set leased_until = now() + make_interval(secs => ${LEASE_SECONDS}), attempts = d.attempts + 1
      from due, outbox_event e
      where d.event_seq = due.event_seq and d.handler = due.handler and e.seq = d.event_seq
      returning d.event_seq, d.handler, d.attempts, e.id, e.name, e.payload, e.at, e.tenant_id, e.environment_id`.execute(
      this.db(),
    );
    return claimed.rows.sort((a, b) => Number(BigInt(a.event_seq) - BigInt(b.event_seq)));
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const envelope: EventEnvelope = {
      id: delivery.id,
      name: delivery.name,
      at: new Date(delivery.at),
      tenantId: delivery.tenant_id,
      environmentId: delivery.environment_id,
    };
    try {
      const subscriber = this.subscribers.named(delivery.name, delivery.handler);
      if (!subscriber) throw new Error(`no handler ${delivery.handler} in this version`);
      await subscriber.call(delivery.payload, envelope);
      await this.settle(delivery, 'done', null);
    } catch (error) {
      const dead = delivery.attempts >= MAX_ATTEMPTS;
      this.log[dead ? 'error' : 'warn'](
        `${delivery.handler} failed on ${delivery.name} ${delivery.id}, attempt ${delivery.attempts}: ${(error as Error).stack}`,
      );
      await this.settle(delivery, dead ? 'dead' : 'pending', (error as Error).message);
    }
  }

  /** Only by the worker that holds the claim: one that slept past its lease must not undo what its successor has told. */
  private async settle(delivery: Delivery, status: 'done' | 'pending' | 'dead', error: string | null): Promise<void> {
    await sql`
      update outbox_delivery
      set status = ${status}, leased_until = null, last_error = ${error?.slice(0, 2000) ?? null},
          next_attempt_at = case when ${status} = 'pending'
            then now() + make_interval(secs => least(power(2, ${delivery.attempts}::int) / 4, 3600)) else next_attempt_at end
      where event_seq = ${delivery.event_seq} and handler = ${delivery.handler}
        and status = 'pending' and attempts = ${delivery.attempts}`.execute(this.db());
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}
