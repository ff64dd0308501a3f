import type { Flow } from '../flow.js';
import { customerWithCard, plan, subscribe } from './starter.js';

const ATTACHES_THEN_DECLINES = '4000000000000341';

/** The card was declined and its subscription is past due; a day later it is tried again and there is money on it. */
export const dunningRetry: Flow = {
  name: 'dunning retry',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const customerId = await customerWithCard(world, ATTACHES_THEN_DECLINES);
    await subscribe(world, planId);
    await world.advance('2026-01-10T10:30:00Z');
    const [card] = await world.rows<{ id: string }>(`select id from payment_method where customer_id = $1`, [
      customerId,
    ]);
    await world.control('/cards', { payment_method: card!.id, card: '4242424242424242' });
    return async (world) => {
      await world.advance('2026-01-11T10:30:00Z');
      await world.tellEvents();
      await world.advance('2026-01-21T09:00:00Z');
    };
  },
};
