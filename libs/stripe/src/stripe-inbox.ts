import { Problem, SETTINGS, Transactions, type Settings, type Sql, type Tx } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { sql } from 'kysely';
import { EventReader } from './event-reader.js';
import { topicOf, type Notice } from './event-topics.js';
import { UnknownObject } from './ownership.js';

/** After so many failures, about a day, an event is parked. */
const MAX_ATTEMPTS = 24;
/** One that nothing shows to be ours is given up sooner, after about ten minutes. */
const MAX_ATTEMPTS_UNKNOWN = 10;
const LONGEST_PAUSE_SECONDS = 3 * 3600;
/** A process that died over an event loses it to another after this time; far above what one takes. */
const CLAIM_SECONDS = 180;
const AT_ONCE = 5;
const MAX_ERROR_LENGTH = 2000;

interface Claimed {
  id: string;
  tenant_id: string;
  environment_id: string;
  type: string;
  object_id: string;
  attempts: number;
}

/**
 * The inbox of Stripe's events: stored once each, handled until it has worked once. What happened is read again at
 * Stripe, outside any transaction; the effect and the mark `handled` are one transaction.
 */
@Injectable()
export class StripeInbox implements BeforeApplicationShutdown {
  private readonly log = new Logger(StripeInbox.name);
  private stopping = false;
  private asked = false;
  private working: Promise<void> | null = null;

  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    private readonly reader: EventReader,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Keeps notices; one that is there already, in whatever state, stays as it is. Handling follows the commit. */
  async keep(tx: Tx, notices: readonly Notice[]): Promise<void> {
    const rows = notices.filter(({ type }) => topicOf(type) !== null);
    if (rows.length === 0) return;
    await sql`
      insert into stripe_event (environment_id, tenant_id, id, type, object_id, happened_at)
      select ${tx.scope.environmentId}, ${tx.scope.tenantId}, id, type, object_id, happened_at
      from unnest(${rows.map((row) => row.id)}::text[], ${rows.map((row) => row.type)}::text[],
                  ${rows.map((row) => row.objectId)}::text[],
                  ${rows.map((row) => row.happenedAt.toISOString())}::timestamptz[])
        as notice (id, type, object_id, happened_at)
      on conflict (environment_id, id) do nothing`.execute(tx.db);
    tx.afterCommit(() => this.wake());
  }

  /** Something may be waiting. The work is the worker's; the acknowledgement doesn't wait for it. */
  wake(): void {
    if (this.settings.ROLE === 'api' || this.stopping) return;
    this.handleDue().catch((error: Error) => this.log.error(error.stack));
  }

  /** Handles what is due until nothing is. Any number of processes may do it at once. */
  handleDue(): Promise<void> {
    this.asked = true;
    this.working ??= this.drain().finally(() => (this.working = null));
    return this.working;
  }

  /** Takes a parked event up again. @throws Problem 404, or 409 when it isn't parked. */
  async retry(tx: Tx, id: string): Promise<void> {
    const found = await sql<{ status: string }>`
      select status from stripe_event where environment_id = ${tx.scope.environmentId} and id = ${id} for update`.execute(
      tx.db,
    );
    const status = found.rows[0]?.status;
    if (!status) throw Problem.notFound('Stripe event', id);
    if (status !== 'parked') throw Problem.state(`only a parked event is run again, this one is ${status}`, status);
    await sql`
      update stripe_event set status = 'received', settled_at = null, attempts = 0, next_attempt_at = now()
      where environment_id = ${tx.scope.environmentId} and id = ${id}`.execute(tx.db);
    tx.afterCommit(() => this.wake());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.working?.catch(() => {});
  }

  private async drain(): Promise<void> {
    while (this.asked && !this.stopping) {
      this.asked = false;
      for (let claimed = await this.claim(); claimed.length > 0 && !this.stopping; claimed = await this.claim()) {
        await Promise.all(claimed.map((event) => this.handle(event)));
      }
    }
  }

  private async claim(): Promise<Claimed[]> {
    const claimed = await sql<Claimed>`
      with due as (
        select environment_id, id from stripe_event
        where status = 'received' and next_attempt_at <= now()
        order by next_attempt_at limit ${AT_ONCE} for update skip locked)
      update stripe_event e
      set next_attempt_at = now() + make_interval(secs => ${CLAIM_SECONDS}), attempts = e.attempts + 1
      from due where e.environment_id = due.environment_id and e.id = due.id
      returning e.id, e.tenant_id, e.environment_id, e.type, e.object_id, e.attempts`.execute(this.db());
    return claimed.rows;
  }

  private async handle(event: Claimed): Promise<void> {
    const scope = { tenantId: event.tenant_id, environmentId: event.environment_id };
    try {
      const news = await this.reader.read(scope, event.type, event.object_id);
      await this.transactions.run(scope, async (tx) => {
        if (!(await this.isWaiting(tx, event.id))) return;
        if ('effect' in news) await news.effect(tx);
        await tx.em.flush();
        await sql`
          update stripe_event
          set status = ${'effect' in news ? 'handled' : 'ignored'}, settled_at = now(),
              last_error = ${'ignored' in news ? news.ignored : null}
          where environment_id = ${scope.environmentId} and id = ${event.id}`.execute(tx.db);
      });
    } catch (error) {
      await this.recordFailure(event, error as Error);
    }
  }

  /** Locks the event; false when another process has finished it meanwhile. */
  private async isWaiting(tx: Tx, id: string): Promise<boolean> {
    const found = await sql<{ status: string }>`
      select status from stripe_event where environment_id = ${tx.scope.environmentId} and id = ${id} for update`.execute(
      tx.db,
    );
    return found.rows[0]?.status === 'received';
  }

  private async recordFailure(event: Claimed, error: Error): Promise<void> {
    const parked = event.attempts >= (error instanceof UnknownObject ? MAX_ATTEMPTS_UNKNOWN : MAX_ATTEMPTS);
    this.log[parked ? 'error' : 'warn'](
      `${event.type} ${event.id} failed, attempt ${event.attempts}${parked ? ', parked' : ''}: ${error.stack}`,
    );
    await sql`
      update stripe_event
      set status = case when ${parked} then 'parked' else 'received' end,
          settled_at = case when ${parked} then now() end,
          last_error = ${error.message.slice(0, MAX_ERROR_LENGTH)},
          next_attempt_at = now() + make_interval(
            secs => least(power(2, ${event.attempts}::int), ${LONGEST_PAUSE_SECONDS}) * (0.5 + random() / 2))
      where environment_id = ${event.environment_id} and id = ${event.id} and status = 'received'`.execute(this.db());
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}
