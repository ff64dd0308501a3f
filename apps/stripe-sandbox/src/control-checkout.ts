import type { FastifyInstance } from 'fastify';
import { find, type Account } from './account.js';
import { ApiError, invalidRequest } from './api-error.js';
import { TEST_CARDS, testCard } from './cards.js';
import { authenticate, pay, settle, type Paid } from './checkout-payment.js';
import { expireDue, expireSession } from './checkout-session.js';
import { finishAuthentication } from './confirmation.js';
import { accepts, BY_CONTROL, oneOf, text, type Named } from './control-body.js';
import { cardOf } from './payment-method.js';
import { finishSetupAuthentication } from './setup-intent.js';

interface Completion {
  /** A card number or `pm_card_…` id; 4242… when left out. */
  card?: string;
  /** What the buyer does when asked to authenticate. */
  authentication?: 'complete' | 'fail';
  email?: string;
  name?: string;
}

interface Authentication extends Named {
  Body: { result?: 'complete' | 'fail' };
}

const RESULT = { result: oneOf('complete', 'fail') };

/** The buyer and his bank, without a browser. */
export function mountCheckoutControl(app: FastifyInstance, account: Account): void {
  const { store } = account;

  app.post<Named & { Body: Completion }>(
    '/sessions/:id/complete',
    accepts({ card: text, authentication: oneOf('complete', 'fail'), email: text, name: text }),
    async ({ params, body }) => {
      expireDue(account);
      const paid = complete(account, params.id, body);
      const error = paid.result === 'declined' ? paid.error : null;
      return { result: paid.result, error, session: store.get('checkout.session', params.id) };
    },
  );
  app.post<Named>('/sessions/:id/expire', accepts({}), async ({ params }) =>
    store.write(BY_CONTROL, () => expireSession(account, find(account, 'checkout.session', params.id))),
  );
  mountBank(app, account);
  mountCards(app, account);
}

function mountBank(app: FastifyInstance, account: Account): void {
  const { store } = account;
  app.post<Authentication>('/payment_intents/:id/authenticate', accepts(RESULT), async ({ params, body }) =>
    keepingDecline(account, () =>
      finishAuthentication(account, find(account, 'payment_intent', params.id), body.result !== 'fail'),
    ),
  );
  app.post<Authentication>('/setup_intents/:id/authenticate', accepts(RESULT), async ({ params, body }) =>
    keepingDecline(account, () =>
      finishSetupAuthentication(account, find(account, 'setup_intent', params.id), body.result !== 'fail'),
    ),
  );
  app.post<Named & { Body: { outcome?: 'succeeded' | 'failed' } }>(
    '/payment_intents/:id/settle',
    accepts({ outcome: oneOf('succeeded', 'failed') }),
    async ({ params, body }) =>
      store.write(BY_CONTROL, () =>
        settle(account, find(account, 'payment_intent', params.id), body.outcome ?? 'succeeded'),
      ),
  );
}

function mountCards(app: FastifyInstance, account: Account): void {
  const { store } = account;
  app.get('/cards', async () => ({ data: TEST_CARDS }));
  app.post<{ Body: { payment_method: string; card: string } }>(
    '/cards',
    accepts({ payment_method: text, card: text }, 'payment_method', 'card'),
    async ({ body }) => {
      const behaves = knownCard(body.card);
      const card = cardOf(account, find(account, 'payment_method', body.payment_method).id);
      return store.write(BY_CONTROL, () => {
        store.put('card', { ...card, number: behaves.number });
        return { payment_method: card.id, behaves_like: behaves.name };
      });
    },
  );
}

/** A decline here is an outcome like another: the intent as it is now. */
function keepingDecline<T extends object>(account: Account, work: () => T): object {
  return account.store.write(BY_CONTROL, () => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ApiError && error.traits.keepsEffects)) throw error;
      return error.body.payment_intent ?? error.body.setup_intent ?? {};
    }
  });
}

function knownCard(name: string) {
  const card = testCard(name);
  if (!card) throw invalidRequest(`No such test card: '${name}'`, { param: 'card' });
  return card;
}

function complete(account: Account, id: string, wanted: Completion): Paid {
  const card = knownCard(wanted.card ?? '4242424242424242');
  const details = { number: card.number, email: wanted.email ?? null, name: wanted.name ?? null };
  const session = find(account, 'checkout.session', id);
  const paid = account.store.write(BY_CONTROL, () => pay(account, session, details));
  if (paid.result !== 'requires_action') return paid;
  return account.store.write(BY_CONTROL, () => authenticate(account, paid.session, wanted.authentication !== 'fail'));
}
