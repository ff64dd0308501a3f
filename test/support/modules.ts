import { startSandbox } from '../../apps/stripe-sandbox/src/sandbox.js';
import { createServer } from '../../apps/server/src/server.js';
import { ClockService, readSettings, Transactions, type Scope, type Tx } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sql } from 'kysely';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { atEndOfFile } from './closing.js';
import { auditViolations } from '../../apps/server/src/invariants.js';
import { bootstrap } from '../../apps/server/src/server.js';

export const API_KEY = 'dd_test_the-key-of-the-tests';

/** The whole application on this file's own database, with a sandbox of its own, answering on a real port. */
export interface Modules {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly scope: Scope;
  readonly sandbox: { readonly url: string; readonly controlUrl: string };
  /** A request with the development environment's key: `api.post('/customers', {...})`; the path without /v1. */
  readonly api: Api;
  get<T>(token: new (...args: never[]) => T): T;
  /** Work in one transaction of the development environment. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Moves the development environment's clock and returns the names of the events that happened, in order. */
  advanceTo(instant: string): Promise<string[]>;
  /** The broken invariants; empty when all hold. Runs by itself at the end of every file. */
  audit(): Promise<string[]>;
}

export type Api = Record<'get', (path: string, headers?: Record<string, string>) => request.Test> &
  Record<'post' | 'put' | 'delete', (path: string, body?: object, headers?: Record<string, string>) => request.Test>;

/** Starts the application; it is closed, after a last audit, when the file ends. */
export async function startModules(options: { at?: string; env?: Record<string, string> } = {}): Promise<Modules> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drawdown-test-'));
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, controlPort: 0, dir });
  const settings = readSettings({
    PORT: '0',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'fatal',
    BOOTSTRAP_API_KEY: API_KEY,
    DATABASE_POOL_SIZE: '5',
    ...options.env,
  });
  const app = await createServer({
    settings,
    databaseUrl: process.env.TEST_DATABASE!,
    stripe: { secretKey: 'sk_test_sandbox', apiBase: sandbox.url, webhookSecrets: [], webhookBase: null },
  });
  await bootstrap(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const scope = await developmentScope(app);
  if (options.at) await setClock(app, scope, options.at);
  const modules: Modules = {
    app,
    url,
    scope,
    sandbox,
    api: client(url),
    get: (token) => app.get(token, { strict: false }),
    run: (work) => app.get(Transactions).run(scope, work),
    advanceTo: async (instant) => {
      const { happened } = await app.get(ClockService).advance(scope, new Date(instant));
      return happened.map((one) => one.event);
    },
    audit: () => auditViolations(app.get(MikroORM).em.fork().getKysely()),
  };
  atEndOfFile(async () => {
    const violations = await modules.audit();
    await app.close();
    await sandbox.close();
    await fs.rm(dir, { recursive: true, force: true });
    if (violations.length > 0) throw new Error(`invariants broken:\n${violations.join('\n')}`);
  });
  return modules;
}

export const client = (url: string, key = API_KEY): Api => {
  const send = (method: 'post' | 'put' | 'delete') => (path: string, body?: object, headers?: object) =>
    request(url)
      [method](`/v1${path}`)
      .set({ 'x-api-key': key, ...headers })
      .send(body);
  const get = (path: string, headers?: object) =>
    request(url)
      .get(`/v1${path}`)
      .set({ 'x-api-key': key, ...headers });
  return { get, post: send('post'), put: send('put'), delete: send('delete') };
};

async function developmentScope(app: NestFastifyApplication): Promise<Scope> {
  const db = app.get(MikroORM).em.fork().getKysely();
  const found = await sql<{ tenant_id: string; id: string }>`
    select tenant_id, id from environment where type = 'development'`.execute(db);
  return { tenantId: found.rows[0]!.tenant_id, environmentId: found.rows[0]!.id };
}

/** Starts the world at an instant of the past: a test's clock may begin anywhere, the API only moves it forward. */
async function setClock(app: NestFastifyApplication, scope: Scope, at: string): Promise<void> {
  const db = app.get(MikroORM).em.fork().getKysely();
  await sql`update environment set clock_at = ${at} where id = ${scope.environmentId}`.execute(db);
}
