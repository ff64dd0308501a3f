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
      for (const part of [request.body, request.query, request.params]) {
        if (!isWellFormed(part, 0)) throw malformed(part, '', 0);
      }
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

/** False for what the database can't hold as it is (NUL, lone surrogates) and for nesting without end. */
function isWellFormed(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((inner) => isWellFormed(inner, depth + 1));
  return Object.entries(value).every(([key, inner]) => isWellFormed(key, depth) && isWellFormed(inner, depth + 1));
}

/** What is wrong with a value that is not well formed, and where: the first of it. */
function malformed(value: unknown, path: string, depth: number): Problem {
  if (typeof value === 'string') {
    const fault = value.includes('\0') ? 'must not contain the NUL character' : 'must be well-formed Unicode';
    return Problem.invalid(path || 'body', fault);
  }
  if (depth > MAX_DEPTH) return Problem.invalid(path, `must not be nested deeper than ${MAX_DEPTH} levels`);
  for (const [key, inner] of Object.entries(value as object)) {
    if (!isWellFormed(key, depth)) return malformed(key, path || key, depth);
    if (isWellFormed(inner, depth + 1)) continue;
    return malformed(inner, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, depth + 1);
  }
  return Problem.invalid(path || 'body', 'is not valid');
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
