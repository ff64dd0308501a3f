import type { Flow } from '../flow.js';
import { openPage, payOn, plan, rows, subscribe, walletOf } from './starter.js';

/** A customer without a card buys 500 credits on the hosted page; part of them pays usage that was short. */
export const topUpByCheckout: Flow = {
  name: 'top-up by Checkout',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const { id } = await world.post<{ id: string }>('/customers', { external_id: 'ada', name: 'Ada' });
    await subscribe(world, planId);
    const { amount_due: due, invoice_id: invoiceId } = await firstInvoice(world, id);
    await payOn(world, await openPage(world, { mode: 'invoice', invoice_id: invoiceId }));
    await world.advance('2026-01-10T10:30:00Z');
    if (due === '0') throw new Error('the first fee was to be paid');
    await rows(world, 1_500, 'usage-1');
    const walletId = await walletOf(world, id);
    return async (world) => {
      const page = await openPage(world, { mode: 'top_up', wallet_id: walletId, credits: '500' });
      await payOn(world, page);
      await world.advance('2026-01-10T11:30:00Z');
      await world.tellEvents();
      await world.advance('2026-01-20T09:00:00Z');
    };
  },
};

async function firstInvoice(world: Parameters<typeof rows>[0], customerId: string) {
  const { items } = await world.post<{ items: { id: string; amount_due: string }[] }>('/invoices/search', {
    customer_id: customerId,
  });
  return { invoice_id: items[0]!.id, amount_due: items[0]!.amount_due };
}
