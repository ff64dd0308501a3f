import type { Flow } from '../flow.js';
import { openPage, payOn, plan, rows, subscribe, walletOf } from './starter.js';
import type { World } from '../world.js';

interface Refund {
  readonly id: string;
  readonly refund_status: string;
}

/** Part of the money for bought credits is given back, and the credits with it; one that failed is asked for again. */
export const refund: Flow = {
  name: 'refund',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const { id } = await world.post<{ id: string }>('/customers', { external_id: 'ada', name: 'Ada' });
    await subscribe(world, planId);
    const walletId = await walletOf(world, id);
    await payOn(world, await openPage(world, { mode: 'top_up', wallet_id: walletId, credits: '500' }));
    await world.advance('2026-01-10T10:30:00Z');
    await rows(world, 100, 'usage-1');
    const paymentId = await paymentOf(world);
    return async (world) => {
      for (let hour = 11; hour < 14; hour++) {
        const asked = await world.post<Refund>(`/payments/${paymentId}/refunds`, { amount: '100' });
        await world.advance(`2026-01-10T${hour}:30:00Z`);
        await world.tellEvents();
        const { refund_status: status } = await world.get<Refund>(`/refunds/${asked.id}`);
        if (status !== 'failed') break;
      }
      await world.advance('2026-01-20T09:00:00Z');
    };
  },
};

async function paymentOf(world: World): Promise<string> {
  const [row] = await world.rows<{ id: string }>(`select id from payment where status = 'SUCCEEDED'`);
  return row!.id;
}
