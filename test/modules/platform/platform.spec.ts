import {
  Agenda,
  Bootstrap,
  ClockService,
  ErrorFilter,
  fastifyAdapter,
  Outbox,
  PlatformModule,
  readSettings,
  registerRequestHooks,
  Transactions,
  type Scope,
} from '@drawdown/platform';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/postgresql';
import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sql } from 'kysely';
import request from 'supertest';
import { migrations } from '../../../migrations/index.js';
import { FixtureModule, ThingsJobs, ThingsListener } from './fixture.module.js';

const KEY = 'a-key-for-the-platform-tests';
let app: NestFastifyApplication;
let scope: Scope;

const db = () => app.get(MikroORM).em.fork().getKysely();
const things = async () =>
  (await sql<{ name: string }>`select name from thing order by name`.execute(db())).rows.map((row) => row.name);
const post = (body: unknown, headers: Record<string, string> = {}) =>
  request(app.getHttpServer())
    .post('/v1/things')
    .set({ 'x-api-key': KEY, 'content-type': 'application/json', ...headers })
    .send(typeof body === 'string' ? body : JSON.stringify(body));
const get = (path: string) => request(app.getHttpServer()).get(path).set('x-api-key', KEY);

beforeAll(async () => {
  const settings = readSettings({ LOG_LEVEL: 'silent', BOOTSTRAP_API_KEY: KEY, ROLE: 'api', DATABASE_POOL_SIZE: '8' });
  const module = await Test.createTestingModule({
    imports: [
      PlatformModule.forRoot(settings, { clientUrl: process.env.TEST_DATABASE!, entities: [], migrations }),
      FixtureModule,
    ],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(fastifyAdapter(), { rawBody: true, logger: false });
  app.setGlobalPrefix('v1', { exclude: ['health', 'ready'] });
  app.useGlobalFilters(new ErrorFilter((method, path) => method === 'GET' && path === '/v1/known'));
  registerRequestHooks(app);
  await app.listen(0, '127.0.0.1');
  await app.get(Bootstrap).ensureTenant();
  const found = await sql<{ tenant_id: string; id: string }>`
    select tenant_id, id from environment where type = 'development'`.execute(db());
  scope = { tenantId: found.rows[0]!.tenant_id, environmentId: found.rows[0]!.id };
  await sql`create table thing (environment_id text not null, name text not null, unique (environment_id, name))`.execute(
    db(),
  );
});
afterAll(() => app.close());
beforeEach(() => sql`delete from thing`.execute(db()));

describe('a request', () => {
  it('without a valid key is 401 in the one error shape', async () => {
    for (const key of ['', 'wrong']) {
      const answer = await post({ name: 'x', size: '1' }, { 'x-api-key': key });
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({
        success: false,
        error: { message: expect.any(String), internal_error: null },
        code: 'unauthorized',
        http_status_code: 401,
        request_id: answer.headers['x-request-id'],
      });
    }
  });

  it.each(['POST /v1/things', 'GET /v1/clock', 'GET /v1/things?part=x'])(
    'with a key revoked a moment ago is 401: %s',
    async (route) => {
      const ask = () =>
        route.startsWith('POST') ? post({ name: 'revoked', size: '1' }) : get(route.slice('GET '.length));
      expect((await ask()).status).toBeLessThan(300);
      await sql`update api_key set revoked_at = now()`.execute(db());
      const [refused, again] = [await ask(), await ask()];
      await sql`update api_key set revoked_at = null`.execute(db());
      expect([refused.status, again.status]).toEqual([401, 401]);
      await sql`delete from thing`.execute(db());
      expect((await ask()).status).toBeLessThan(300);
    },
  );

  it('that is read with one statement sees its own environment at its own time, and nothing is an answer too', async () => {
    await post({ name: 'one', size: '1' });
    await post({ name: 'two', size: '1' });
    await sql`insert into thing (environment_id, name) values ('another', 'one of others')`.execute(db());
    const standing = '2031-02-03T04:05:06.789Z';
    await sql`update environment set clock_at = ${standing} where id = ${scope.environmentId}`.execute(db());
    const [all, one, none] = [
      await get('/v1/things?part='),
      await get('/v1/things?part=one'),
      await get('/v1/things?part=x'),
    ];
    await sql`update environment set clock_at = null where id = ${scope.environmentId}`.execute(db());
    expect(all.body).toEqual({ names: ['one', 'two'], now: standing });
    expect(one.body).toEqual({ names: ['one'], now: standing });
    expect(none.body).toEqual({ names: [], now: standing });
    const now = new Date((await get('/v1/things?part=')).body.now as string).getTime();
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    [{ name: 'x', size: '1', colour: 'red' }, 'colour'],
    [{ name: 5, size: '1' }, 'name'],
    [{ name: 'x', size: 'NaN' }, 'size'],
    [{ name: 'x', size: '-1' }, 'size'],
    [{ name: 'x', size: '1e400' }, 'size'],
    [{ name: 'x' }, 'size'],
    [{ name: 'nul \u0000', size: '1' }, 'name'],
    ['{"name": "\\ud800", "size": "1"}', 'name'],
    ['{"name": ', 'body'],
    [`{"name": "${'x'.repeat(3_000_000)}"}`, 'body'],
    [JSON.stringify({ name: JSON.parse('['.repeat(50) + ']'.repeat(50)) }), 'name'],
  ])('with bad input is refused naming the field: %#', async (body, field) => {
    const answer = await post(body);
    expect([400, 413]).toContain(answer.status);
    expect(String(answer.body.details.field)).toMatch(new RegExp(`^${field}`));
    expect(await things()).toEqual([]);
  });

  it('to an unknown path is 404, to an operation of the client that is not served 501', async () => {
    const unknown = await request(app.getHttpServer()).get('/v1/nothing').set('x-api-key', KEY);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found']);
    const known = await request(app.getHttpServer()).get('/v1/known').set('x-api-key', KEY);
    expect([known.status, known.body.code]).toEqual([501, 'not_implemented']);
  });

  it('takes a number where a decimal is meant and hands on exact text', async () => {
    const answer = await post('{"name": "x", "size": 0.1}');
    expect([answer.status, answer.body.size]).toEqual([201, '0.1']);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the same answer to the same request and 409 to another, and does the work once', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await post({ name: 'one', size: '1' }, headers);
    const second = await post({ size: '1', name: 'one' }, headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotent-replayed']).toBe('true');
    const other = await post({ name: 'two', size: '1' }, headers);
    expect([other.status, other.body.code, other.body.details.field]).toEqual([
      409,
      'idempotency_conflict',
      'Idempotency-Key',
    ]);
    expect(await things()).toEqual(['one']);
  });

  it('holds when twenty send it at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post({ name: 'race', size: '1' }, { 'idempotency-key': 'race' })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 201));
    expect(await things()).toEqual(['race']);
  });

  it('makes the second wait for the answer of the first, however its work would end', async () => {
    const headers = { 'idempotency-key': 'slow-and-unique' };
    const answers = await Promise.all([0, 1, 2].map(() => post({ name: 'only-once', size: '1' }, headers)));
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201]);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(2);
  });

  it('is not used up by a request that failed', async () => {
    const headers = { 'idempotency-key': 'failed' };
    expect((await post({ name: 'refused', size: '1' }, headers)).status).toBe(500);
    expect((await post({ name: 'allowed', size: '1' }, headers)).status).toBe(201);
  });
});

describe('a connection that breaks in a transaction', () => {
  it('is replaced: the pool never runs dry', async () => {
    const broken = Array.from({ length: 20 }, async () =>
      app.get(Transactions).run(scope, async (tx) => {
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx.db);
      }),
    );
    const ends = await Promise.allSettled(broken);
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 'rejected'));
    expect((await post({ name: 'after the break', size: '1' })).status).toBe(201);
  });
});

const leased = async (): Promise<number> =>
  (await sql<{ n: number }>`select count(*)::int n from outbox_delivery where leased_until > now()`.execute(db()))
    .rows[0]!.n;

describe('an event', () => {
  it('and its change happen both or neither when a subscriber of the transaction fails', async () => {
    expect((await post({ name: 'refused', size: '1' })).status).toBe(500);
    expect(await things()).toEqual([]);
    const events = await sql`select from outbox_event where payload->>'name' = 'refused'`.execute(db());
    expect(events.rows).toHaveLength(0);
  });

  it('is delivered after the commit, again after a failure, and then no more', async () => {
    const listener = app.get(ThingsListener);
    await app.get(Outbox).drain(scope);
    listener.delivered.length = 0;
    listener.failures = 1;
    await post({ name: 'later', size: '1' });
    expect(listener.delivered).toEqual([]);
    await app.get(Outbox).drain(scope);
    expect(listener.delivered).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await app.get(Outbox).drain(scope);
    await app.get(Outbox).drain(scope);
    expect(listener.delivered).toEqual(['later']);
  });

  it('delivered by another worker stays delivered when the first one wakes up after its lease and fails', async () => {
    const listener = app.get(ThingsListener);
    let wake = () => {};
    listener.beforeDelivery = () => new Promise((resolve) => (wake = resolve));
    await post({ name: 'taken over', size: '1' });
    const sleeper = app.get(Outbox).deliverBatch();
    for (let i = 0; (await leased()) === 0 && i < 100; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    await sql`update outbox_delivery set leased_until = now() where status = 'pending'`.execute(db());
    listener.beforeDelivery = async () => {};
    await app.get(Outbox).deliverBatch();
    expect(listener.delivered.at(-1)).toBe('taken over');
    listener.failures = 1;
    wake();
    await sleeper;
    const open = await sql`select status from outbox_delivery where status <> 'done'`.execute(db());
    expect(open.rows).toEqual([]);
  });

  it('that no retry helps is dead, visible with its reason', async () => {
    const listener = app.get(ThingsListener);
    listener.failures = 1000;
    await post({ name: 'poison', size: '1' });
    for (let i = 0; i < 15; i++) {
      await sql`update outbox_delivery set next_attempt_at = now() where status = 'pending'`.execute(db());
      await app.get(Outbox).drain(scope);
    }
    listener.failures = 0;
    const dead = await sql<{ status: string; last_error: string }>`
      select status, last_error from outbox_delivery where status <> 'done'`.execute(db());
    expect(dead.rows).toEqual([{ status: 'dead', last_error: 'not now' }]);
    const listed = await request(app.getHttpServer()).get('/v1/failures').set('x-api-key', KEY);
    expect(listed.body.items).toMatchObject([{ kind: 'delivery', error: 'not now', given_up: true }]);
    const again = { subject_id: listed.body.items[0].subject_id };
    await request(app.getHttpServer()).post('/v1/failures/retry').set('x-api-key', KEY).send(again).expect(200);
    await app.get(Outbox).drain(scope);
    expect(listener.delivered.at(-1)).toBe('poison');
  });
});

describe('due work', () => {
  const schedule = (kind: 'period.open' | 'period.close' | 'grant.give', customer: string, at: string) =>
    app
      .get(Transactions)
      .run(scope, (tx) =>
        app.get(Agenda).schedule(tx, { kind, customerId: customer, subjectId: `${customer}-s`, dueAt: new Date(at) }),
      );

  beforeAll(async () => {
    await sql`update environment set clock_at = '2026-01-01T00:00:00Z' where id = ${scope.environmentId}`.execute(db());
    for (const id of ['ann', 'bob']) {
      await sql`
        insert into customer (id, tenant_id, environment_id, external_id, timezone, metadata, status, created_at, updated_at)
        values (${id}, ${scope.tenantId}, ${scope.environmentId}, ${id}, 'UTC', '{}', 'published', now(), now())`.execute(
        db(),
      );
    }
  });

  it('is done instant by instant, at one instant in the order of the kinds, also what is added on the way', async () => {
    const jobs = app.get(ThingsJobs);
    jobs.done.length = 0;
    await schedule('period.open', 'ann', '2026-01-03T00:00:00Z');
    await schedule('period.close', 'ann', '2026-01-03T00:00:00Z');
    await schedule('grant.give', 'bob', '2026-01-02T00:00:00Z');
    jobs.onWork = async (tx, work) => {
      if (work.kind === 'period.close') {
        await app.get(Agenda).schedule(tx, { ...work, kind: 'grant.give', subjectId: 'added' });
      }
    };
    const { now } = await app.get(ClockService).advance(scope, new Date('2026-01-04T00:00:00Z'));
    expect(now.toISOString()).toBe('2026-01-04T00:00:00.000Z');
    expect(jobs.done).toEqual([
      'grant.give bob-s 2026-01-02T00:00:00.000Z',
      'period.close ann-s 2026-01-03T00:00:00.000Z',
      'period.open ann-s 2026-01-03T00:00:00.000Z',
      'grant.give added 2026-01-03T00:00:00.000Z',
    ]);
    jobs.onWork = async () => {};
  });

  it('that fails is tried again later, waits as a whole, and stops nobody else; after too many failures it is parked', async () => {
    const jobs = app.get(ThingsJobs);
    jobs.done.length = 0;
    await schedule('grant.give', 'ann', '2026-01-05T00:00:00Z');
    await schedule('period.open', 'ann', '2026-01-06T00:00:00Z');
    await schedule('grant.give', 'bob', '2026-01-06T00:00:00Z');
    jobs.onWork = async (_tx, work) => {
      if (work.customerId === 'ann') throw new Error('broken plan');
    };
    await app.get(ClockService).advance(scope, new Date('2026-01-07T00:00:00Z'));
    expect(jobs.done).toEqual(['grant.give bob-s 2026-01-06T00:00:00.000Z']);
    const trouble = () =>
      sql<{ customer_id: string; last_error: string; parked: boolean }>`
        select customer_id, last_error, parked_at is not null parked from due_work where last_error is not null`.execute(
        db(),
      );
    expect((await trouble()).rows).toEqual([{ customer_id: 'ann', last_error: 'broken plan', parked: false }]);
    await sql`update due_work set attempts = 23, retry_at = null`.execute(db());
    await app.get(Agenda).runAll(scope, new Date('2026-01-07T00:00:00Z'));
    expect((await trouble()).rows).toEqual([{ customer_id: 'ann', last_error: 'broken plan', parked: true }]);
    const listed = await request(app.getHttpServer()).get('/v1/failures?subject_id=ann').set('x-api-key', KEY);
    expect(listed.body.items).toEqual([
      {
        kind: 'due_work',
        subject_id: 'ann',
        name: 'grant.give ann-s',
        attempts: 24,
        error: 'broken plan',
        given_up: true,
      },
    ]);
    jobs.onWork = async () => {};
    const retried = await request(app.getHttpServer())
      .post('/v1/failures/retry')
      .set('x-api-key', KEY)
      .send({ subject_id: 'ann' });
    expect(retried.body).toEqual({ retried: 1 });
    await app.get(Agenda).runAll(scope, new Date('2026-01-07T00:00:00Z'));
    expect(jobs.done.slice(1)).toEqual([
      'grant.give ann-s 2026-01-05T00:00:00.000Z',
      'period.open ann-s 2026-01-06T00:00:00.000Z',
    ]);
  });

  it('that the database could not take is not counted as failed', async () => {
    const jobs = app.get(ThingsJobs);
    await schedule('grant.give', 'ann', '2026-01-06T00:00:00Z');
    jobs.onWork = async (tx) =>
      void (await sql`do $$ begin raise 'disk full' using errcode = '53100'; end $$`.execute(tx.db));
    await app.get(Agenda).runNext(scope, new Date('2026-01-07T00:00:00Z'));
    const found = await sql<{ attempts: number }>`select attempts from due_work`.execute(db());
    expect(found.rows).toEqual([{ attempts: 0 }]);
    jobs.onWork = async () => {};
    await app.get(Agenda).runAll(scope, new Date('2026-01-07T00:00:00Z'));
    expect(jobs.done.at(-1)).toBe('grant.give ann-s 2026-01-06T00:00:00.000Z');
  });

  it('is done once by two workers', async () => {
    const jobs = app.get(ThingsJobs);
    jobs.done.length = 0;
    await schedule('grant.give', 'ann', '2026-01-06T00:00:00Z');
    await schedule('grant.give', 'bob', '2026-01-06T00:00:00Z');
    const agenda = app.get(Agenda);
    const until = new Date('2026-01-07T00:00:00Z');
    await Promise.all([agenda.runAll(scope, until), agenda.runAll(scope, until), agenda.runAll(scope, until)]);
    expect(jobs.done.sort()).toEqual([
      'grant.give ann-s 2026-01-06T00:00:00.000Z',
      'grant.give bob-s 2026-01-06T00:00:00.000Z',
    ]);
  });

  it('of a crowd is done by several workers at once, each customer once', async () => {
    const jobs = app.get(ThingsJobs);
    jobs.done.length = 0;
    let [working, most] = [0, 0];
    jobs.onWork = async () => {
      most = Math.max(most, ++working);
      await new Promise((resolve) => setTimeout(resolve, 5));
      working--;
    };
    const names = Array.from({ length: 160 }, (_, n) => `crowd-${n}`);
    await sql`
      insert into customer (id, tenant_id, environment_id, external_id, timezone, metadata, status, created_at, updated_at)
      select name, ${scope.tenantId}, ${scope.environmentId}, name, 'UTC', '{}', 'published', now(), now()
      from unnest(${names}::text[]) name`.execute(db());
    for (const name of names) await schedule('grant.give', name, '2026-01-07T00:00:00Z');
    await app.get(Agenda).runAll(scope, new Date('2026-01-07T00:00:00Z'));
    jobs.onWork = async () => {};
    expect(jobs.done.toSorted()).toEqual(
      names.map((name) => `grant.give ${name}-s 2026-01-07T00:00:00.000Z`).toSorted(),
    );
    expect(most).toBeGreaterThan(1);
  });

  it('is cleared away behind a clock that is being moved, however long that takes', async () => {
    const holdingSnapshots: string[][] = [];
    const jobs = app.get(ThingsJobs);
    jobs.onWork = async (tx) => {
      const own = await sql<{ pid: number }>`select pg_backend_pid() pid`.execute(tx.db);
      const others = await sql<{ query: string }>`
        select query from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction' and backend_xmin is not null
          and pid <> ${own.rows[0]!.pid}`.execute(db());
      holdingSnapshots.push(others.rows.map(({ query }) => query));
    };
    await schedule('grant.give', 'ann', '2026-01-07T12:00:00Z');
    await app.get(ClockService).advance(scope, new Date('2026-01-07T13:00:00Z'));
    jobs.onWork = async () => {};
    expect(holdingSnapshots).toEqual([[]]);
  });

  it('of a clock that another call is moving is refused', async () => {
    const clock = app.get(ClockService);
    const jobs = app.get(ThingsJobs);
    await schedule('grant.give', 'ann', '2026-01-08T00:00:00Z');
    jobs.onWork = () => new Promise((resolve) => setTimeout(resolve, 300));
    const first = clock.advance(scope, new Date('2026-01-09T00:00:00Z'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(clock.advance(scope, new Date('2026-01-09T00:00:00Z'))).rejects.toMatchObject({ status: 409 });
    await first;
    jobs.onWork = async () => {};
    await expect(clock.advance(scope, new Date('2026-01-01T00:00:00Z'))).rejects.toMatchObject({ status: 400 });
  });
});
