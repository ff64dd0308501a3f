import type { FastifyInstance } from 'fastify';
import { find, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { accepts, BY_CONTROL, count, oneOf, text, type Named } from './control-body.js';
import { closeDispute, openDispute, winAppeal } from './dispute.js';
import { failRefund } from './refund.js';

interface NewDispute {
  charge?: string;
  payment_intent?: string;
  amount?: number;
  reason?: string;
}

/** Money on its way back: disputes, and refunds that fail later. */
export function mountReversalControl(app: FastifyInstance, account: Account): void {
  const { store } = account;
  app.post<{ Body: NewDispute }>(
    '/disputes',
    accepts({ charge: text, payment_intent: text, amount: count, reason: text }),
    async ({ body }) => {
      const intent = body.payment_intent ? find(account, 'payment_intent', body.payment_intent) : undefined;
      const charge = body.charge ?? (intent?.latest_charge as string | null | undefined);
      if (!charge) throw invalidRequest('Name a charge or a payment_intent that was charged.');
      return store.write(BY_CONTROL, () => openDispute(account, find(account, 'charge', charge), body));
    },
  );
  app.post<Named & { Body: { outcome: 'won' | 'lost' } }>(
    '/disputes/:id/close',
    accepts({ outcome: oneOf('won', 'lost') }, 'outcome'),
    async ({ params, body }) =>
      store.write(BY_CONTROL, () => closeDispute(account, find(account, 'dispute', params.id), body.outcome)),
  );
  app.post<Named>('/disputes/:id/appeal', accepts({}), async ({ params }) =>
    store.write(BY_CONTROL, () => winAppeal(account, find(account, 'dispute', params.id))),
  );
  app.post<Named & { Body: { reason?: string } }>(
    '/refunds/:id/fail',
    accepts({ reason: text }),
    async ({ params, body }) =>
      store.write(BY_CONTROL, () =>
        failRefund(account, find(account, 'refund', params.id), body.reason ?? 'expired_or_canceled_card'),
      ),
  );
}
