import { Flexprice } from '@flexprice/sdk';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { API_KEY } from '../../support/modules.js';
import { expectWireShape } from '../../support/wire-shape.js';
import { UsageWorld } from './usage-world.js';

let world: UsageWorld;
let client: Flexprice;
beforeAll(async () => {
  world = await UsageWorld.start('2026-01-10T09:00:00Z');
  client = new Flexprice({ serverURL: `${world.modules.url}/v1`, apiKeyAuth: API_KEY });
}, 60_000);

const event = { event_name: 'contact_enrich', external_customer_id: 'acme' };

describe('the published client', () => {
  it('reads the answers of both routes, and the trail', async () => {
    const acme = await world.subscriber();
    const one = {
      eventName: 'contact_enrich',
      externalCustomerId: acme,
      eventId: 'by-client',
      properties: { rows: '2' },
    };
    expect(await client.events.ingestEvent(one)).toMatchObject({
      message: 'Event accepted for processing',
      event_id: 'by-client',
      status: 'accepted',
      credits_burned: '3',
    });
    const bulk = await client.events.ingestEventsBulk({ events: [one, { ...one, eventId: 'by-client-2' }] });
    expect(JSON.parse(bulk.results!)).toMatchObject([
      { event_id: 'by-client', status: 'duplicate' },
      { event_id: 'by-client-2', status: 'accepted', credits_burned: '3' },
    ]);
    const trail = await client.events.getEvent('by-client');
    expect(trail).toMatchObject({ status: 'processed', processedEvents: [{ qtyTotal: '2' }] });
    const events = await client.events.listRawEvents({ externalCustomerId: acme });
    expect(events).toMatchObject({ totalCount: 2, hasMore: false });
  });
});

describe('a bad event is refused by the name of its field', () => {
  it.each<[string, unknown]>([
    ['body', 'text'],
    ['event_name', { external_customer_id: 'acme' }],
    ['event_name', { ...event, event_name: '' }],
    ['event_name', { ...event, event_name: 5 }],
    ['event_name', { ...event, event_name: 'é'.repeat(128) }],
    ['event_id', { ...event, event_id: 'x'.repeat(256) }],
    ['external_customer_id', { event_name: 'x' }],
    ['timestamp', { ...event, timestamp: 'yesterday' }],
    ['timestamp', { ...event, timestamp: '2026-01-10T09:00:00' }],
    ['timestamp', { ...event, timestamp: 1768035600 }],
    ['properties', { ...event, properties: [] }],
    ['properties.a', { ...event, properties: { a: { b: 1 } } }],
    ['properties.a', { ...event, properties: { a: null } }],
    ['properties.a', { ...event, properties: { a: 'x'.repeat(4097) } }],
    ['properties', { ...event, properties: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, 1])) }],
    ['colour', { ...event, colour: 'red' }],
  ])('%s', async (field, body) => {
    const answer =
      typeof body === 'string'
        ? await world.modules.api.post('/events').set('content-type', 'application/json').send(JSON.stringify(body))
        : await world.modules.api.post('/events', body as object);
    expect([answer.status, answer.body.details?.field]).toEqual([400, field]);
  });

  it.each<[string, object]>([
    ['events', {}],
    ['events', { events: [] }],
    ['events', { events: Array.from({ length: 1001 }, () => event) }],
    ['events[1].event_name', { events: [event, { external_customer_id: 'acme' }] }],
    ['events[2].properties.rows', { events: [event, event, { ...event, properties: { rows: [] } }] }],
    ['events[0].colour', { events: [{ ...event, colour: 'red' }] }],
    ['events[1].external_customer_id', { events: [event, { event_name: 'x' }] }],
    ['more', { events: [event], more: 1 }],
  ])('in bulk: %s', async (field, body) => {
    const answer = await world.modules.api.post('/events/bulk', body);
    expect([answer.status, answer.body.details?.field]).toEqual([400, field]);
  });

  it.each([
    ['NUL', '{"n":"a\\u0000"}'],
    ['a lone surrogate', '{"n":"\\udc00"}'],
    ['a nested value', '{"n":{"m":1}}'],
    ['1e400', '{"n":1e400}'],
  ])('in bulk, %s names index and field, and nothing is stored', async (_, properties) => {
    const good = '{"event_name":"x","external_customer_id":"a","event_id":"beside-bad"}';
    const body = `{"events":[${good},{"event_name":"x","external_customer_id":"a","properties":${properties}}]}`;
    const answer = await world.modules.api.post('/events/bulk').set('content-type', 'application/json').send(body);
    expect([answer.status, answer.body.details?.field]).toEqual([400, 'events[1].properties.n']);
    expect((await world.modules.api.get('/events/beside-bad')).status).toBe(404);
  });

  it.each([
    ['1e400', '{"event_name":"x","external_customer_id":"a","properties":{"n":1e400}}'],
    ['a NUL', '{"event_name":"x\\u0000","external_customer_id":"a"}'],
    ['a lone surrogate', '{"event_name":"x","external_customer_id":"a","properties":{"n":"\\ud800"}}'],
    ['no JSON', '{"event_name":'],
  ])('and %s is 400', async (_, body) => {
    const answer = await world.modules.api.post('/events').set('content-type', 'application/json').send(body);
    expect(answer.status).toBe(400);
  });
});

describe('a value that no meter can count', () => {
  it.each<[string, string | number]>([
    ['NaN', 'NaN'],
    ['infinity', 'Infinity'],
    ['an exponent out of range', '1e400'],
    ['27 digits', '9'.repeat(27)],
    ['13 places', '0.0000000000001'],
    ['a number that is not exact in JSON', 2 ** 53],
  ])('%s: the fact is kept, billed nothing, and says why', async (_, rows) => {
    const acme = await world.subscriber();
    const result = await world.report(world.rows(acme, rows));
    expect(result).toMatchObject({ status: 'accepted', credits_burned: '0', reason: 'bad_property' });
    const trail = (await world.modules.api.get(`/events/${result.event_id}`)).body;
    expect(trail.processed_events[0].problem).toContain('property "rows"');
    expect(await world.balance(acme)).toBe('100');
  });

  it('beside good ones in a request: those burn', async () => {
    const acme = await world.subscriber();
    const values = ['2', 'NaN', '-0', '2'];
    const results = await world.reportAll(values.map((rows) => world.rows(acme, rows)));
    expect(results.map((one) => [one.credits_burned, one.reason])).toEqual([
      ['3', null],
      ['0', 'bad_property'],
      ['0', null],
      ['3', null],
    ]);
  });
});

describe('an id twice in one request with other content', () => {
  it('is a duplicate that differs: the first one counts', async () => {
    const acme = await world.subscriber();
    const first = world.rows(acme, '2', { event_id: 'twice-here' });
    const results = await world.reportAll([first, world.rows(acme, '4', { event_id: 'twice-here' }), first]);
    expect(results.map((one) => [one.status, one.credits_burned, one.differs])).toEqual([
      ['accepted', '3', false],
      ['duplicate', '0', true],
      ['duplicate', '0', false],
    ]);
    expect(await world.balance(acme)).toBe('97');
  });
});

describe('the trail of an event', () => {
  it('leads to quantity, free units, price, lots and ledger entries', async () => {
    const acme = await world.subscriber();
    await world.reportAll([
      world.rows(acme, '20', { event_id: 'trail-rows' }),
      ...Array.from({ length: 6 }, (_, n) => world.table(acme, { event_id: `trail-table-${n}` })),
    ]);
    const trail = (await world.modules.api.get('/events/trail-table-5')).body;
    const [processed] = trail.processed_events;
    expect(processed).toMatchObject({
      qty_total: '1',
      free_quantity: '0',
      amount: '10',
      credits: '10',
      currency: 'usd',
    });
    expect(processed.price_id).toMatch(/^price/);
    expect(processed.feature_id).toMatch(/^feat/);
    const [entryId] = processed.ledger_entry_ids;
    const entry = trail.ledger_entries.find((one: { id: string }) => one.id === entryId);
    expect(entry).toMatchObject({
      credit_amount: '10',
      line_item_id: processed.sub_line_item_id,
      cause_id: trail.batch_id,
    });
    const free = (await world.modules.api.get('/events/trail-table-0')).body;
    expect(free).toMatchObject({
      status: 'processed',
      credits_burned: '0',
      processed_events: [{ free_quantity: '1', draws: [] }],
    });
  });

  it('of an unknown event is 404', async () => {
    expect((await world.modules.api.get('/events/never')).status).toBe(404);
  });

  it('shows at which lookup an unbilled event failed', async () => {
    await world.report({ event_name: 'x', external_customer_id: 'stranger', event_id: 'lost' });
    const trail = (await world.modules.api.get('/events/lost')).body;
    expect(await client.events.getEvent('lost')).toMatchObject({ status: 'failed' });
    expect(trail).toMatchObject({
      status: 'failed',
      reason: 'unknown_customer',
      debug_tracker: {
        customer_lookup: { status: 'not_found' },
        failure_point: { failure_point_type: 'customer_lookup' },
      },
    });
  });
});

describe('querying events', () => {
  it('pages by keys in both directions and filters', async () => {
    const acme = await world.customer();
    await world.reportAll(
      Array.from({ length: 5 }, (_, n) =>
        world.rows(acme, n, {
          event_id: `page-${n}`,
          source: n % 2 ? 'odd' : 'even',
          timestamp: `2026-01-10T08:00:0${n}Z`,
        }),
      ),
    );
    const query = async (body: object) =>
      (await world.modules.api.post('/events/query', { external_customer_id: acme, ...body })).body;
    const ids = (answer: { events: { id: string }[] }) => answer.events.map(({ id }) => id);
    const first = await query({ page_size: 2 });
    await expectWireShape('DtoGetEventsResponse', first);
    expect([ids(first), first.has_more, first.total_count]).toEqual([['page-4', 'page-3'], true, 5]);
    const second = await query({ page_size: 2, iter_last_key: first.iter_last_key });
    expect(ids(second)).toEqual(['page-2', 'page-1']);
    expect(ids(await query({ page_size: 2, iter_first_key: second.iter_first_key }))).toEqual(['page-4', 'page-3']);
    expect(ids(await query({ order: 'asc', page_size: 1, offset: 1 }))).toEqual(['page-1']);
    expect(ids(await query({ source: 'odd' }))).toEqual(['page-3', 'page-1']);
    expect(ids(await query({ property_filters: { rows: ['0', '4'] } }))).toEqual(['page-4', 'page-0']);
    expect(ids(await query({ start_time: '2026-01-10T08:00:01Z', end_time: '2026-01-10T08:00:03Z' }))).toHaveLength(2);
    const bad = await world.modules.api.post('/events/query', { iter_last_key: 'nonsense' });
    expect([bad.status, bad.body.details.field]).toEqual([400, 'iter_last_key']);
  });
});

describe('an event without an id', () => {
  it('is reported once when the request carries an idempotency key', async () => {
    const acme = await world.subscriber();
    const headers = { 'idempotency-key': 'retry-me' };
    const [first, second] = [
      await world.modules.api.post('/events', world.rows(acme, '20'), headers),
      await world.modules.api.post('/events', world.rows(acme, '20'), headers),
    ];
    expect(second.body).toEqual(first.body);
    expect(await world.balance(acme)).toBe('70');
    expect((await world.modules.api.post('/events', world.rows(acme, '21'), headers)).status).toBe(409);
  });
});
