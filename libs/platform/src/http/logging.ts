import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger, type Params } from 'nestjs-pino';
import type { Settings } from '../config/settings.js';
import { requestContext } from './request-context.js';

const NOT_IMPLEMENTED = 501;

/** Structured logs, never a secret. Every line written while a request is answered carries the request's id. */
export const loggerOptions = (settings: Settings): Params => ({
  // No middleware: it makes a logger per request, also for those of which nothing is logged.
  forRoutes: [],
  pinoHttp: {
    level: settings.LOG_LEVEL,
    mixin: () => {
      const context = requestContext.getStore();
      return context ? { requestId: context.requestId } : {};
    },
    redact: {
      paths: ['*.authorization', '*["x-api-key"]', '*.api_key', '*.secret', '*.client_secret'],
      remove: true,
    },
  },
});

/** One line a request: method, path, status and time; headers, query and bodies stay out. */
export function registerRequestLog(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      const level = levelOf(reply.statusCode);
      if (PinoLogger.root.isLevelEnabled(level)) {
        const { method, id: requestId } = request;
        const path = request.url.split('?')[0];
        PinoLogger.root[level](
          { requestId, method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
          'request',
        );
      }
      done();
    });
}

function levelOf(status: number): 'debug' | 'info' | 'error' {
  if (status >= 500 && status !== NOT_IMPLEMENTED) return 'error';
  return status >= 400 ? 'info' : 'debug';
}
