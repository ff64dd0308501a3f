import Fastify, { type FastifyInstance } from 'fastify';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import type { RequestLog } from './request-log.js';
import { mountCheckoutControl } from './control-checkout.js';
import { mountFaultControl } from './control-faults.js';
import { mountOracle } from './control-oracle.js';
import { mountReversalControl } from './control-reversals.js';
import { mountTimeControl } from './control-time.js';
import { mountWebhookControl } from './control-webhooks.js';
import type { Dispatcher } from './dispatcher.js';

/** The control API: what tests order and ask. No key, so it listens on the loopback by default. */
export function newControlApp(account: Account, dispatcher: Dispatcher, log: RequestLog): FastifyInstance {
  const app = Fastify({
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof ApiError ? error.status : ((error as { statusCode?: number }).statusCode ?? 500);
    const message = error instanceof Error ? error.message : String(error);
    return reply.code(status).send({ error: { ...(error instanceof ApiError ? error.body : {}), message } });
  });
  app.addHook('preValidation', async (request) => {
    request.body ??= {};
  });
  app.addHook('onSend', async () => account.store.journal.flushed());
  app.get('/health', async () => ({ status: 'ok', pid: process.pid }));
  mountOracle(app, account, log);
  mountTimeControl(app, account, dispatcher);
  mountCheckoutControl(app, account);
  mountFaultControl(app, account);
  mountReversalControl(app, account);
  mountWebhookControl(app, account, dispatcher);
  return app;
}
