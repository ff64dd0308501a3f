import { defineStarter } from '../../../../apps/demo/src/starter-plan.js';
import type { World } from '../world.js';

/** Everything begins here: the Starter plan of the walk-through. */
export const START = '2026-01-10T09:00:00Z';

const urls = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };

export interface Page {
  readonly id: string;
  readonly url: string;
}

export const openPage = (world: World, body: object): Promise<Page> =>
  world.post<Page>('/checkout/sessions', { ...body, ...urls });

/** The page is looked at as the landing page does, after the buyer came back. */
export async function payOn(world: World, page: Page, card?: string): Promise<void> {
  await world.buy(page.url, card);
  await world.tellEvents();
  await world.get(`/checkout/sessions/${page.id}`);
}

export async function customerWithCard(world: World, card?: string): Promise<string> {
  const { id } = await world.post<{ id: string }>('/customers', { external_id: 'ada', name: 'Ada' });
  await payOn(world, await openPage(world, { mode: 'setup', customer_id: id }), card);
  return id;
}

export const plan = (world: World, trialDays: number, key = 'matrix') =>
  defineStarter((path, body) => world.post(path, body), key, trialDays);

export async function subscribe(world: World, planId: string, over: object = {}): Promise<string> {
  const { id } = await world.post<{ id: string }>('/subscriptions', {
    external_customer_id: 'ada',
    plan_id: planId,
    currency: 'usd',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    billing_cycle: 'anniversary',
    ...over,
  });
  return id;
}

export const rows = (world: World, count: number, id: string) =>
  world.post('/events', {
    event_name: 'contact_enrich',
    external_customer_id: 'ada',
    event_id: id,
    properties: { rows: String(count) },
  });

export async function walletOf(world: World, customerId: string): Promise<string> {
  const [wallet] = await world.get<{ id: string }[]>(`/customers/${customerId}/wallets`);
  return wallet!.id;
}
