import type { FastifyReply } from 'fastify';
import { ApiError } from './api-error.js';
import { API_VERSION } from './event.js';

export interface Answer {
  status: number;
  body: string;
  replayed?: boolean;
  shouldRetry?: boolean;
}

export function bodyOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function errorAnswer(error: unknown): Answer {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return internalError();
  }
  const { status, body, traits } = error;
  return { status, body: bodyOf({ error: body }), shouldRetry: traits.shouldRetry ?? false };
}

export function internalError(): Answer {
  const message = 'An unknown error occurred.';
  return { status: 500, body: bodyOf({ error: { type: 'api_error', message } }), shouldRetry: false };
}

export function rateLimited(): Answer {
  const error = { type: 'invalid_request_error', code: 'rate_limit', message: 'Request rate limit exceeded.' };
  return { status: 429, body: bodyOf({ error }), shouldRetry: false };
}

export function unavailable(): Answer {
  const error = { type: 'api_error', message: 'Service unavailable.' };
  return { status: 503, body: bodyOf({ error }), shouldRetry: true };
}

function headersOf(id: string, answer: Answer): Record<string, string> {
  return {
    'content-type': 'application/json',
    'request-id': id,
    'stripe-should-retry': String(answer.shouldRetry ?? false),
    ...(answer.replayed && { 'idempotent-replayed': 'true' }),
  };
}

export function send(reply: FastifyReply, id: string, answer: Answer): FastifyReply {
  const { headers, method } = reply.request;
  const version = headers['stripe-version'];
  const key = headers['idempotency-key'];
  reply.code(answer.status).headers(headersOf(id, answer));
  reply.header('stripe-version', typeof version === 'string' ? version : API_VERSION);
  if (typeof key === 'string' && method === 'POST') reply.header('idempotency-key', key);
  return reply.send(answer.body);
}

/** Hangs up without a word. */
export function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}

/** Promises the whole body, sends half and hangs up. */
export function sendHalf(reply: FastifyReply, id: string, answer: Answer): FastifyReply {
  reply.hijack();
  const bytes = Buffer.from(answer.body);
  reply.raw.writeHead(answer.status, { ...headersOf(id, answer), 'content-length': bytes.length });
  reply.raw.write(bytes.subarray(0, bytes.length >> 1), () => reply.raw.destroy());
  return reply;
}
