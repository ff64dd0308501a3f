import type { FastifyInstance, FastifyReply } from 'fastify';
import { find, type Account } from './account.js';
import { ApiError } from './api-error.js';
import { finishAuthentication } from './confirmation.js';
import { authenticationPage, contentSecurityPolicy, closedPage } from './hosted-page.js';
import { finishSetupAuthentication } from './setup-intent.js';

type Kind = 'payment_intent' | 'setup_intent';

/** `next_action.redirect_to_url` of an intent confirmed by the API points here. */
export function mountAuthentication(app: FastifyInstance, account: Account): void {
  for (const kind of ['payment_intent', 'setup_intent'] as const) {
    app.get(`/3ds/${kind}/:id`, async (request, reply) => {
      const { id } = request.params as { id: string };
      const intent = account.store.get(kind, id);
      const url = intent?.next_action?.redirect_to_url?.return_url ?? null;
      if (!intent || !url) return show(reply, closedPage(undefined), [], 404);
      return show(reply, authenticationPage(`/3ds/${kind}/${id}`, kind === 'setup_intent'), [url]);
    });
    app.post(`/3ds/${kind}/:id`, async (request, reply) => {
      const { id } = request.params as { id: string };
      const back = account.store.get(kind, id)?.next_action?.redirect_to_url?.return_url;
      if (!back) return show(reply, closedPage(undefined), [], 404);
      const passed = (request.body as { result?: string } | undefined)?.result === 'complete';
      const status = finish(account, kind, id, passed);
      await account.store.journal.flushed();
      return reply.redirect(landing(back, kind, id, status), 303);
    });
  }
}

function finish(account: Account, kind: Kind, id: string, passed: boolean): 'succeeded' | 'failed' | 'pending' {
  const cause = { by: 'page', method: 'POST', path: `/3ds/${kind}/${id}` } as const;
  return account.store.write(cause, () => {
    try {
      const { status } =
        kind === 'payment_intent'
          ? finishAuthentication(account, find(account, kind, id), passed)
          : finishSetupAuthentication(account, find(account, kind, id), passed);
      return status === 'succeeded' ? 'succeeded' : 'pending';
    } catch (error) {
      if (error instanceof ApiError && error.traits.keepsEffects) return 'failed';
      throw error;
    }
  });
}

function landing(back: string, kind: Kind, id: string, status: string): string {
  const url = new URL(back);
  url.searchParams.set(kind, id);
  url.searchParams.set('redirect_status', status);
  return url.href;
}

function show(reply: FastifyReply, html: string, leadsTo: string[], status = 200): FastifyReply {
  return reply
    .code(status)
    .header('content-security-policy', contentSecurityPolicy(leadsTo))
    .type('text/html; charset=utf-8')
    .send(html);
}
