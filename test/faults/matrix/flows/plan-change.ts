import type { Flow } from '../flow.js';
import { customerWithCard, plan, rows, subscribe } from './starter.js';

/** In the middle of a paid month the plan changes with proration: a change invoice at once, and the share of new credits. */
export const planChange: Flow = {
  name: 'plan change',
  async prepare(world) {
    const { planId } = await plan(world, 0);
    const pro = await bigger(world);
    await customerWithCard(world);
    const subscriptionId = await subscribe(world, planId, { proration_behavior: 'create_prorations' });
    await world.advance('2026-01-10T10:30:00Z');
    await rows(world, 300, 'usage-1');
    await world.advance('2026-01-20T09:00:00Z');
    return async (world) => {
      await world.post(`/subscriptions/${subscriptionId}/change/execute`, {
        target_plan_id: pro,
        proration_behavior: 'create_prorations',
        billing_period: 'MONTHLY',
        billing_cadence: 'RECURRING',
        billing_cycle: 'anniversary',
      });
      await world.advance('2026-01-20T10:30:00Z');
      await world.tellEvents();
      await world.advance('2026-01-30T09:00:00Z');
    };
  },
};

async function bigger(world: Parameters<typeof rows>[0]): Promise<string> {
  const { id } = await world.post<{ id: string }>('/plans', { name: 'Pro' });
  await world.post('/prices', {
    entity_type: 'PLAN',
    entity_id: id,
    type: 'FIXED',
    invoice_cadence: 'ADVANCE',
    billing_model: 'FLAT_FEE',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    price_unit_type: 'FIAT',
    currency: 'usd',
    amount: '299',
  });
  await world.post('/creditgrants', {
    scope: 'PLAN',
    plan_id: id,
    name: 'Monthly credits',
    cadence: 'RECURRING',
    period: 'MONTHLY',
    period_count: 1,
    credits: '6200',
    expiration_type: 'BILLING_CYCLE',
  });
  return id;
}
