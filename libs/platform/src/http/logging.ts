import type { Params } from 'nestjs-pino';
import type { Settings } from '../config/settings.js';

const NOT_IMPLEMENTED = 501;

/** Structured logs, one line a request, never a secret: headers that carry one and the bodies stay out. */
export const loggerOptions = (settings: Settings): Params => ({
  pinoHttp: {
    level: settings.LOG_LEVEL,
    quietReqLogger: true,
    redact: {
      paths: [
        'req.headers',
        'res.headers',
        '*.authorization',
        '*["x-api-key"]',
        '*.api_key',
        '*.secret',
        '*.client_secret',
      ],
      remove: true,
    },
    serializers: {
      req: (request: { id: string; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        path: request.url.split('?')[0],
      }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
    customLogLevel: (_request, response, error) => {
      if (response.statusCode === NOT_IMPLEMENTED) return 'info';
      return response.statusCode >= 500 || error ? 'error' : response.statusCode >= 400 ? 'info' : 'debug';
    },
  },
});
