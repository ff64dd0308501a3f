import { IngestionService } from '@drawdown/metering';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Agenda, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import pg from 'pg';
import { productionScope } from '../../support/production-scope.js';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
}, 60_000);

describe('an event id', () => {
  it('twice in one batch burns once', async () => {
    const acme = await world.subscriber();
    const event = world.rows(acme, '20', { event_id: 'twice' });
    const [first, second] = await world.reportAll([event, event]);
    expect([first!.status, second!.status]).toEqual(['accepted', 'duplicate']);
    expect(await world.balance(acme)).toBe('70');
  });

  it('with other content is a duplicate that differs, and the first content stays', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows(acme, '2', { event_id: 'changed' }));
    const again = await world.report(world.rows(acme, '3', { event_id: 'changed' }));
    expect(again).toMatchObject({ status: 'duplicate', differs: true, credits_burned: '0' });
    const trail = await world.modules.api.get('/events/changed');
    expect(trail.body.event.properties).toEqual({ rows: '2' });
  });

  it('with the same content written otherwise does not differ', async () => {
    const acme = await world.subscriber();
    const timestamp = '2026-01-10T10:00:00+01:00';
    await world.report({
      ...world.rows(acme, '2', { event_id: 'same', timestamp }),
      properties: { rows: '2', b: 'x' },
    });
    const again = world.rows(acme, 2, { event_id: 'same', timestamp: '2026-01-10T09:00:00.000Z' });
    expect(await world.report({ ...again, properties: { b: 'x', rows: 2 } })).toMatchObject({ differs: false });
  });

  it.each(['known', 'unknown'])('sent 8 times at once for a customer that is %s burns once', async (kind) => {
    const acme = kind === 'known' ? await world.subscriber() : `nobody-${kind}`;
    const event = world.rows(acme, '20', { event_id: `at-once-${kind}` });
    const results = await Promise.all(Array.from({ length: 8 }, () => world.report(event)));
    expect(results.map((one) => one.status).toSorted()).toEqual(['accepted', ...Array<string>(7).fill('duplicate')]);
    if (kind === 'known') expect(await world.balance(acme)).toBe('70');
  });

  it('is free for use in another environment', async () => {
    const acme = await world.subscriber();
    await world.report(world.table(acme, { event_id: 'shared' }));
    const production = await productionScope(world.modules);
    const event = {
      event_id: 'shared',
      event_name: 'x',
      customer_id: null,
      external_customer_id: 'a',
      timestamp: null,
    };
    const [result] = await world.modules
      .get(IngestionService)
      .ingest(production, { events: [{ ...event, source: null, properties: {} }], path: () => '' });
    expect(result).toMatchObject({ status: 'accepted', reason: 'unknown_customer' });
  });
});

describe('many events at once', () => {
  it('sent three times in random batches, concurrently, give the state of once', async () => {
    const customers = [await world.subscriber(), await world.subscriber(), await world.subscriber()];
    const events = Array.from({ length: 60 }, (_, place) => {
      const acme = customers[place % 3]!;
      const more = { event_id: `storm-${place}` };
      return place % 2 ? world.rows(acme, '2', more) : world.table(acme, more);
    });
    const batches = [1, 2, 3].flatMap((seed) => chunks(shuffled(events, seed), 7 + seed));
    const results = (await Promise.all(batches.map((batch) => world.reportAll(batch)))).flat();
    expect(results.filter((one) => one.status === 'accepted')).toHaveLength(events.length);
    expect(await Promise.all(customers.map((acme) => world.balance(acme)))).toEqual(expectedBalances(customers));
  });

  it('take as many statements as few', async () => {
    const acme = await world.subscriber();
    const few = await statementsOf(() => world.reportAll([world.rows(acme, '1'), world.table(acme)]));
    const many = await statementsOf(() =>
      world.reportAll(Array.from({ length: 200 }, (_, n) => (n % 2 ? world.rows(acme, '0.1') : world.table(acme)))),
    );
    expect(few).toBeGreaterThan(5);
    expect(many).toBe(few);
  });

  it('are stored in their order, also those that are folded while the ones before them are inserted', async () => {
    const acme = await world.subscriber();
    const names = Array.from({ length: 1000 }, (_, place) => `slice-${place === 500 ? 499 : place}`);
    const results = await world.reportAll(names.map((name) => world.rows(acme, '0.01', { event_id: name })));
    expect(results.map((one) => one.event_id)).toEqual(names);
    expect(results.flatMap((one, place) => (one.status === 'duplicate' ? place : []))).toEqual([500]);
    const stored = await world.modules.run((tx) =>
      sql<{ event_id: string }>`
        select event_id from usage_event where external_customer_id = ${acme} order by seq`.execute(tx.db),
    );
    expect(stored.rows.map((row) => row.event_id)).toEqual([...new Set(names)]);
    expect(await world.balance(acme)).toBe('85.015');
  });

  it('are looked up by their ids in a young database too', async () => {
    const acme = await world.subscriber();
    for (let n = 0; n < 5; n++) await world.report(world.rows(acme, '0.01'));
    const event = {
      event_id: 'young',
      event_name: 'contact_enrich',
      customer_id: null,
      external_customer_id: acme,
      timestamp: null,
      source: null,
      properties: { rows: '1' },
    };
    /** With those of transactions before it that aren't published yet. */
    const scansOf = async (tx: Tx): Promise<number> => {
      const found = await sql<{ n: string }>`
        select seq_scan n from pg_stat_xact_user_tables where relname = 'usage_event'`.execute(tx.db);
      return Number(found.rows[0]!.n);
    };
    const scans = await world.modules.get(Agenda).runCurrent(world.modules.scope, async (tx) => {
      const before = await scansOf(tx);
      await world.modules.get(IngestionService).ingestIn(tx, { events: [event], path: () => '' });
      return (await scansOf(tx)) - before;
    });
    expect(scans).toBe(0);
  });

  /** 10 tables, 5 of them free, and 20 rows each. */
  const expectedBalances = (customers: string[]) => customers.map(() => '20');
});

describe('the time of an event', () => {
  it('up to five minutes ahead of the clock is now; more is refused', async () => {
    const acme = await world.subscriber();
    await world.report(world.table(acme, { event_id: 'ahead', timestamp: '2026-01-10T09:05:00Z' }));
    const trail = await world.modules.api.get('/events/ahead');
    expect(trail.body.event.timestamp).toBe('2026-01-10T09:00:00.000Z');
    const refused = await world.modules.api.post(
      '/events',
      world.table(acme, { timestamp: '2026-01-10T09:05:00.001Z' }),
    );
    expect([refused.status, refused.body.details.field]).toEqual([400, 'timestamp']);
  });

  it('more than 400 days back is refused', async () => {
    const old = { event_name: 'x', external_customer_id: 'a', timestamp: '2024-12-06T08:59:59.999Z' };
    const refused = await world.modules.api.post('/events', old);
    expect([refused.status, refused.body.details.field]).toEqual([400, 'timestamp']);
    expect((await world.report({ ...old, timestamp: '2024-12-06T09:00:00Z' })).status).toBe('accepted');
  });

  it('that is bad refuses the whole bulk request, naming index and field, and stores nothing', async () => {
    const acme = await world.subscriber();
    const events = [
      world.rows(acme, '1', { event_id: 'good' }),
      world.rows(acme, '1', { timestamp: '2027-01-01T00:00:00Z' }),
    ];
    const refused = await world.modules.api.post('/events/bulk', { events });
    expect([refused.status, refused.body.details.field]).toEqual([400, 'events[1].timestamp']);
    expect((await world.modules.api.get('/events/good')).status).toBe(404);
    expect(await world.balance(acme)).toBe('100');
  });
});

describe('an event that can not be billed yet', () => {
  it('of a customer not made yet burns when it is subscribed', async () => {
    const early = world.rows('later', '20', { event_id: 'early' });
    expect(await world.report(early)).toMatchObject({
      status: 'accepted',
      reason: 'unknown_customer',
      credits_burned: '0',
    });
    await world.made('/customers', { external_id: 'later' });
    expect((await world.modules.api.get('/events/early')).body.reason).toBe('no_match');
    await world.subscribe('later');
    expect(await world.balance('later')).toBe('70');
    const trail = await world.modules.api.get('/events/early');
    expect(trail.body).toMatchObject({ status: 'processed', reason: null, credits_burned: '30' });
  });

  it('burns when its customer takes the external id that it names', async () => {
    const acme = await world.subscriber();
    await world.report(world.rows('renamed', '20', { event_id: 'renamed' }));
    const { body } = await world.modules.api.get(`/customers/external/${acme}`);
    await world.modules.api.put(`/customers?id=${body.id as string}`, { external_id: 'renamed' });
    await world.modules.advanceTo('2026-01-10T09:00:00Z');
    expect(await world.balance('renamed')).toBe('70');
  });

  it('is found by its customer though both come in at the same moment', async () => {
    const names = Array.from({ length: 12 }, (_, place) => `moment-${place}`);
    await Promise.all(
      names.flatMap((name) => [
        world.report(world.rows(name, '20', { event_id: `first-${name}` })),
        world.made('/customers', { external_id: name }),
      ]),
    );
    for (const name of names) {
      const trail = await world.modules.api.get(`/events/first-${name}`);
      expect([name, trail.body.reason]).toEqual([name, 'no_match']);
    }
  });

  it('says why: no match, another customer, a property that is no number', async () => {
    const acme = await world.subscriber();
    const other = await world.customer();
    const otherId = (await world.modules.api.get(`/customers/external/${other}`)).body.id as string;
    expect((await world.report({ event_name: 'unheard', external_customer_id: acme })).reason).toBe('no_match');
    expect((await world.report(world.table(acme, { properties: { status: 'failed' } }))).reason).toBe('no_match');
    expect((await world.report(world.table(acme, { customer_id: otherId }))).reason).toBe('customer_mismatch');
    expect((await world.report(world.rows(acme, 'many'))).reason).toBe('bad_property');
    expect((await world.report(world.rows(acme, '-0'))).reason).toBeNull();
    expect(await world.balance(acme)).toBe('100');
  });

  it('of a past start counts in the periods it belongs to', async () => {
    const acme = await world.customer();
    await world.report(world.rows(acme, '20', { event_id: 'past', timestamp: '2026-01-02T00:00:00Z' }));
    await world.subscribe(acme, '2026-01-01T00:00:00Z');
    const trail = await world.modules.api.get('/events/past');
    expect(trail.body).toMatchObject({ status: 'processed', credits_burned: '30' });
    expect(await world.balance(acme)).toBe('70');
  });
});

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, place) =>
    list.slice(place * size, (place + 1) * size),
  );
}

/** The same order for the same seed. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return list
    .map((value) => ({ value, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

/** How many statements went to the database for this. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  const query = jest.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    return query.mock.calls.length;
  } finally {
    query.mockRestore();
  }
}
