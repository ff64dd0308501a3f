import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import qs from 'qs';
import type { Account } from './account.js';
import { ApiError, invalidRequest } from './api-error.js';
import { balanceRoutes } from './balance.js';
import { chargeRoutes } from './charge.js';
import { expireDue } from './checkout-session.js';
import { checkoutSessionRoutes } from './checkout-session.routes.js';
import { customerRoutes } from './customer.js';
import { disputeRoutes } from './dispute.js';
import { API_VERSION, eventRoutes } from './event.js';
import { expanded } from './expansion.js';
import { strikeFault } from './faults.js';
import { keyed, keyInUse, recall, remember, type Keyed } from './idempotency.js';
import { newId } from './identifier.js';
import { paymentIntentRoutes } from './payment-intent.routes.js';
import { paymentMethodRoutes } from './payment-method.js';
import { refundRoutes } from './refund.js';
import type { Route } from './route.js';
import { setupIntentRoutes } from './setup-intent.js';
import type { Cause } from './store.js';
import type { FaultRule } from './tables.js';
import { webhookEndpointRoutes } from './webhook-endpoint.js';

const ROUTES: Route[] = [
  ...balanceRoutes,
  ...chargeRoutes,
  ...checkoutSessionRoutes,
  ...customerRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...refundRoutes,
  ...setupIntentRoutes,
  ...webhookEndpointRoutes,
];
const KEY = /^sk_test_\w+$/;
const FORM = { depth: 10, arrayLimit: 1000, parameterLimit: 5000, plainObjects: true } as const;

interface Call {
  id: string;
  params: Record<string, unknown>;
  cause: Cause;
}

interface Answer {
  status: number;
  body: string;
  replayed?: boolean;
  shouldRetry?: boolean;
}

/** The API server: each request passes key, fault, idempotency, parameters, execution, in this order. */
export class ApiServer {
  readonly #inFlight = new Set<string>();

  constructor(readonly account: Account) {}

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
      return send(reply, newId('req', 14), request, errorAnswer(error));
    });
  }

  async #serve(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const call = callOf(request);
    try {
      authenticate(request);
    } catch (error) {
      return send(reply, call.id, request, errorAnswer(error));
    }
    expireDue(this.account);
    const path = call.cause.path ?? '';
    const fault = this.account.store.write({ by: 'control' }, () =>
      strikeFault(this.account, { method: request.method, path, params: call.params }),
    );
    return this.#underFault(fault, route, call, request, reply);
  }

  async #underFault(
    fault: FaultRule | undefined,
    route: Route,
    call: Call,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    switch (fault?.act) {
      case 'drop_before':
        return drop(reply);
      case '429':
        return send(reply, call.id, request, rateLimited());
      case '503':
        return send(reply, call.id, request, unavailable());
      case '409':
        return send(reply, call.id, request, errorAnswer(keyInUse(call.cause.idempotency_key ?? '')));
      case undefined:
      case 'delay':
      case 'execute_then_drop':
      case 'half_body':
      case '500_stored':
        break;
    }
    const answer = await this.#answer(route, call, request, fault);
    await this.account.store.journal.flushed();
    if (fault?.act === 'execute_then_drop') return drop(reply);
    if (fault?.act === 'half_body') return sendHalf(reply, call.id, answer);
    return send(reply, call.id, request, answer);
  }

  /** The idempotency layer. A key is in use from here until its answer is ready to leave. */
  async #answer(route: Route, call: Call, request: FastifyRequest, fault?: FaultRule): Promise<Answer> {
    const key = request.method === 'POST' ? call.cause.idempotency_key : null;
    if (!key) return this.#delayed(this.#execute(route, call, request, undefined, fault), fault);
    try {
      const asked = keyed(key, `${call.cause.method} ${call.cause.path}`, call.params);
      if (this.#inFlight.has(key)) throw keyInUse(key);
      const known = recall(this.account, asked);
      if (known) return { status: known.status, body: known.body, replayed: true };
      this.#inFlight.add(key);
      try {
        return await this.#delayed(this.#execute(route, call, request, asked, fault), fault);
      } finally {
        this.#inFlight.delete(key);
      }
    } catch (error) {
      return errorAnswer(error);
    }
  }

  async #delayed(answer: Answer, fault: FaultRule | undefined): Promise<Answer> {
    await this.account.store.journal.flushed();
    if (fault?.act === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    return answer;
  }

  /** Runs the endpoint and remembers its answer, as one unit. */
  #execute(route: Route, call: Call, request: FastifyRequest, asked?: Keyed, fault?: FaultRule): Answer {
    let params: { expand?: string[] };
    try {
      params = route.parse(call.params);
    } catch (error) {
      return errorAnswer(error);
    }
    const { store } = this.account;
    return store.write(call.cause, () => {
      let answer: Answer;
      let keep = true;
      try {
        const id = (request.params as { id?: string }).id ?? '';
        if (fault?.act === '500_stored' && !fault.execute) throw new Error('a fault was ordered');
        const result = route.run(this.account, params, id);
        answer = { status: 200, body: bodyOf(expanded(this.account, result, params.expand ?? [])) };
        if (fault?.act === '500_stored') answer = internalError();
      } catch (error) {
        answer = errorAnswer(error);
        if (!(error instanceof ApiError && error.traits.keepsEffects)) store.undo();
        keep = !(error instanceof ApiError && error.traits.beforeExecution);
      }
      if (asked && keep) remember(this.account, asked, { status: answer.status, body: answer.body });
      return answer;
    });
  }
}

function callOf(request: FastifyRequest): Call {
  const id = newId('req', 14);
  const path = request.url.split('?')[0] ?? '';
  const body = request.body as Record<string, unknown> | undefined;
  const header = request.headers['idempotency-key'];
  const key = Array.isArray(header) ? header.join(',') : (header ?? null);
  return {
    id,
    params: { ...(request.query as Record<string, unknown>), ...body },
    cause: { by: 'api', request: id, method: request.method, path, idempotency_key: key },
  };
}

function authenticate(request: FastifyRequest): void {
  const header = request.headers.authorization ?? '';
  const basic = header.startsWith('Basic ')
    ? Buffer.from(header.slice(6), 'base64').toString().split(':')[0]
    : undefined;
  const key = basic ?? (header.startsWith('Bearer ') ? header.slice(7) : '');
  if (KEY.test(key)) return;
  const message = key
    ? `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}`
    : 'You did not provide an API key. Provide it in the Authorization header, using Bearer auth.';
  throw new ApiError(401, { type: 'invalid_request_error', message }, { beforeExecution: true });
}

function bodyOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function errorAnswer(error: unknown): Answer {
  if (!(error instanceof ApiError)) {
    if (!(error instanceof Error && error.message === 'a fault was ordered')) console.error(error);
    return internalError();
  }
  const { status, body, traits } = error;
  return { status, body: bodyOf({ error: body }), shouldRetry: traits.shouldRetry };
}

function internalError(): Answer {
  const message = 'An unknown error occurred.';
  return { status: 500, body: bodyOf({ error: { type: 'api_error', message } }), shouldRetry: false };
}

function rateLimited(): Answer {
  const message = 'Request rate limit exceeded.';
  const error = { type: 'invalid_request_error', code: 'rate_limit', message };
  return { status: 429, body: bodyOf({ error }), shouldRetry: false };
}

function unavailable(): Answer {
  return {
    status: 503,
    body: bodyOf({ error: { type: 'api_error', message: 'Service unavailable.' } }),
    shouldRetry: true,
  };
}

function headersOf(id: string, answer: Answer): Record<string, string> {
  return {
    'content-type': 'application/json',
    'request-id': id,
    ...(answer.replayed && { 'idempotent-replayed': 'true' }),
    'stripe-should-retry': String(answer.shouldRetry ?? false),
  };
}

function send(reply: FastifyReply, id: string, request: FastifyRequest, answer: Answer): FastifyReply {
  const version = request.headers['stripe-version'];
  const key = request.headers['idempotency-key'];
  reply.code(answer.status).headers(headersOf(id, answer));
  reply.header('stripe-version', typeof version === 'string' ? version : API_VERSION);
  if (typeof key === 'string' && request.method === 'POST') reply.header('idempotency-key', key);
  return reply.send(answer.body);
}

function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}

/** Promises the whole body, sends half and hangs up. */
function sendHalf(reply: FastifyReply, id: string, answer: Answer): FastifyReply {
  reply.hijack();
  const bytes = Buffer.from(answer.body);
  reply.raw.writeHead(answer.status, { ...headersOf(id, answer), 'content-length': bytes.length });
  reply.raw.write(bytes.subarray(0, bytes.length >> 1), () => reply.raw.destroy());
  return reply;
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
