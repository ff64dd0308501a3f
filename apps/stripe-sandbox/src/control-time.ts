import type { FastifyInstance } from 'fastify';
import type { Account } from './account.js';
import { expireDue } from './checkout-session.js';
import { accepts, BY_CONTROL, count } from './control-body.js';
import type { Dispatcher } from './dispatcher.js';

/** Time goes on, or leaps ahead: sessions expire, keys age, retries become due. */
export function mountTimeControl(app: FastifyInstance, account: Account, dispatcher: Dispatcher): void {
  const seen = () => ({ now: account.clock.now(), offset_seconds: Math.floor(account.clock.offsetMs / 1000) });
  app.get('/clock', async () => seen());
  app.post<{ Body: { advance_seconds: number } }>(
    '/clock',
    accepts({ advance_seconds: count }, 'advance_seconds'),
    async ({ body }) => {
      const offset = account.clock.offsetMs + body.advance_seconds * 1000;
      account.store.write(BY_CONTROL, () => account.store.put('clock', { id: 'clock', offset_ms: offset }));
      account.clock.offsetMs = offset;
      expireDue(account);
      dispatcher.reschedule();
      return seen();
    },
  );
}
