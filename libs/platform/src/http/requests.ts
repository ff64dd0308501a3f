import { IsolationLevel } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Caller, Scope } from '../database/scope.js';
import { Transactions, type Tx } from '../database/transactions.js';
import { Problem } from './problem.js';
import { requestContext, type RequestContext } from './request-context.js';

/** Runs a controller's work for the caller: in the caller's environment, in one transaction, once per idempotency key. */
@Injectable()
export class Requests {
  constructor(private readonly transactions: Transactions) {}

  /** @throws Problem 401 on a route that no API key opened. */
  scope(): Caller {
    const scope = this.context().scope;
    if (!scope) throw new Problem('unauthorized', 'an API key is required');
    return scope;
  }

  /** As `scope`, for work outside of `Transactions`: asks the database whether the key still opens it. */
  verifiedScope(): Promise<Scope> {
    return this.read((tx) => Promise.resolve(tx.scope));
  }

  /** A read: one transaction, so that everything in the answer is of one moment. */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transactions.run(this.scope(), work, { isolationLevel: IsolationLevel.REPEATABLE_READ });
  }

  /**
   * A write. With an `Idempotency-Key` the answer is stored in the same transaction as the effect: the same key and
   * body get the same answer, another body 409, and neither a crash nor a race can do the work twice.
   */
  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const context = this.context();
    const { idempotency } = context;
    if (!idempotency) return this.transactions.run(this.scope(), work);
    return this.transactions.run(this.scope(), async (tx) => {
      await oneAtATime(tx, idempotency);
      const stored = await storedAnswer<T>(tx, idempotency);
      context.replayed = stored !== null;
      if (stored) return stored.answer;
      const answer = await work(tx);
      await storeAnswer(tx, idempotency, answer);
      return answer;
    });
  }

  /** A preview: the work of a write, whose answer is given and whose effects are rolled back. */
  async rehearse<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.transactions.run(this.scope(), async (tx) => {
        throw new Rehearsed(await work(tx));
      });
    } catch (end) {
      if (end instanceof Rehearsed) return end.answer as T;
      throw end;
    }
  }

  private context(): RequestContext {
    const context = requestContext.getStore();
    if (!context) throw new Error('no request is being answered');
    return context;
  }
}

/** Ends a rehearsal: what was done is undone, the answer stays. */
class Rehearsed extends Error {
  constructor(readonly answer: unknown) {
    super('rehearsed');
  }
}

type Idempotency = NonNullable<RequestContext['idempotency']>;

/** The same key again waits until the first request has its answer: it is the first lock of its transaction. */
async function oneAtATime(tx: Tx, { key }: Idempotency): Promise<void> {
  await sql`
    select pg_advisory_xact_lock(hashtextextended(${`idempotency ${tx.scope.environmentId} ${key}`}, 0))`.execute(
    tx.db,
  );
}

async function storedAnswer<T>(tx: Tx, { key, fingerprint }: Idempotency): Promise<{ answer: T } | null> {
  const found = await sql<{ fingerprint: string; answer: T }>`
    select fingerprint, answer from idempotency_key
    where environment_id = ${tx.scope.environmentId} and key = ${key}`.execute(tx.db);
  const row = found.rows[0];
  if (!row) return null;
  if (row.fingerprint !== fingerprint) {
    throw new Problem('idempotency_conflict', 'Idempotency-Key was used before with another request', {
      field: 'Idempotency-Key',
    });
  }
  return { answer: row.answer };
}

async function storeAnswer(tx: Tx, { key, fingerprint }: Idempotency, answer: unknown): Promise<void> {
  await tx.em.flush();
  await sql`
    insert into idempotency_key (tenant_id, environment_id, key, fingerprint, answer, created_at)
    values (${tx.scope.tenantId}, ${tx.scope.environmentId}, ${key}, ${fingerprint},
            ${JSON.stringify(answer ?? null)}::jsonb, now())`.execute(tx.db);
}
