import { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Logger } from '@nestjs/common';
import { sql, type Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { realTime } from '../clock/real-time.js';
import { Problem } from '../http/problem.js';
import { sqlState } from './sql-state.js';
import type { Scope } from './scope.js';

/** Untyped on purpose: statements are written in SQL, entities are the typed way in. */
export type Sql = Kysely<unknown>;

/** One database transaction of one environment, at one instant of its clock. */
export interface Tx {
  readonly em: EntityManager;
  readonly db: Sql;
  readonly scope: Scope;
  /** The environment's time, read once: everything a transaction writes carries the same instant. */
  readonly now: Date;
  /** Runs after a successful commit, never after a rollback. For waking workers; effects belong in the outbox. */
  afterCommit(action: () => void): void;
}

const ATTEMPTS = 6;
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';

/** Opens transactions. The whole unit is repeated when PostgreSQL asks for it (deadlock, serialization failure). */
@Injectable()
export class Transactions {
  private readonly log = new Logger(Transactions.name);

  constructor(private readonly orm: MikroORM) {}

  /** @throws Problem not_found when the environment doesn't exist. */
  async run<T>({ tenantId, environmentId }: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    // Exactly the two: rows are made with `...tx.scope`, whatever else the caller's object holds.
    const scope: Scope = { tenantId, environmentId };
    for (let attempt = 1; ; attempt++) {
      const afterCommit: (() => void)[] = [];
      try {
        const result = await this.orm.em.fork().transactional(async (em) => {
          const entityManager = em as EntityManager;
          const db = entityManager.getKysely() as Sql;
          const now = await environmentTime(db, scope);
          const tx: Tx = { em: entityManager, db, scope, now, afterCommit: (action) => void afterCommit.push(action) };
          return work(tx);
        });
        for (const action of afterCommit) action();
        return result;
      } catch (error) {
        const state = sqlState(error);
        if ((state !== SERIALIZATION_FAILURE && state !== DEADLOCK) || attempt === ATTEMPTS) throw error;
        this.log.debug(`transaction repeated after ${state}, attempt ${attempt}`);
        await sleep(2 ** attempt + Math.random() * 10);
      }
    }
  }
}

async function environmentTime(db: Sql, scope: Scope): Promise<Date> {
  const found = await sql<{ clock_at: string | null }>`
    select clock_at from environment where tenant_id = ${scope.tenantId} and id = ${scope.environmentId}`.execute(db);
  const row = found.rows[0];
  if (!row) throw Problem.notFound('environment', scope.environmentId);
  return row.clock_at === null ? realTime() : new Date(row.clock_at);
}
