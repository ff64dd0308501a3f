import type { Flow } from '../flow.js';
import { openPage, payOn, plan, subscribe } from './starter.js';

/** A customer with an open invoice saves a card on the hosted page: the invoice is charged to it. */
export const cardSaved: Flow = {
  name: 'card saved with an invoice open',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const { id: customerId } = await world.post<{ id: string }>('/customers', { external_id: 'ada', name: 'Ada' });
    await subscribe(world, planId);
    await world.advance('2026-01-10T10:30:00Z');
    return async (world) => {
      await payOn(world, await openPage(world, { mode: 'setup', customer_id: customerId }));
      await world.advance('2026-01-10T11:30:00Z');
      await world.tellEvents();
      await world.advance('2026-01-20T09:00:00Z');
    };
  },
};
