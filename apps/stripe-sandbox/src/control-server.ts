import Fastify, { type FastifyInstance } from 'fastify';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import { mountCheckoutControl } from './control-checkout.js';
import type { Dispatcher } from './dispatcher.js';

/** The control API: what tests order and ask. No key, so it listens on the loopback by default. */
export function newControlApp(account: Account, dispatcher: Dispatcher): FastifyInstance {
  const app = Fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof ApiError ? error.status : ((error as { statusCode?: number }).statusCode ?? 500);
    const message = error instanceof Error ? error.message : String(error);
    return reply.code(status).send({ error: { message } });
  });
  app.addHook('onSend', async () => account.store.journal.flushed());
  app.get('/health', async () => ({ status: 'ok' }));
  mountCheckoutControl(app, account, dispatcher);
  return app;
}
