import { Bootstrap, ErrorFilter, fastifyAdapter, registerRequestHooks, registerRequestLog } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import helmet from '@fastify/helmet';
import { sql } from 'kysely';
import { Logger } from 'nestjs-pino';
import { AppModule, type AppParts } from './app.module.js';
import { isClientOperation } from './client-operations.js';
import { describeApi } from './openapi.js';

/** The whole application, migrated and configured, not yet listening. The same for production, the demo and the tests. */
export async function createServer(parts: AppParts): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(parts), fastifyAdapter(), {
    rawBody: true,
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  app.setGlobalPrefix('v1', { exclude: ['health', 'ready', 'metrics'] });
  app.useGlobalFilters(new ErrorFilter(isClientOperation));
  registerRequestHooks(app);
  registerRequestLog(app);
  await app.register(helmet, { contentSecurityPolicy: false });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (_request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    void reply.header('content-security-policy', POLICY);
    done();
  });
  describeApi(app);
  await migrate(app.get(MikroORM));
  return app;
}

/** Brings the database up to date; of several processes that start at once one does it and the others wait. */
async function migrate(orm: MikroORM): Promise<void> {
  await orm.em.fork().transactional(async (em) => {
    const db = em.getKysely();
    await sql`set local lock_timeout = 0`.execute(db);
    await sql`set local statement_timeout = 0`.execute(db);
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
    await sql`select pg_advisory_xact_lock(hashtextextended('drawdown migrations', 0))`.execute(db);
    await orm.migrator.up();
  });
}

/**
 * Swagger UI sets style attributes; scripts come from this server only. Written out: helmet puts its directives together
 * anew for every request, which was a twentieth of what an event costs.
 */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "script-src 'self'",
  "script-src-attr 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "object-src 'none'",
].join(';');

/** Makes the first tenant where there is none. @returns the generated key, to be shown once. */
export const bootstrap = (app: NestFastifyApplication): Promise<string | null> => app.get(Bootstrap).ensureTenant();
