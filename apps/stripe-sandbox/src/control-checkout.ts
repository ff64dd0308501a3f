import type { FastifyInstance } from 'fastify';
import { find, type Account } from './account.js';
import { invalidRequest } from './api-error.js';
import { testCard } from './cards.js';
import { authenticate, pay, settle, type Paid } from './checkout-payment.js';
import { expireDue, expireSession } from './checkout-session.js';
import { finishAuthentication } from './confirmation.js';
import type { Dispatcher } from './dispatcher.js';
import type { Cause } from './store.js';

const CAUSE: Cause = { by: 'control' };

interface Completion {
  /** A card number or `pm_card_…` id; 4242… when left out. */
  card?: string;
  /** What the buyer does when asked to authenticate. */
  authentication?: 'complete' | 'fail';
  email?: string;
  name?: string;
}

/** The buyer, without a browser. */
export function mountCheckoutControl(app: FastifyInstance, account: Account, dispatcher: Dispatcher): void {
  app.post('/sessions/:id/complete', async (request) => {
    const { id } = request.params as { id: string };
    const wanted = (request.body ?? {}) as Completion;
    expireDue(account);
    const paid = complete(account, id, wanted);
    await account.store.journal.flushed();
    const error = paid.result === 'declined' ? paid.error : null;
    return { result: paid.result, error, session: account.store.get('checkout.session', id) };
  });

  app.post('/sessions/:id/expire', async (request) => {
    const { id } = request.params as { id: string };
    return account.store.write(CAUSE, () => expireSession(account, find(account, 'checkout.session', id)));
  });

  app.post('/payment_intents/:id/settle', async (request) => {
    const { id } = request.params as { id: string };
    const { outcome = 'succeeded' } = (request.body ?? {}) as { outcome?: 'succeeded' | 'failed' };
    return account.store.write(CAUSE, () => settle(account, find(account, 'payment_intent', id), outcome));
  });
  void dispatcher;
  void finishAuthentication;
}

function complete(account: Account, id: string, wanted: Completion): Paid {
  const { card: name = '4242424242424242', authentication = 'complete' } = wanted;
  const card = testCard(name);
  if (!card) throw invalidRequest(`No such test card: '${name}'`, { param: 'card' });
  const details = { number: card.number, email: wanted.email ?? null, name: wanted.name ?? null };
  const session = find(account, 'checkout.session', id);
  const paid = account.store.write(CAUSE, () => pay(account, session, details));
  if (paid.result !== 'requires_action') return paid;
  return account.store.write(CAUSE, () => authenticate(account, paid.session, authentication === 'complete'));
}
