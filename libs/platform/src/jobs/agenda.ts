import { dueWorkOrder, type DueWork, type DueWorkKind } from '@drawdown/contracts';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scope } from '../database/scope.js';
import { Transactions, type Sql, type Tx } from '../database/transactions.js';
import { DueHandlers } from './due-handlers.js';

/** After this many failures in a row the customer's work is parked with its reason; other customers go on. */
const MAX_ATTEMPTS = 5;

interface Claim {
  readonly customerId: string;
  readonly dueAt: Date;
}

interface DueRow {
  kind: DueWorkKind;
  customer_id: string;
  subject_id: string;
  due_at: string;
}

/**
 * Durable timers: what falls due for a customer, when. Written in the transaction that decides it, done in one
 * transaction per customer and instant, in the order of `dueWorkOrder`. The claim is the customer's row lock,
 * which everything that touches a customer takes first: several processes may run it, none does a thing twice.
 */
@Injectable()
export class Agenda {
  private readonly log = new Logger(Agenda.name);

  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    private readonly handlers: DueHandlers,
  ) {}

  /** Sets (or moves) the instant of a thing to do. */
  async schedule(tx: Tx, work: DueWork): Promise<void> {
    await sql`
      insert into due_work (tenant_id, environment_id, kind, rank, customer_id, subject_id, due_at)
      values (${tx.scope.tenantId}, ${tx.scope.environmentId}, ${work.kind}, ${dueWorkOrder.indexOf(work.kind)},
              ${work.customerId}, ${work.subjectId}, ${work.dueAt})
      on conflict (environment_id, kind, subject_id) do update
      set due_at = excluded.due_at, attempts = 0, parked_at = null, last_error = null, retry_at = null`.execute(tx.db);
  }

  async cancel(tx: Tx, kind: DueWorkKind, subjectId: string): Promise<void> {
    await sql`
      delete from due_work
      where environment_id = ${tx.scope.environmentId} and kind = ${kind} and subject_id = ${subjectId}`.execute(tx.db);
  }

  /** The earliest instant at which something is to be done in the environment; parked customers don't count. */
  async nextDueAt(scope: Scope): Promise<Date | null> {
    const found = await sql<{ due_at: string | null }>`
      select min(due_at) due_at from due_work w
      where environment_id = ${scope.environmentId} and not ${parkedCustomer}`.execute(this.db());
    const at = found.rows[0]!.due_at;
    return at === null ? null : new Date(at);
  }

  /**
   * Does everything due at or before `until`, each customer's in order, and returns when none is left,
   * also none in the hands of another worker.
   */
  async runAll(scope: Scope, until: Date): Promise<void> {
    for (;;) {
      if (await this.runNext(scope, until)) continue;
      const next = await this.nextDueAt(scope);
      if (next === null || next > until) return;
      await sleep(10);
    }
  }

  /** Does the earliest due instant of one customer nobody else is working on; false when there is none. */
  async runNext(scope: Scope, until: Date): Promise<boolean> {
    let claim: Claim | null = null;
    try {
      return await this.transactions.run(scope, async (tx) => {
        claim = await this.claim(tx, until);
        if (!claim || claim.dueAt > until) return claim !== null;
        await this.catchUp(tx, claim.customerId, claim.dueAt);
        return true;
      });
    } catch (error) {
      if (!claim) throw error;
      await this.recordFailure(scope, claim, error as Error);
      return true;
    }
  }

  /** Locks one customer with due work and tells its earliest instant; null when there is none. */
  private async claim(tx: Tx, until: Date): Promise<Claim | null> {
    const candidate = await sql<{ customer_id: string }>`
      select w.customer_id from due_work w
      join customer c on c.environment_id = w.environment_id and c.id = w.customer_id
      where w.environment_id = ${tx.scope.environmentId} and w.due_at <= ${until}
        and (w.retry_at is null or w.retry_at <= now()) and not ${parkedCustomer}
      order by w.due_at, w.rank, w.customer_id limit 1
      for update of c skip locked`.execute(tx.db);
    const customerId = candidate.rows[0]?.customer_id;
    if (!customerId) return null;
    const earliest = await sql<{ due_at: string | null }>`
      select min(due_at) due_at from due_work
      where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId}`.execute(tx.db);
    const dueAt = earliest.rows[0]!.due_at;
    return dueAt === null ? null : { customerId, dueAt: new Date(dueAt) };
  }

  /**
   * Does what is due for a customer up to `until` (default: now), in order, inside the caller's transaction.
   * The caller holds the customer's lock. Work that a handler adds for the same time is done too.
   */
  async catchUp(tx: Tx, customerId: string, until: Date = tx.now): Promise<void> {
    for (;;) {
      await tx.em.flush();
      const work = await this.earliest(tx, customerId, until);
      if (!work) return;
      await this.cancel(tx, work.kind, work.subjectId);
      await this.handlers.of(work.kind)(tx, work);
    }
  }

  private async earliest(tx: Tx, customerId: string, until: Date): Promise<DueWork | null> {
    const found = await sql<DueRow>`
      select kind, customer_id, subject_id, due_at from due_work
      where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and due_at <= ${until}
      order by due_at, rank, subject_id limit 1`.execute(tx.db);
    const row = found.rows[0];
    if (!row) return null;
    return { kind: row.kind, customerId: row.customer_id, subjectId: row.subject_id, dueAt: new Date(row.due_at) };
  }

  private async recordFailure(scope: Scope, claim: Claim, error: Error): Promise<void> {
    this.log.error(`due work of customer ${claim.customerId} at ${claim.dueAt.toISOString()} failed: ${error.stack}`);
    await sql`
      update due_work
      set attempts = attempts + 1, last_error = ${error.message.slice(0, 2000)},
          parked_at = case when attempts + 1 >= ${MAX_ATTEMPTS} then now() end,
          retry_at = now() + make_interval(secs => power(2, attempts)::int * 0.05)
      where environment_id = ${scope.environmentId} and customer_id = ${claim.customerId}
        and due_at = ${claim.dueAt}`.execute(this.db());
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}

/** A customer one of whose works is parked waits as a whole: later steps must not overtake an earlier one. */
const parkedCustomer = sql`exists (
  select from due_work p
  where p.environment_id = w.environment_id and p.customer_id = w.customer_id and p.parked_at is not null)`;
