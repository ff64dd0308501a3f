import type { Flow } from '../flow.js';
import { customerWithCard, plan, rows, subscribe } from './starter.js';

/** Usage takes the balance below its threshold: 2,000 credits are bought by themselves, by the saved card. */
export const autoTopUp: Flow = {
  name: 'auto top-up',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const customerId = await customerWithCard(world);
    await subscribe(world, planId);
    await world.post('/wallets', {
      customer_id: customerId,
      currency: 'usd',
      topup_conversion_rate: '0.01',
      auto_topup: { enabled: true, threshold: 200, amount: 2000 },
    });
    await world.advance('2026-01-10T10:30:00Z');
    await rows(world, 1_180, 'usage-1');
    return async (world) => {
      await rows(world, 50, 'usage-2');
      await world.advance('2026-01-10T11:30:00Z');
      await world.tellEvents();
      await world.advance('2026-01-20T09:00:00Z');
    };
  },
};
