import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Scope } from '../database/scope.js';
import type { Sql } from '../database/transactions.js';
import { Outbox } from '../events/outbox.js';
import { Problem } from '../http/problem.js';
import { Agenda } from '../jobs/agenda.js';
import { realTime } from './real-time.js';

export interface Happened {
  at: Date;
  event: string;
  id: string;
}

/** What an advance did, in order: so much of it as fits an answer, and how much there was. */
export interface Advanced {
  readonly now: Date;
  readonly happened: Happened[];
  readonly happenedTotal: number;
}

interface EnvironmentClock {
  type: 'development' | 'production';
  now: Date;
  standing: boolean;
}

/** A jump longer than this is surely a typing error. */
const MAX_JUMP_YEARS = 20;
/** An advance of years with many customers publishes millions of events: an answer tells the first ones. */
const MAX_TOLD = 1_000;

/**
 * The time of an environment. Production goes by real time. A development environment does so too until it is first
 * advanced; then it stands still between calls and never goes back (MEANING.md, "Time").
 */
@Injectable()
export class ClockService {
  constructor(
    private readonly orm: MikroORM,
    private readonly agenda: Agenda,
    private readonly outbox: Outbox,
  ) {}

  async read(scope: Scope): Promise<EnvironmentClock> {
    const found = await sql<{ type: EnvironmentClock['type']; clock_at: string | null }>`
      select type, clock_at from environment
      where tenant_id = ${scope.tenantId} and id = ${scope.environmentId}`.execute(this.db());
    const row = found.rows[0];
    if (!row) throw Problem.notFound('environment', scope.environmentId);
    return {
      type: row.type,
      now: row.clock_at === null ? realTime() : new Date(row.clock_at),
      standing: row.clock_at !== null,
    };
  }

  /**
   * Moves the clock to `to`, instant by instant: at each, everything due is done and its outbox (payments included)
   * drained before the next. How far it came is stored with each instant, so a call after a crash goes on from there.
   * @throws Problem 403 in production, 400 for the past, 409 while another call is advancing the same clock.
   */
  async advance(scope: Scope, to: Date): Promise<Advanced> {
    return this.exclusively(scope, async () => {
      const clock = await this.read(scope);
      this.assertMayAdvance(clock, to);
      const before = await this.lastEvent(scope);
      for (;;) {
        await this.settle(scope);
        const now = (await this.read(scope)).now;
        const next = await this.agenda.nextDueAt(scope);
        if (next === null || next > to) break;
        await this.set(scope, next > now ? next : now);
      }
      await this.set(scope, to);
      await this.settle(scope);
      return { now: to, ...(await this.happenedSince(scope, before)) };
    });
  }

  private assertMayAdvance(clock: EnvironmentClock, to: Date): void {
    if (clock.type !== 'development') {
      throw new Problem('permission_denied', 'only the clock of a development environment can be moved');
    }
    if (to < clock.now) {
      throw Problem.invalid('to', `must not lie before the clock's time, ${clock.now.toISOString()}`);
    }
    const limit = new Date(clock.now);
    limit.setUTCFullYear(limit.getUTCFullYear() + MAX_JUMP_YEARS);
    if (to > limit) throw Problem.invalid('to', `must lie within ${MAX_JUMP_YEARS} years of the clock's time`);
  }

  /** Everything due now is done, and everything it published is delivered, until neither leaves anything for the other. */
  private async settle(scope: Scope): Promise<void> {
    for (;;) {
      const { now } = await this.read(scope);
      await this.agenda.runAll(scope, now);
      await this.outbox.drain(scope);
      const next = await this.agenda.nextDueAt(scope);
      if (next === null || next > now) return;
    }
  }

  private async set(scope: Scope, at: Date): Promise<void> {
    await sql`
      update environment set clock_at = ${at}
      where tenant_id = ${scope.tenantId} and id = ${scope.environmentId} and (clock_at is null or clock_at < ${at})`.execute(
      this.db(),
    );
  }

  /**
   * One advance at a time: the lock lives as long as its transaction, so a crash gives it back at once. A transaction
   * that is idle for minutes must not keep PostgreSQL from clearing away what the work leaves behind: the last statement
   * keeps its snapshot until the next, so the last one is a `set`, which has none.
   */
  private async exclusively<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    return this.orm.em.fork().transactional(async (em) => {
      const db = em.getKysely() as Sql;
      const lock = await sql<{ locked: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(${`clock ${scope.environmentId}`}, 0)) locked`.execute(db);
      if (!lock.rows[0]!.locked) throw Problem.state('the clock is being advanced by another request', 'advancing');
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
      return work();
    });
  }

  private async lastEvent(scope: Scope): Promise<string> {
    const found = await sql<{ seq: string }>`
      select coalesce(max(seq), 0)::text seq from outbox_event where environment_id = ${scope.environmentId}`.execute(
      this.db(),
    );
    return found.rows[0]!.seq;
  }

  private async happenedSince(scope: Scope, seq: string): Promise<Omit<Advanced, 'now'>> {
    const found = await sql<{ at: string; name: string; id: string; total: number }>`
      select at, name, id, count(*) over ()::int total from outbox_event
      where environment_id = ${scope.environmentId} and seq > ${seq}::bigint order by seq limit ${MAX_TOLD}`.execute(
      this.db(),
    );
    return {
      happened: found.rows.map((row) => ({ at: new Date(row.at), event: row.name, id: row.id })),
      happenedTotal: found.rows[0]?.total ?? 0,
    };
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}
