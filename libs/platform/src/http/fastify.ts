import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { newId } from '../database/new-id.js';
import { Problem } from './problem.js';
import { requestContext, type RequestContext } from './request-context.js';

/** Enough for a bulk of 1,000 events with generous properties. */
export const BODY_LIMIT_BYTES = 2 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_DEPTH = 12;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export const fastifyAdapter = () =>
  new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 65_000,
    genReqId: () => newId('req'),
    trustProxy: false,
    forceCloseConnections: 'idle',
  });

/** What every request goes through before a controller sees it. */
export function registerRequestHooks(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    void reply.header('x-request-id', request.id);
    // The published client names JSON also where it sends nothing.
    if (hasNoBody(request)) delete request.headers['content-type'];
    done();
  });
  fastify.addHook('preHandler', (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const context: RequestContext = { requestId: String(request.id), scope: null, idempotency: null, replayed: false };
    try {
      assertWellFormed(request.body, '', 0);
      assertWellFormed(request.query, '', 0);
      assertWellFormed(request.params, '', 0);
      context.idempotency = idempotencyOf(request);
    } catch (error) {
      done(error as Error);
      return;
    }
    requestContext.run(context, () => done());
  });
  fastify.addHook(
    'onSend',
    (_request: FastifyRequest, reply: FastifyReply, payload: unknown, done: (e: null, p: unknown) => void) => {
      if (requestContext.getStore()?.replayed) void reply.header('idempotent-replayed', 'true');
      done(null, payload);
    },
  );
}

const hasNoBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/** Refuses what the database can't hold as it is (NUL, lone surrogates) and nesting without end. */
function assertWellFormed(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw Problem.invalid(path || 'body', 'must not contain the NUL character');
    if (!value.isWellFormed()) throw Problem.invalid(path || 'body', 'must be well-formed Unicode');
    return;
  }
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return;
  if (depth > MAX_DEPTH) throw Problem.invalid(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
  for (const [key, inner] of Object.entries(value)) {
    assertWellFormed(key, path || key, depth + 1);
    assertWellFormed(inner, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, depth + 1);
  }
}

function idempotencyOf(request: FastifyRequest): RequestContext['idempotency'] {
  const key = request.headers['idempotency-key'];
  if (key === undefined || request.method !== 'POST') return null;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw Problem.invalid('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
  }
  const content = `${request.method} ${request.url}\n${canonical(request.body)}`;
  return { key, fingerprint: createHash('sha256').update(content).digest('hex') };
}

/** JSON with sorted keys: the same request in another order of keys is the same request. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
}
