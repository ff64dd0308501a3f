import type { DueWork, DueWorkKind } from '@drawdown/contracts';
import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { Caller, Scope } from '../database/scope.js';
import { sqlState } from '../database/sql-state.js';
import { together } from '../database/together.js';
import { sideBySide, Transactions, type Sql, type Tx } from '../database/transactions.js';
import { cancelAll, scheduleAll } from './agenda-rows.js';
import { type Claim, claimCustomers, earliestWork, takeWorks, waitingCustomer } from './claims.js';
import { DueHandlers } from './due-handlers.js';

/**
 * A failure is tried again after pauses that double from 50 ms to an hour; after this many, about half a day, the
 * customer's work is parked with its reason. Other customers go on meanwhile.
 */
const MAX_ATTEMPTS = 24;
const LONGEST_PAUSE_SECONDS = 3_600;
/** When the database itself is the trouble (connection, resources, locks, shutdown) nothing counts as a failure of the work. */
const DATABASE_TROUBLE = /^(08|40|53|55P03|57)/;
const TROUBLE_PAUSE_SECONDS = 1;
/** A pass over everything due waits for pauses up to this; customers with longer ones are left for later. */
const SHORT_PAUSE_SECONDS = 2;

/**
 * So many workers of a process at most: while one waits for the database the other computes. With more of them each
 * holds its locks for longer, that of the invoice numbers too, for which others then wait.
 */
const MAX_AT_ONCE = 2;
/** Each further customer at once is begun after so many: a handful is done one by one, in the order of the claims. */
const ALONE_FOR = 8;
/** Of a crowd so many are done in one transaction, side by side: what they ask alike is one statement for all of them. */
const TOGETHER = 64;

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
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Sets (or moves) the instant of a thing to do. */
  schedule(tx: Tx, work: DueWork): Promise<void> {
    return this.scheduleAll(tx, [work]);
  }

  /** As `schedule`, many in one statement; each thing once. */
  async scheduleAll(tx: Tx, works: readonly DueWork[]): Promise<void> {
    await together(tx, scheduleAll, works);
  }

  async cancel(tx: Tx, kind: DueWorkKind, subjectId: string): Promise<void> {
    await together(tx, cancelAll, { kind, subjectId });
  }

  /** The earliest instant at which something is to be done in the environment; customers that wait for longer don't count. */
  async nextDueAt(scope: Scope): Promise<Date | null> {
    const found = await sql<{ due_at: string | null }>`
      select min(due_at) due_at from due_work w
      where environment_id = ${scope.environmentId} and not ${waitingCustomer(SHORT_PAUSE_SECONDS)}`.execute(this.db());
    const at = found.rows[0]!.due_at;
    return at === null ? null : new Date(at);
  }

  /**
   * Does everything due at or before `until`, each customer's in order, and returns when none is left,
   * also none in the hands of another worker.
   */
  async runAll(scope: Scope, until: Date): Promise<void> {
    for (;;) {
      await this.runDue(scope, until);
      const next = await this.nextDueAt(scope);
      if (next === null || next > until) return;
      await sleep(10);
    }
  }

  /** Does what is due and in nobody else's hands; many customers' are done by several workers at once. */
  async runDue(scope: Scope, until: Date, stopping: () => boolean = () => false): Promise<void> {
    const atOnce = Math.max(1, Math.min(MAX_AT_ONCE, Math.floor(this.settings.DATABASE_POOL_SIZE / 2) - 1));
    const workers: Promise<void>[] = [];
    let done = 0;
    const begin = (): void => {
      const worker = work();
      worker.catch(() => {}); // its failure is thrown below, when its turn comes
      workers.push(worker);
    };
    const work = async (): Promise<void> => {
      while (!stopping()) {
        const some = done < ALONE_FOR ? Number(await this.runNext(scope, until)) : await this.runCrowd(scope, until);
        if (some === 0) return;
        done += some;
        if (done >= ALONE_FOR * workers.length && workers.length < atOnce) begin();
      }
    };
    begin();
    for (const worker of workers) await worker;
  }

  /** Does the earliest due instant of one customer nobody else is working on; false when there is none. */
  async runNext(scope: Scope, until: Date): Promise<boolean> {
    let claim: Claim | null = null;
    try {
      return await this.transactions.run(scope, async (tx) => {
        [claim = null] = await claimCustomers(tx, until, 1);
        if (claim && claim.dueAt <= until) await this.catchUp(tx, claim.customerId, claim.dueAt);
        return claim !== null;
      });
    } catch (error) {
      if (!claim) throw error;
      await this.recordFailure(scope, claim, error as Error);
      return true;
    }
  }

  /** As `runNext`, several customers in one transaction; where one fails, each in its own. @returns how many. */
  private async runCrowd(scope: Scope, until: Date): Promise<number> {
    try {
      return await this.transactions.run(scope, async (tx) => {
        const claims = await claimCustomers(tx, until, TOGETHER);
        const due = claims.filter(({ dueAt }) => dueAt <= until);
        const works = due.map(({ customerId, dueAt }) => async (member: Tx) => {
          // What one step has loaded is no business of the next, and would be looked through for changes each time.
          await this.doDue(member, customerId, dueAt, () => member.em.clear());
        });
        await sideBySide(tx, works);
        return claims.length;
      });
    } catch (error) {
      this.log.debug(`together it failed, one by one it is known whose: ${(error as Error).message}`);
      let done = 0;
      while (done < TOGETHER && (await this.runNext(scope, until))) done++;
      return done;
    }
  }

  /**
   * Does what is due for a customer up to `until` (default: now), in order, inside the caller's transaction.
   * The caller holds the customer's lock. Work that a handler adds for the same time is done too.
   */
  async catchUp(tx: Tx, customerId: string, until: Date = tx.now): Promise<void> {
    await tx.em.flush();
    await this.doDue(tx, customerId, until, () => {});
  }

  private async doDue(tx: Tx, customerId: string, until: Date, afterEach: () => void): Promise<void> {
    for (;;) {
      const work = await together(tx, takeWorks, { customerId, until });
      if (!work) return;
      await this.handlers.of(work.kind)(tx, work);
      await tx.em.flush();
      afterEach();
    }
  }

  /**
   * Runs a transaction in which customers stand as of now: `current`, called once their locks are held, finds those with
   * work due by now; that is done first, each customer's in a transaction of its own, so that one whose work fails holds
   * up nobody, and the transaction is run again. Its statements are planned once (decision 31).
   */
  async runCurrent<T>(
    caller: Scope | Caller,
    work: (tx: Tx, current: (customerIds: readonly string[]) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const failed = new Set<string>();
    for (;;) {
      try {
        const onTime = (tx: Tx) =>
          work(tx, async (customerIds) => {
            const behind = (await this.behind(tx, customerIds)).filter((id) => !failed.has(id));
            if (behind.length > 0) throw new Behind(behind);
          });
        return await this.transactions.run(caller, onTime, { plannedOnce: true });
      } catch (error) {
        if (!(error instanceof Behind)) throw error;
        for (const id of error.customerIds) if (!(await this.catchUpAlone(caller, id))) failed.add(id);
      }
    }
  }

  /** Those of the customers for whom something is due by now (other than `but`) that isn't parked. */
  async behind(tx: Tx, customerIds: readonly string[], but: DueWorkKind | null = null): Promise<string[]> {
    const found = await sql<{ customer_id: string }>`
      select distinct w.customer_id from due_work w
      where w.environment_id = ${tx.scope.environmentId} and w.customer_id = any(${[...customerIds]}::text[])
        and w.due_at <= ${tx.now} and w.kind is distinct from ${but} and not ${waitingCustomer()}`.execute(tx.db);
    return found.rows.map((row) => row.customer_id);
  }

  /** Instant by instant, as the worker does. @returns whether all of it is done. */
  private async catchUpAlone(caller: Scope | Caller, customerId: string): Promise<boolean> {
    const scope: Scope = { tenantId: caller.tenantId, environmentId: caller.environmentId };
    for (;;) {
      let claim: Claim | null = null;
      try {
        const done = await this.transactions.run(scope, async (tx) => {
          await sql`
            select from customer where environment_id = ${scope.environmentId} and id = ${customerId} for update`.execute(
            tx.db,
          );
          const next = await earliestWork(tx, customerId, tx.now);
          if (!next) return true;
          claim = { customerId, dueAt: next.dueAt };
          await this.catchUp(tx, customerId, next.dueAt);
          return false;
        });
        if (done) return true;
      } catch (error) {
        if (!claim) throw error;
        await this.recordFailure(scope, claim, error as Error);
        return false;
      }
    }
  }

  private async recordFailure(scope: Scope, claim: Claim, error: Error): Promise<void> {
    this.log.error(`due work of customer ${claim.customerId} at ${claim.dueAt.toISOString()} failed: ${error.stack}`);
    const counts = DATABASE_TROUBLE.test(sqlState(error) ?? '') ? 0 : 1;
    await sql`
      update due_work
      set attempts = attempts + ${counts}::int, last_error = ${error.message.slice(0, 2000)},
          parked_at = case when attempts + ${counts}::int >= ${MAX_ATTEMPTS}::int then now() end,
          retry_at = now() + make_interval(secs => case ${counts}::int when 0 then ${TROUBLE_PAUSE_SECONDS}::float
            else least(power(2, attempts) * 0.05, ${LONGEST_PAUSE_SECONDS}::float) end)
      where environment_id = ${scope.environmentId} and customer_id = ${claim.customerId}
        and due_at = ${claim.dueAt}`.execute(this.db());
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}

/** Thrown out of a transaction that found customers with work due: it is done first, and the transaction run again. */
class Behind extends Error {
  constructor(readonly customerIds: readonly string[]) {
    super('customers have work due');
  }
}
