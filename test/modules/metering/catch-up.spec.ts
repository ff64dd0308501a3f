import { EventBus } from '@drawdown/platform';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { UsageWorld } from './usage-world.js';

/**
 * Real time passes a boundary before the worker comes by: usage and authorization find the customer as of now all the
 * same. Here the clock is moved behind the worker's back.
 */
const BOUNDARY = '2026-01-24T09:00:00Z';

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('after a boundary that no worker has seen', () => {
  let names: string[];
  beforeAll(async () => {
    names = [];
    for (let n = 0; n < 5; n++) names.push(await world.subscriber());
    await world.report(world.rows(names[0]!, '20'));
    await jump('2026-01-24T09:30:00Z');
  });

  it('an event burns in the new period, from its credits', async () => {
    const [acme] = names;
    const result = await world.report(world.rows(acme!, '100', { event_id: 'new-period' }));
    expect([result.credits_burned, result.reason]).toEqual(['150', null]);
    expect(await world.balance(acme!)).toBe('1850');
    const { body } = await world.modules.api.get('/events/new-period');
    const [draw] = body.processed_events[0].draws;
    const lot = await world.modules.run((tx) =>
      sql<{ effective_at: Date }>`select effective_at from lot where id = ${draw.lot_id}`.execute(tx.db),
    );
    expect(new Date(lot.rows[0]!.effective_at)).toEqual(new Date(BOUNDARY));
  });

  it('an authorization is given out of the new credits', async () => {
    const answer = await world.made<object>('/credits/authorize', {
      external_customer_id: names[1],
      event_name: 'contact_enrich',
      properties: { rows: '1000' },
    });
    expect(answer).toMatchObject({ allowed: true, credits_held: '1500', balance: '500' });
  });

  it('a customer whose work fails holds up none of the others, and stays where it is', async () => {
    const [, , failing, ...others] = names as [string, string, string, ...string[]];
    const { body } = await world.modules.api.get(`/customers/external/${failing}`);
    const bus = world.modules.get(EventBus);
    const publish = bus.publish.bind(bus);
    const broken = jest.spyOn(bus, 'publish').mockImplementation((tx, event, payload) => {
      const { customer_id: customerId } = payload as { customer_id?: string };
      if (customerId === body.id) throw new Error('provoked');
      return publish(tx, event, payload);
    });
    const events = [failing, ...others].map((acme) => world.rows(acme, '100', { event_id: `together-${acme}` }));
    const results = await world.reportAll(events);
    broken.mockRestore();
    expect(results.map((one) => [one.credits_burned, one.reason])).toEqual([
      ['0', 'no_match'],
      ['150', null],
      ['150', null],
    ]);
    const due = await world.modules.run((tx) =>
      sql<{ last_error: string | null }>`
        select distinct last_error from due_work where customer_id = ${body.id} and attempts > 0`.execute(tx.db),
    );
    expect(due.rows).toEqual([{ last_error: 'provoked' }]);
    await world.modules.advanceTo('2026-01-24T09:31:00Z');
    expect((await world.modules.api.get(`/events/together-${failing}`)).body.credits_burned).toBe('150');
  });
});

/** As real time does it: nothing that is due on the way is done. */
async function jump(to: string): Promise<void> {
  await world.modules.run((tx) =>
    sql`update environment set clock_at = ${to} where id = ${tx.scope.environmentId}`.execute(tx.db),
  );
}
