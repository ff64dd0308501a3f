import { FeaturesService } from '@drawdown/features';
import { Transactions } from '@drawdown/platform';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Api, type Modules } from '../../support/modules.js';
import { productionScope } from '../../support/production-scope.js';
import { expectWireShape } from '../../support/wire-shape.js';

let modules: Modules;
let api: Api;
let names = 0;
const key = () => `key-${++names}`;

const counted = {
  name: 'Tables',
  type: 'metered',
  meter: {
    name: 'Tables created',
    event_name: 'table_create',
    aggregation: { type: 'COUNT' },
    filters: [{ key: 'status', values: ['success'] }],
    reset_usage: 'BILLING_PERIOD',
  },
};
const create = async (body: object) => {
  const answer = await api.post('/features', body);
  expect(answer.body).toMatchObject({ id: expect.stringMatching(/^feat_/) });
  expect(answer.status).toBe(201);
  return answer.body;
};
const count = async () => (await api.post('/features/search', {})).body.pagination.total as number;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  api = modules.api;
}, 60_000);

describe('a feature', () => {
  it('is created metered with a meter of its own, boolean or static, and shown with every declared key', async () => {
    const metered = await create({ ...counted, lookup_key: 'tables', unit_singular: 'table', unit_plural: 'tables' });
    expect(metered).toMatchObject({
      name: 'Tables',
      type: 'metered',
      lookup_key: 'tables',
      status: 'published',
      created_at: '2026-01-10T09:00:00.000Z',
      tenant_id: modules.scope.tenantId,
      environment_id: modules.scope.environmentId,
      meter_id: metered.meter.id,
      meter: {
        event_name: 'table_create',
        aggregation: { type: 'COUNT', field: null, multiplier: null, bucket_size: null, group_by: null },
        filters: [{ key: 'status', values: ['success'] }],
        reset_usage: 'BILLING_PERIOD',
      },
      alert_settings: null,
    });
    await expectWireShape('DtoFeatureResponse', metered);
    for (const type of ['boolean', 'static']) {
      const plain = await create({ name: type, type });
      expect(plain).toMatchObject({ type, meter_id: null, meter: null, lookup_key: null });
      await expectWireShape('DtoFeatureResponse', plain);
    }
  });

  it('may count by the meter of another, which lives until both are deleted', async () => {
    const first = await create(counted);
    const second = await create({ name: 'The same', type: 'metered', meter_id: first.meter_id });
    expect((await api.delete(`/features/${first.id}`)).status).toBe(200);
    expect((await api.get(`/features/${second.id}`)).body.meter).toMatchObject({ status: 'published' });
    expect((await api.delete(`/features/${second.id}`)).status).toBe(200);
    const third = await api.post('/features', { name: 'Too late', type: 'metered', meter_id: first.meter_id });
    expect([third.status, third.body.details.field]).toEqual([404, 'meter_id']);
  });

  it('is read by its id and changed in its texts and its filters only', async () => {
    const { id, meter } = await create(counted);
    expect((await api.get(`/features/${id}`)).body).toMatchObject({ id, meter });
    await modules.advanceTo('2026-01-11T09:00:00Z');
    const filters = [{ key: 'status', values: ['success', 'partial'] }];
    const change = { name: 'Renamed', description: 'all of them', unit_plural: 't', metadata: { a: 'b' }, filters };
    const answer = await api.put(`/features/${id}`, change);
    expect(answer.status).toBe(200);
    await expectWireShape('DtoFeatureResponse', answer.body);
    expect(answer.body).toMatchObject({
      name: 'Renamed',
      description: 'all of them',
      unit_plural: 't',
      metadata: { a: 'b' },
      updated_at: '2026-01-11T09:00:00.000Z',
      meter: { id: meter.id, name: 'Tables created', event_name: 'table_create', filters },
    });
    const cleared = await api.put(`/features/${id}`, { description: null, metadata: null });
    expect(cleared.body).toMatchObject({ name: 'Renamed', description: null, metadata: {}, unit_plural: 't' });
  });

  it('is archived by DELETE: gone from reading, found by its status, its lookup key free again', async () => {
    const { id } = await create({ name: 'Short', type: 'boolean', lookup_key: 'short' });
    const answer = await api.delete(`/features/${id}`);
    expect(answer.status).toBe(200);
    await expectWireShape('DtoSuccessResponse', answer.body);
    for (const again of [api.get(`/features/${id}`), api.put(`/features/${id}`, {}), api.delete(`/features/${id}`)]) {
      expect((await again).status).toBe(404);
    }
    const archived = await api.post('/features/search', { status: 'archived', feature_ids: [id] });
    expect(archived.body.items).toMatchObject([{ id, status: 'archived' }]);
    await create({ name: 'Its successor', type: 'boolean', lookup_key: 'short' });
  });

  it('is found by id, lookup key, meter and part of the name, newest first, in pages', async () => {
    const a = await create({ ...counted, name: 'Search 100%_a', lookup_key: key() });
    const b = await create({ name: 'search 100x b', type: 'boolean', lookup_key: key() });
    const found = async (query: object) => {
      const answer = await api.post('/features/search', query);
      expect(answer.status).toBe(200);
      await expectWireShape('DtoListFeaturesResponse', answer.body);
      return answer.body.items.map((item: { id: string }) => item.id);
    };
    expect(await found({ feature_ids: [a.id, b.id] })).toEqual([b.id, a.id]);
    expect(await found({ feature_ids: [a.id, b.id], order: 'asc', limit: 1, offset: 1 })).toEqual([b.id]);
    expect(await found({ lookup_key: a.lookup_key })).toEqual([a.id]);
    expect(await found({ lookup_keys: [a.lookup_key, b.lookup_key] })).toEqual([b.id, a.id]);
    expect(await found({ meter_ids: [a.meter_id], expand: 'meters' })).toEqual([a.id]);
    expect(await found({ name_contains: 'SEARCH 100%_' })).toEqual([a.id]);
    expect(await found({ feature_ids: [] })).toEqual([]);
    expect(await found({ status: 'deleted' })).toEqual([]);
  });
});

describe('bad input', () => {
  const meter = counted.meter;
  it.each<[string, object, string]>([
    ['an unknown field', { ...counted, colour: 'red' }, 'colour'],
    ['an unknown field of the meter', { ...counted, meter: { ...meter, colour: 'red' } }, 'meter.colour'],
    ['no name', { type: 'boolean' }, 'name'],
    ['a name that is no text', { name: 5, type: 'boolean' }, 'name'],
    ['an unknown type', { name: 'x', type: 'Boolean' }, 'type'],
    ['a meter that is a list', { ...counted, meter: [] }, 'meter'],
    ['a null among the filters', { ...counted, meter: { ...meter, filters: [null] } }, 'meter.filters'],
    [
      'a filter without values',
      { ...counted, meter: { ...meter, filters: [{ key: 'a', values: [] }] } },
      'meter.filters[0].values',
    ],
    [
      'a blank filter key',
      { ...counted, meter: { ...meter, filters: [{ key: ' ', values: ['a'] }] } },
      'meter.filters[0].key',
    ],
    [
      'an unknown aggregation',
      { ...counted, meter: { ...meter, aggregation: { type: 'P99' } } },
      'meter.aggregation.type',
    ],
    [
      'groups without buckets',
      { ...counted, meter: { ...meter, aggregation: { type: 'MAX', field: 'n', group_by: 'a' } } },
      'meter.aggregation.group_by',
    ],
    [
      'buckets of what is no maximum and no sum',
      { ...counted, meter: { ...meter, aggregation: { type: 'AVG', field: 'n', bucket_size: 'HOUR' } } },
      'meter.aggregation.bucket_size',
    ],
    ['a SUM of nothing', { ...counted, meter: { ...meter, aggregation: { type: 'SUM' } } }, 'meter.aggregation.field'],
    [
      'a multiplier that multiplies nothing',
      { ...counted, meter: { ...meter, aggregation: { type: 'COUNT', multiplier: '2' } } },
      'meter.aggregation.multiplier',
    ],
    [
      'a multiplier that is no number',
      { ...counted, meter: { ...meter, aggregation: { type: 'COUNT', multiplier: 'NaN' } } },
      'meter.aggregation.multiplier',
    ],
    [
      'buckets that are never reset',
      {
        ...counted,
        meter: { ...meter, reset_usage: 'NEVER', aggregation: { type: 'MAX', field: 'n', bucket_size: 'HOUR' } },
      },
      'meter.reset_usage',
    ],
    ['metered without a meter', { name: 'x', type: 'metered' }, 'meter'],
    ['two meters', { ...counted, meter_id: 'meter_x' }, 'meter_id'],
    ['a meter of a boolean feature', { ...counted, type: 'boolean' }, 'meter'],
    ['alerts', { name: 'x', type: 'boolean', alert_settings: { alert_enabled: true } }, 'alert_settings'],
    ['metadata that is no text', { name: 'x', type: 'boolean', metadata: { a: 1 } }, 'metadata'],
    ['a text that never ends', { name: 'x'.repeat(256), type: 'boolean' }, 'name'],
  ])('%s is refused by its name and changes nothing', async (_, body, field) => {
    const before = await count();
    const answer = await api.post('/features', body);
    expect([answer.status, answer.body.details.field]).toEqual([400, field]);
    expect(answer.body.error.message).toContain(field);
    await expectWireShape('ErrorsErrorDetail', answer.body.error);
    expect(await count()).toBe(before);
  });

  it('a NUL character is refused', async () => {
    expect((await api.post('/features', { name: 'a\u0000b', type: 'boolean' })).status).toBe(400);
  });

  it('a lookup key in use is 409, at creation and under a race', async () => {
    const lookup_key = key();
    const race = await Promise.all(
      [1, 2, 3].map((n) => api.post('/features', { ...counted, name: `${n}`, lookup_key })),
    );
    expect(race.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    const answer = await api.post('/features', { name: 'x', type: 'boolean', lookup_key });
    expect([answer.status, answer.body.code, answer.body.details.field]).toEqual([409, 'already_exists', 'lookup_key']);
  });

  it('the same idempotency key in a race gives the one answer, not the conflict of its lookup key', async () => {
    const body = { name: 'once', type: 'boolean', lookup_key: key() };
    const headers = { 'idempotency-key': key() };
    const race = await Promise.all([1, 2, 3].map(() => api.post('/features', body, headers)));
    expect(new Set(race.map((answer) => answer.body.id)).size).toBe(1);
    expect(race.map((answer) => answer.status)).toEqual([201, 201, 201]);
  });

  it.each<[string, object, string]>([
    ['filters of a boolean feature', { filters: [] }, 'filters'],
    ['the event name', { event_name: 'x' }, 'event_name'],
    ['the type', { type: 'static' }, 'type'],
  ])('%s can not be changed', async (_, body, field) => {
    const { id } = await create({ name: 'x', type: 'boolean' });
    const answer = await api.put(`/features/${id}`, body);
    expect([answer.status, answer.body.details.field]).toEqual([400, field]);
  });

  it.each<[string, object, string]>([
    ['a filter by any field', { filters: [{ field: 'name', operator: 'eq' }] }, 'filters'],
    ['a sort by any field', { sort: [{ field: 'name', direction: 'asc' }] }, 'sort'],
    ['an unknown expansion', { expand: 'prices' }, 'expand'],
    ['a page beyond all bounds', { limit: 1001 }, 'limit'],
    ['ids that are no texts', { feature_ids: [1] }, 'feature_ids'],
  ])('a search with %s is refused by its name', async (_, query, field) => {
    const answer = await api.post('/features/search', query);
    expect([answer.status, answer.body.details.field]).toEqual([400, field]);
  });

  it("another environment's feature and meter are not found", async () => {
    const other = await productionScope(modules);
    const theirs = await modules
      .get(Transactions)
      .run(other, (tx) => modules.get(FeaturesService).create(tx, counted as never));
    const before = await count();
    expect((await api.get(`/features/${theirs.id}`)).status).toBe(404);
    expect((await api.put(`/features/${theirs.id}`, { name: 'mine' })).status).toBe(404);
    expect((await api.delete(`/features/${theirs.id}`)).status).toBe(404);
    const borrowed = await api.post('/features', { name: 'x', type: 'metered', meter_id: theirs.meterId });
    expect([borrowed.status, borrowed.body.details.field]).toEqual([404, 'meter_id']);
    expect((await api.post('/features/search', { feature_ids: [theirs.id] })).body.items).toEqual([]);
    expect(await count()).toBe(before);
  });
});
