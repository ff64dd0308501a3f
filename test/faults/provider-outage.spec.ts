import { beforeAll, describe, expect, it } from '@jest/globals';
import { Outbox } from '@drawdown/platform';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { startModules, type Modules } from '../support/modules.js';
import { Story } from '../scenarios/story.js';

/** By hand with as many as one likes: `PROVIDER_OUTAGE_CUSTOMERS=500`. */
const CUSTOMERS = Number(process.env.PROVIDER_OUTAGE_CUSTOMERS ?? 8);
/** What the sandbox remembers of requests is enough for the end of it. */
const REQUESTS_A_SECOND = 25;

/** Stripe refuses everything from the moment of a billing run on, for six hours. */
describe(`an outage of the provider during a billing run of ${CUSTOMERS} customers`, () => {
  let modules: Modules;
  let story: Story;
  const control = async <T>(path: string, body?: object, method = body ? 'POST' : 'GET'): Promise<T> => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${modules.sandbox.controlUrl}${path}`, { method, ...(body ? json : {}) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json().catch(() => null)) as T;
  };
  const attempts = () =>
    modules.run(async (tx) => {
      const found = await sql<{ state: string; n: number }>`
        select state, count(*)::int n from payment_attempt group by state order by state`.execute(tx.db);
      return Object.fromEntries(found.rows.map(({ state, n }) => [state, n]));
    });

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
    for (let i = 0; i < CUSTOMERS; i++) {
      const name = `customer-${i}`;
      const { id } = await story.post<{ id: string }>('/customers', { external_id: name, name });
      await story.saveCardOf(id, '4242424242424242');
      await story.subscribeCustomer(name, id);
    }
    await modules.get(Outbox).drain(modules.scope);
  }, 1_800_000);

  it('leaves every charge open and none made, and keeps the billing going', async () => {
    expect(await attempts()).toEqual({ succeeded: CUSTOMERS });
    await control('/faults', { act: '503', match: { path: '/v1/**' }, times: null });
    await modules.advanceTo('2026-02-10T10:00:00Z');
    expect(await attempts()).toEqual({ succeeded: CUSTOMERS, unknown: CUSTOMERS });
    await modules.advanceTo('2026-02-10T16:00:00Z');
    expect(await attempts()).toEqual({ succeeded: CUSTOMERS, unknown: CUSTOMERS });
  }, 3_600_000);

  it('is caught up with when it ends: each invoice is charged once, within the rate limit', async () => {
    await control('/faults', undefined, 'DELETE');
    await sleep(5_500);
    const before = (await control<{ data: { id: string }[] }>('/requests')).data.at(-1)?.id;
    await modules.advanceTo('2026-02-10T16:20:00Z');
    expect(await attempts()).toEqual({ succeeded: CUSTOMERS * 2 });
    const { groups } = await control<{ groups: Record<string, { successful: number }> }>(
      '/charges?group_by=invoice_id',
    );
    expect(Object.values(groups).map(({ successful }) => successful)).toEqual(Array(CUSTOMERS * 2).fill(1));
    const { data } = await control<{ data: { id: string; at: number }[] }>('/requests');
    const since = data.slice(data.findIndex(({ id }) => id === before) + 1);
    const bySecond = [...Map.groupBy(since, ({ at }) => Math.floor(at)).values()];
    const busiest = Math.max(...bySecond.map((some) => some.length));
    expect(since.length).toBeGreaterThanOrEqual(CUSTOMERS);
    expect(busiest).toBeLessThanOrEqual(REQUESTS_A_SECOND);
  }, 3_600_000);
});
