import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable } from '@nestjs/common';
import { CompiledQuery, sql, type RawBuilder } from 'kysely';
import { realTime } from '../clock/real-time.js';
import { sqlState } from '../database/sql-state.js';
import type { Sql } from '../database/transactions.js';
import { Problem } from './problem.js';
import { Requests } from './requests.js';

/** What a statement may say of who asks: columns of its row `caller`. */
export interface Asker {
  readonly environmentId: RawBuilder<string>;
  /** The environment's time. */
  readonly now: RawBuilder<Date>;
}

export interface Answered<Row> {
  readonly rows: readonly Row[];
  readonly now: Date;
}

/** A value that is known only when the statement is sent. */
class Given {
  constructor(readonly name: string) {}
}

interface Compiled {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/**
 * One statement that is the whole of a read, written once: its text is made with the first answer and stays the same, so
 * that every connection keeps it prepared. It is a snapshot of its own and needs no transaction; the same statement asks
 * for the environment's time and whether the caller's key still opens it.
 * @param query its rows are the answer's; it filters by `asker.environmentId` and names no column `caller_…`.
 */
export class SingleRead<Row extends object, Name extends string = never> {
  private compiled: Compiled | null = null;

  constructor(
    private readonly names: readonly Name[],
    private readonly query: (given: Readonly<Record<Name, RawBuilder<unknown>>>, asker: Asker) => RawBuilder<Row>,
  ) {}

  /** The statement with these values, for one caller at one time. */
  with(db: Sql, values: Readonly<Record<string, unknown>>): CompiledQuery<CallerRow & Row> {
    this.compiled ??= this.compile(db);
    const { text, parameters } = this.compiled;
    return CompiledQuery.raw(
      text,
      parameters.map((one) => (one instanceof Given ? values[one.name] : one)),
    ) as CompiledQuery<CallerRow & Row>;
  }

  private compile(db: Sql): Compiled {
    const given = Object.fromEntries(this.names.map((name) => [name, later(name)])) as Record<
      Name,
      RawBuilder<unknown>
    >;
    const asker: Asker = { environmentId: sql`caller.environment_id`, now: sql`caller.now` };
    const { sql: text, parameters } = sql`
      with caller as materialized (
        select e.id environment_id, coalesce(e.clock_at, ${later(REAL_TIME)}::timestamptz) as now,
               ${later(KEY)}::text is null or exists (
                 select from api_key k where k.id = ${later(KEY)} and k.environment_id = e.id and k.revoked_at is null
                   and (k.expires_at is null or k.expires_at > now())) opened
        from environment e where e.tenant_id = ${later(TENANT)} and e.id = ${later(ENVIRONMENT)})
      select caller.now caller_now, caller.opened caller_opened, answer.*
      from caller left join lateral (
        select true caller_answered, rows.* from (${this.query(given, asker)}) rows) answer on caller.opened`.compile(
      db,
    );
    return { text, parameters };
  }
}

const [REAL_TIME, KEY, TENANT, ENVIRONMENT] = ['caller now', 'caller key', 'caller tenant', 'caller environment'];

const later = (name: string) => sql`${new Given(name)}`;

interface CallerRow {
  caller_now: string;
  caller_opened: boolean;
  /** Null where the query has no row. */
  caller_answered: true | null;
}

const ATTEMPTS = 3;
/** A prepared statement whose columns a migration has changed; it isn't used again. */
const STALE_STATEMENT = '0A000';

/** Answers a request with one statement, outside of any transaction. */
@Injectable()
export class SingleReads {
  constructor(
    private readonly orm: MikroORM,
    private readonly requests: Requests,
  ) {}

  /** @throws Problem 401 when the caller's API key was revoked meanwhile, 404 when the environment doesn't exist. */
  async read<Row extends object, Name extends string>(
    statement: SingleRead<Row, Name>,
    values: Readonly<Record<Name, unknown>>,
  ): Promise<Answered<Row>> {
    const caller = this.requests.scope();
    const who = { [KEY]: caller.apiKeyId, [TENANT]: caller.tenantId, [ENVIRONMENT]: caller.environmentId };
    const found = await this.send((db) => statement.with(db, { ...values, ...who, [REAL_TIME]: realTime() }));
    const [first] = found;
    if (!first) throw Problem.notFound('environment', caller.environmentId);
    if (!first.caller_opened) throw Problem.unauthorized();
    return { rows: first.caller_answered ? found : [], now: new Date(first.caller_now) };
  }

  /** The statement is made when there is a connection for it: its time is not that of a wait. */
  private async send<Row>(query: (db: Sql) => CompiledQuery<Row>): Promise<Row[]> {
    const pool = this.orm.em.getConnection().getClient() as unknown as Sql;
    for (let attempt = 1; ; attempt++) {
      try {
        return await pool.connection().execute(async (db) => (await db.executeQuery(query(db))).rows);
      } catch (error) {
        if (sqlState(error) !== STALE_STATEMENT || attempt === ATTEMPTS) throw error;
      }
    }
  }
}
