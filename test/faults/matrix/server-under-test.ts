import type { INestApplicationContext } from '@nestjs/common';
import type { Settings } from '@drawdown/platform';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Listening extends INestApplicationContext {
  listen(port: number, host: string): Promise<unknown>;
  getUrl(): Promise<string>;
  getHttpServer(): { closeAllConnections(): void; close(): void };
}

type Token<T> = abstract new (...args: never[]) => T;

/**
 * The parts of the server that the matrix uses: from the sources in the test run, from the build under `npm run faults`
 * (the loader of its scripts knows no decorators).
 */
export interface ServerParts {
  readonly createServer: (parts: {
    settings: Settings;
    databaseUrl: string;
    stripe: { secretKey: string; apiBase: string; webhookSecrets: readonly string[]; webhookBase: null };
  }) => Promise<Listening>;
  readonly bootstrap: (app: never) => Promise<string | null>;
  readonly readSettings: (env: Record<string, string>) => Settings;
  readonly auditViolations: (db: never) => Promise<string[]>;
  readonly MikroORM: Token<{ em: { fork(): { getKysely(): unknown } } }>;
  readonly StripeInbox: Token<{ handleDue(): Promise<void> }>;
  readonly Reconciliation: Token<{ sweepEvents(): Promise<void>; sweepCheckouts(): Promise<void> }>;
  readonly WebhookEndpoints: Token<{ registerAt(base: string): Promise<void> }>;
}

/** @param folder of a build, below this repository: its packages are found from there. */
export async function serverOfBuild(folder: string): Promise<ServerParts> {
  await import('reflect-metadata');
  const of = (file: string) => import(pathToFileURL(path.join(folder, file)).href);
  const [server, invariants, platform, stripe, orm] = await Promise.all([
    of('apps/server/src/server.js'),
    of('apps/server/src/invariants.js'),
    of('libs/platform/src/index.js'),
    of('libs/stripe/src/index.js'),
    import('@mikro-orm/postgresql'),
  ]);
  return { ...server, ...invariants, ...platform, ...stripe, MikroORM: orm.MikroORM } as ServerParts;
}
