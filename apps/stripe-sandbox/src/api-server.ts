import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import qs from 'qs';
import type { Account } from './account.js';
import {
  bodyOf, drop, errorAnswer, internalError, rateLimited, send, sendHalf, unavailable, type Answer,
} from './answer.js'; // prettier-ignore
import { ApiError, invalidRequest } from './api-error.js';
import { expireDue } from './checkout-session.js';
import { expanded } from './expansion.js';
import { strikeFault } from './faults.js';
import { keyed, keyInUse, recall, remember, type Keyed } from './idempotency.js';
import { newId } from './identifier.js';
import type { RequestLog } from './request-log.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';
import type { Cause } from './store.js';
import type { FaultRule } from './tables.js';

const KEY = /^sk_test_\w+$/;
const FORM = { depth: 10, arrayLimit: 1000, parameterLimit: 5000, plainObjects: true } as const;

interface Call {
  id: string;
  /** The `:id` of the path. */
  subject: string;
  params: Record<string, unknown>;
  cause: Cause & { method: string; path: string };
  fault: FaultRule | undefined;
}

/** The API server: each request passes key, fault, idempotency, parameters, execution, in this order. */
export class ApiServer {
  readonly #inFlight = new Set<string>();

  constructor(
    readonly account: Account,
    readonly log: RequestLog,
  ) {}

  mount(app: FastifyInstance): void {
    for (const route of ROUTES) {
      app.route({
        method: route.method,
        url: route.path,
        handler: (request, reply) => this.#serve(route, request, reply),
      });
    }
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?')[0] ?? '';
      const error = invalidRequest(`Unrecognized request URL (${request.method}: ${path}).`, { status: 404 });
      return send(reply, newId('req', 14), errorAnswer(error));
    });
    app.setErrorHandler((error, _request, reply) => send(reply, newId('req', 14), errorAnswer(asApiError(error))));
  }

  async #serve(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const call = callOf(request);
    const refused = refusedKey(request);
    if (refused) return this.#finish(reply, call, errorAnswer(refused));
    expireDue(this.account);
    const { method, path } = call.cause;
    call.fault = this.account.store.write({ by: 'control' }, () =>
      strikeFault(this.account, { method, path, params: call.params }),
    );
    switch (call.fault?.act) {
      case 'drop_before':
        return this.#finish(reply, call, null);
      case '429':
        return this.#finish(reply, call, rateLimited());
      case '503':
        return this.#finish(reply, call, unavailable());
      case '409':
        return this.#finish(reply, call, errorAnswer(keyInUse(call.cause.idempotency_key ?? '')));
      case undefined:
      case 'delay':
      case 'execute_then_drop':
      case 'half_body':
      case '500_stored':
        return this.#finish(reply, call, await this.#answer(route, call));
    }
  }

  /** The answer leaves when what it tells is on the disk; or the line is cut, as ordered. */
  async #finish(reply: FastifyReply, call: Call, answer: Answer | null): Promise<FastifyReply> {
    await this.account.store.journal.flushed();
    const act = call.fault?.act;
    const cut = answer === null || act === 'execute_then_drop';
    this.log.add({
      at: this.account.clock.now(),
      id: call.id,
      method: call.cause.method,
      path: call.cause.path,
      idempotency_key: call.cause.idempotency_key ?? null,
      status: cut ? null : answer.status,
      replayed: answer?.replayed ?? false,
      fault: act ?? null,
    });
    if (cut) return drop(reply);
    return act === 'half_body' ? sendHalf(reply, call.id, answer) : send(reply, call.id, answer);
  }

  /** The idempotency layer. A key is in use from here until its answer is ready to leave. */
  async #answer(route: Route, call: Call): Promise<Answer> {
    const key = route.method === 'POST' ? call.cause.idempotency_key : null;
    if (!key) return this.#delayed(this.#execute(route, call), call.fault);
    let asked: Keyed;
    try {
      asked = keyed(key, `${call.cause.method} ${call.cause.path}`, call.params);
      if (this.#inFlight.has(key)) throw keyInUse(key);
      const known = recall(this.account, asked);
      if (known) return { status: known.status, body: known.body, replayed: true };
    } catch (error) {
      return errorAnswer(error);
    }
    this.#inFlight.add(key);
    try {
      return await this.#delayed(this.#execute(route, call, asked), call.fault);
    } finally {
      this.#inFlight.delete(key);
    }
  }

  async #delayed(answer: Answer, fault: FaultRule | undefined): Promise<Answer> {
    await this.account.store.journal.flushed();
    if (fault?.act === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    return answer;
  }

  /** Runs the endpoint and remembers its answer under the key, as one unit. */
  #execute(route: Route, call: Call, asked?: Keyed): Answer {
    let params: { expand?: string[] };
    try {
      params = route.parse(call.params);
    } catch (error) {
      return errorAnswer(error);
    }
    const { store } = this.account;
    return store.write(call.cause, () => {
      const { answer, effects, memorable } = this.#run(route, call, params);
      if (!effects) store.undo();
      if (asked && memorable) remember(this.account, asked, { status: answer.status, body: answer.body });
      return answer;
    });
  }

  #run(
    route: Route,
    call: Call,
    params: { expand?: string[] },
  ): { answer: Answer; effects: boolean; memorable: boolean } {
    const fails = call.fault?.act === '500_stored';
    if (fails && !call.fault?.execute) return { answer: internalError(), effects: true, memorable: true };
    try {
      const result = expanded(this.account, route.run(this.account, params, call.subject), params.expand ?? []);
      const answer = fails ? internalError() : { status: 200, body: bodyOf(result) };
      return { answer, effects: true, memorable: true };
    } catch (error) {
      const { keepsEffects = false, beforeExecution = false } = error instanceof ApiError ? error.traits : {};
      const answer = fails ? internalError() : errorAnswer(error);
      return { answer, effects: keepsEffects, memorable: !beforeExecution };
    }
  }
}

function callOf(request: FastifyRequest): Call {
  const id = newId('req', 14);
  const path = request.url.split('?')[0] ?? '';
  const header = request.headers['idempotency-key'];
  const key = Array.isArray(header) ? header.join(',') : (header ?? null);
  return {
    id,
    subject: (request.params as { id?: string }).id ?? '',
    params: { ...(request.query as Record<string, unknown>), ...(request.body as Record<string, unknown> | undefined) },
    cause: { by: 'api', request: id, method: request.method, path, idempotency_key: key },
    fault: undefined,
  };
}

function refusedKey(request: FastifyRequest): ApiError | undefined {
  const header = request.headers.authorization ?? '';
  const basic = header.startsWith('Basic ')
    ? Buffer.from(header.slice(6), 'base64').toString().split(':')[0]
    : undefined;
  const key = basic ?? (header.startsWith('Bearer ') ? header.slice(7) : '');
  if (KEY.test(key)) return undefined;
  const message = key
    ? `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}`
    : 'You did not provide an API key. Provide it in the Authorization header, using Bearer auth.';
  return new ApiError(401, { type: 'invalid_request_error', message }, { beforeExecution: true });
}

/** What Fastify itself refuses: a body that is no form, or too long. */
function asApiError(error: unknown): unknown {
  const status = (error as { statusCode?: number }).statusCode;
  if (error instanceof ApiError || !status || status >= 500) return error;
  return invalidRequest(error instanceof Error ? error.message : 'Invalid request', { status });
}

export function newApiApp(): FastifyInstance {
  const app = Fastify({
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { querystringParser: (text) => qs.parse(text, FORM) },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, qs.parse(body as string, FORM));
  });
  return app;
}
