import { EntityManager, MikroORM, type IsolationLevel } from '@mikro-orm/postgresql';
import { Injectable, Logger } from '@nestjs/common';
import { sql, type Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { realTime } from '../clock/real-time.js';
import { Problem } from '../http/problem.js';
import { sqlState } from './sql-state.js';
import type { Caller, Scope } from './scope.js';
import { Crowd } from './crowd.js';

/** Untyped on purpose: statements are written in SQL, entities are the typed way in. */
export type Sql = Kysely<unknown>;

/** One database transaction of one environment, at one instant of its clock; or the part that one member of a crowd has in it. */
export interface Tx {
  readonly em: EntityManager;
  readonly db: Sql;
  readonly scope: Scope;
  /** The environment's time, read once: everything a transaction writes carries the same instant. */
  readonly now: Date;
  /** The transaction itself, the same for all members of a crowd. */
  readonly whole: Tx;
  /** Runs when all of the work is done, before the commit: what looks at the state after it. May ask for more of the same. */
  beforeCommit(action: () => Promise<void>): void;
  /** Runs after a successful commit, never after a rollback. For waking workers; effects belong in the outbox. */
  afterCommit(action: () => void): void;
}

const ATTEMPTS = 6;
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
/** A prepared statement whose columns a migration has changed; it isn't used again. */
const STALE_STATEMENT = '0A000';
const REPEATED: readonly (string | null)[] = [SERIALIZATION_FAILURE, DEADLOCK, STALE_STATEMENT];

/** How a transaction is run. */
interface Manner {
  /** For what only reads; what writes runs at READ COMMITTED, under row locks. */
  readonly isolationLevel?: IsolationLevel;
  /** Its prepared statements keep one plan for all values (decision 31): for transactions that look rows up by ids. */
  readonly plannedOnce?: boolean;
}

/** Opens transactions. The whole unit is repeated when PostgreSQL asks for it (deadlock, serialization failure). */
@Injectable()
export class Transactions {
  private readonly log = new Logger(Transactions.name);

  constructor(private readonly orm: MikroORM) {}

  /** @throws Problem 401 when the caller's API key was revoked meanwhile, 404 when the environment doesn't exist. */
  async run<T>(caller: Scope | Caller, work: (tx: Tx) => Promise<T>, manner: Manner = {}): Promise<T> {
    // Exactly the two: rows are made with `...tx.scope`, whatever else the caller's object holds.
    const scope: Scope = { tenantId: caller.tenantId, environmentId: caller.environmentId };
    const apiKeyId = 'apiKeyId' in caller ? caller.apiKeyId : null;
    for (let attempt = 1; ; attempt++) {
      const beforeCommit: (() => Promise<void>)[] = [];
      const afterCommit: (() => void)[] = [];
      try {
        const result = await this.orm.em.fork().transactional(
          async (em) => {
            const entityManager = em as EntityManager;
            const db = entityManager.getKysely() as Sql;
            const now = await environmentTime(db, scope, apiKeyId, manner);
            const tx: Tx = {
              em: entityManager,
              db,
              scope,
              now,
              get whole() {
                return tx;
              },
              beforeCommit: (action) => void beforeCommit.push(action),
              afterCommit: (action) => void afterCommit.push(action),
            };
            const result = await work(tx);
            // What others want done before the commit is more than looking rows up.
            if (manner.plannedOnce && beforeCommit.length > 0) await sql`select ${plans(false)}`.execute(db);
            await doAll(beforeCommit);
            return result;
          },
          { isolationLevel: manner.isolationLevel },
        );
        for (const action of afterCommit) action();
        return result;
      } catch (error) {
        const state = sqlState(error);
        if (!REPEATED.includes(state) || attempt === ATTEMPTS) throw error;
        this.log.debug(`transaction repeated after ${state}, attempt ${attempt}`);
        await sleep(2 ** attempt + Math.random() * 10);
      }
    }
  }
}

/**
 * Does the works side by side in the transaction (`Crowd`), each with entities of its own, which it flushes itself. What
 * a work wants done before the commit is done when it is.
 */
export async function sideBySide(tx: Tx, works: readonly ((tx: Tx) => Promise<void>)[]): Promise<void> {
  await Crowd.run(
    tx.em.getTransactionContext()!,
    works.map((work) => async () => {
      const beforeCommit: (() => Promise<void>)[] = [];
      const em = tx.em.fork({ keepTransactionContext: true });
      const member: Tx = { ...tx, em, whole: tx.whole, beforeCommit: (action) => void beforeCommit.push(action) };
      await work(member);
      if (beforeCommit.length === 0) return;
      await doAll(beforeCommit);
      await em.flush();
    }),
  );
}

/** Also what one of the actions adds. */
async function doAll(actions: (() => Promise<void>)[]): Promise<void> {
  for (let action = actions.shift(); action; action = actions.shift()) await action();
}

/**
 * How prepared statements are planned from here to the end of the transaction. One that is planned once may have been so
 * while its tables were nearly empty, where reading all of a table looks best: it must not.
 */
const plans = (once: boolean) => sql`
  set_config('plan_cache_mode', ${sql.lit(once ? 'force_generic_plan' : 'auto')}, true),
  set_config('enable_seqscan', ${sql.lit(once ? 'off' : 'on')}, true)`;

/**
 * The environment's time; the same round trip asks whether the key still opens it, which a process may only remember, and
 * says how the transaction's statements are planned.
 */
async function environmentTime(
  db: Sql,
  scope: Scope,
  apiKeyId: string | null,
  { isolationLevel, plannedOnce }: Manner,
): Promise<Date> {
  const found = await sql<{ clock_at: string | null; opened: boolean }>`
    select clock_at, ${apiKeyId}::text is null or exists (
      select from api_key k where k.id = ${apiKeyId} and k.environment_id = e.id and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > now())) opened${plannedOnce ? sql`, ${plans(true)}` : sql``}
    from environment e where tenant_id = ${scope.tenantId} and id = ${scope.environmentId}`.execute(db);
  const row = found.rows[0];
  if (!row) throw Problem.notFound('environment', scope.environmentId);
  if (!row.opened) throw Problem.unauthorized();
  if (row.clock_at === null) return realTime();
  return isolationLevel === undefined ? standingTime(db, scope) : new Date(row.clock_at);
}

/** A clock that stands is not moved while a transaction works at its time: whoever moves it waits for us. */
async function standingTime(db: Sql, { environmentId }: Scope): Promise<Date> {
  const found = await sql<{ clock_at: string }>`
    select clock_at from environment where id = ${environmentId} for share`.execute(db);
  return new Date(found.rows[0]!.clock_at);
}
