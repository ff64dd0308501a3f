import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sqlState } from '../database/sql-state.js';
import { Problem, type ProblemCode } from './problem.js';

/** What PostgreSQL refused because of what the caller sent, or can't do just now; anything else is our fault. */
const databaseProblems: Record<string, () => Problem> = {
  '22003': () => new Problem('validation_error', 'a number is out of range'),
  '22021': () => new Problem('validation_error', 'text must not contain the NUL character'),
  '22P05': () => new Problem('validation_error', 'text must not contain the NUL character'),
  '23505': () => new Problem('already_exists', 'something with the same key exists already'),
  '40001': () => busy(),
  '40P01': () => busy(),
  '53300': () => busy(),
  '55P03': () => busy(),
  '57014': () => busy(),
  '57P01': () => busy(),
  '57P03': () => busy(),
};

const busy = () => new Problem('service_unavailable', 'the database is busy, please try again');

const codeOfStatus: Record<number, ProblemCode> = {
  400: 'validation_error',
  401: 'unauthorized',
  403: 'permission_denied',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'validation_error',
  429: 'too_many_requests',
  503: 'service_unavailable',
};

/** The one place where an error becomes an answer (wire contract, section 3). */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly log = new Logger(ErrorFilter.name);

  /** @param isKnownOperation whether the published client has this operation although the server doesn't serve it. */
  constructor(private readonly isKnownOperation: (method: string, path: string) => boolean) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.toProblem(error, request);
    if (problem.status >= 500 && problem.code !== 'not_implemented') {
      this.log.error({ err: error, requestId: request.id, method: request.method, path: path(request) });
    }
    if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', '1');
    void reply.status(problem.status).send(errorBody(problem, String(request.id)));
  }

  private toProblem(error: unknown, request: FastifyRequest): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof HttpException || isFastifyError(error)) return this.fromFramework(error, request);
    const state = sqlState(error);
    const known = state ? databaseProblems[state] : undefined;
    if (known) return known();
    if (state?.startsWith('08') || isConnectionError(error)) return busy();
    return new Problem('internal_error', 'something went wrong on our side; the request id helps to find it');
  }

  private fromFramework(error: HttpException | FastifyError, request: FastifyRequest): Problem {
    const status = error instanceof HttpException ? error.getStatus() : error.statusCode;
    if (status === 404 && this.isKnownOperation(request.method, path(request))) {
      return new Problem('not_implemented', `${request.method} ${path(request)} is not implemented`);
    }
    const code = codeOfStatus[status];
    if (!code) return new Problem(status < 500 ? 'invalid_operation' : 'internal_error', error.message);
    const field = status === 413 || status === 415 || error.message.includes('JSON') ? { field: 'body' } : {};
    return new Problem(code, error.message, field);
  }
}

interface FastifyError extends Error {
  statusCode: number;
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && typeof (error as Partial<FastifyError>).statusCode === 'number';

const isConnectionError = (error: unknown): boolean => {
  for (let e = error as (Error & { code?: unknown }) | undefined; e; e = e.cause as typeof e) {
    if (
      e.code === 'ECONNREFUSED' ||
      e.code === 'ECONNRESET' ||
      /connection terminated|timeout exceeded when trying to connect/i.test(e.message)
    ) {
      return true;
    }
  }
  return false;
};

const path = (request: FastifyRequest): string => request.url.split('?')[0]!;

/** Both shapes the published client knows, in one body, every key present. */
export const errorBody = (problem: Problem, requestId: string) => ({
  success: false,
  error: { message: problem.message, internal_error: null },
  code: problem.code,
  message: problem.message,
  http_status_code: problem.status,
  details: problem.details,
  request_id: requestId,
});
