import { FeaturesService } from '@drawdown/features';
import { Transactions } from '@drawdown/platform';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules } from '../../support/modules.js';
import { productionScope } from '../../support/production-scope.js';
import { expectWireShape } from '../../support/wire-shape.js';
import { CatalogueWorld, monthlyGrant, usage, type Answer } from './catalogue-world.js';

let world: CatalogueWorld;
let plan: Answer;

beforeAll(async () => {
  world = new CatalogueWorld(await startModules({ at: '2026-01-10T09:00:00Z' }));
  plan = await world.plan();
});

describe('an entitlement', () => {
  it('gives so many units, a value, or the feature, and is shown with every declared key', async () => {
    const [tables, seats, exporting] = [
      await world.metered(),
      await world.feature('static'),
      await world.feature('boolean'),
    ];
    const limited = await world.post('/entitlements', {
      plan_id: plan.id,
      feature_id: tables.id,
      feature_type: 'metered',
      usage_limit: 5,
      usage_reset_period: 'MONTHLY',
      is_soft_limit: true,
    });
    expect(limited).toMatchObject({
      id: expect.stringMatching(/^ent_/),
      entity_type: 'PLAN',
      entity_id: plan.id,
      plan_id: plan.id,
      usage_limit: 5,
      usage_reset_period: 'MONTHLY',
      is_enabled: true,
      is_soft_limit: true,
      static_value: null,
      feature: { id: tables.id, meter: { id: tables.meter_id } },
    });
    const fixed = await world.post('/entitlements', {
      entity_type: 'PLAN',
      entity_id: plan.id,
      feature_id: seats.id,
      static_value: 'ten',
    });
    expect(fixed).toMatchObject({ feature_type: 'static', static_value: 'ten', usage_limit: null });
    const off = await world.post('/entitlements', { plan_id: plan.id, feature_id: exporting.id, is_enabled: false });
    expect(off).toMatchObject({ feature_type: 'boolean', is_enabled: false });
    for (const answer of [limited, fixed, off]) {
      await expectWireShape('DtoEntitlementResponse', answer);
      expect(await world.get(`/entitlements/${answer.id}`)).toEqual(answer);
    }
  });

  it('is changed in its terms: what is left out stays, null takes the limit away', async () => {
    const { id: feature_id } = await world.metered();
    const { id } = await world.post('/entitlements', {
      plan_id: plan.id,
      feature_id,
      usage_limit: '0',
      usage_reset_period: 'MONTHLY',
    });
    const put = async (body: object) => (await world.modules.api.put(`/entitlements/${id}`, body)).body;
    expect(await put({ is_soft_limit: true })).toMatchObject({ usage_limit: 0, is_soft_limit: true });
    const free = await put({ usage_limit: null, usage_reset_period: null, is_enabled: false });
    expect(free).toMatchObject({ usage_limit: null, usage_reset_period: null, is_enabled: false, is_soft_limit: true });
    await expectWireShape('DtoEntitlementResponse', free);
  });

  it('is deleted, and the plan may give the feature again; while it stands, the feature stays', async () => {
    const { api } = world.modules;
    const { id: feature_id } = await world.feature('boolean');
    const { id } = await world.post('/entitlements', { plan_id: plan.id, feature_id });
    const refused = await api.delete(`/features/${feature_id}`);
    expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('entitlement')]);
    const answer = await api.delete(`/entitlements/${id}`);
    expect(answer.status).toBe(200);
    await expectWireShape('DtoSuccessResponse', answer.body);
    expect((await api.get(`/entitlements/${id}`)).status).toBe(404);
    expect((await api.delete(`/entitlements/${id}`)).status).toBe(404);
    const again = await world.post('/entitlements', { plan_id: plan.id, feature_id });
    await api.delete(`/entitlements/${again.id}`);
    expect((await api.delete(`/features/${feature_id}`)).status).toBe(200);
    const found = await world.post('/entitlements/search', { status: 'archived', feature_ids: [feature_id] }, 200);
    expect(found.items).toMatchObject([{ feature: { status: 'archived' } }, { feature: { status: 'archived' } }]);
  });

  it('is found by plan, feature and what it gives', async () => {
    const own = await world.plan();
    const [a, b] = [await world.metered(), await world.feature('boolean')];
    const first = await world.post('/entitlements', { plan_id: own.id, feature_id: a.id });
    const second = await world.post('/entitlements', { plan_id: own.id, feature_id: b.id, is_enabled: false });
    const found = async (query: object) => {
      const answer = await world.post('/entitlements/search', query, 200);
      await expectWireShape('DtoListEntitlementsResponse', answer);
      return answer.items.map((item: Answer) => item.id);
    };
    expect(await found({ plan_ids: [own.id], expand: 'features,meters,plans' })).toEqual([second.id, first.id]);
    expect(await found({ entity_ids: [own.id], entity_type: 'PLAN', feature_type: 'metered' })).toEqual([first.id]);
    expect(await found({ plan_ids: [own.id], is_enabled: false })).toEqual([second.id]);
    expect(await found({ feature_ids: [a.id] })).toEqual([first.id]);
    expect(await found({ entity_type: 'ADDON' })).toEqual([]);
  });

  it('is created with many others or not at all', async () => {
    const own = await world.plan();
    const [a, b] = [await world.feature('boolean'), await world.feature('static')];
    const item = (feature: Answer, more: object = {}) => ({ plan_id: own.id, feature_id: feature.id, ...more });
    const before = await world.count('entitlements');
    const wrong = { items: [item(a), item(b)] };
    expect(await world.refusal('/entitlements/bulk', wrong)).toEqual([400, 'items[1].static_value']);
    expect(await world.count('entitlements')).toBe(before);
    const answer = await world.post('/entitlements/bulk', { items: [item(a), item(b, { static_value: 'x' })] });
    await expectWireShape('DtoCreateBulkEntitlementResponse', answer);
    expect(answer.items).toHaveLength(2);
  });

  it.each<[string, 'metered' | 'boolean' | 'static', object, string]>([
    ['an unknown field', 'boolean', { colour: 'red' }, 'colour'],
    ['another type', 'boolean', { feature_type: 'metered' }, 'feature_type'],
    ['a limit below zero', 'metered', { usage_limit: -1 }, 'usage_limit'],
    ['half a unit', 'metered', { usage_limit: 0.5 }, 'usage_limit'],
    ['a limit that is no number', 'metered', { usage_limit: 'NaN' }, 'usage_limit'],
    ['a limit of a switch', 'boolean', { usage_limit: 1 }, 'usage_limit'],
    ['a window of a switch', 'boolean', { usage_reset_period: 'MONTHLY' }, 'usage_reset_period'],
    ['a soft switch', 'boolean', { is_soft_limit: true }, 'is_soft_limit'],
    ['a value of a switch', 'boolean', { static_value: 'x' }, 'static_value'],
    ['no value', 'static', {}, 'static_value'],
    ['a window there is not', 'metered', { usage_limit: 1, usage_reset_period: 'HOURLY' }, 'usage_reset_period'],
    ['a switch that is no boolean', 'boolean', { is_enabled: 'yes' }, 'is_enabled'],
    ['a start', 'boolean', { start_date: '2026-01-01T00:00:00Z' }, 'start_date'],
    ['something else than a plan', 'boolean', { entity_type: 'ADDON' }, 'entity_type'],
    ['two plans', 'boolean', { entity_id: 'plan_x' }, 'entity_id'],
    ['no plan', 'boolean', { plan_id: null }, 'plan_id'],
  ])('with %s is refused by its name and changes nothing', async (_, type, change, field) => {
    const { id: feature_id } = type === 'metered' ? await world.metered() : await world.feature(type);
    const before = await world.count('entitlements');
    expect(await world.refusal('/entitlements', { plan_id: plan.id, feature_id, ...change })).toEqual([400, field]);
    expect(await world.count('entitlements')).toBe(before);
  });

  it('has a window of its own only where the usage it frees can be free by it, whichever comes first', async () => {
    const own = await world.plan();
    const counted = await world.metered();
    const greatest = await world.post('/features', {
      name: 'Seats',
      type: 'metered',
      meter: { event_name: world.key(), aggregation: { type: 'MAX', field: 'n' } },
    });
    const daily = { plan_id: own.id, usage_limit: 1, usage_reset_period: 'DAILY' };
    await world.post('/prices', usage(own.id, greatest.meter_id));
    expect(await world.refusal('/entitlements', { ...daily, feature_id: greatest.id })).toEqual([
      400,
      'usage_reset_period',
    ]);
    await world.post('/entitlements', { ...daily, feature_id: counted.id });
    await world.post('/prices', usage(own.id, counted.meter_id));
    const other = await world.plan();
    await world.post('/entitlements', { ...daily, plan_id: other.id, feature_id: greatest.id });
    expect(await world.refusal('/prices', usage(other.id, greatest.meter_id))).toEqual([400, 'usage_reset_period']);
  });

  it('is one per plan and feature, also in a race; unknown plans and features are not found', async () => {
    const { modules } = world;
    const { id: feature_id } = await world.metered();
    const race = [1, 2, 3].map(() => modules.api.post('/entitlements', { plan_id: plan.id, feature_id }));
    expect((await Promise.all(race)).map((answer) => answer.status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    const theirs = await modules
      .get(Transactions)
      .run(await productionScope(modules), (tx) =>
        modules.get(FeaturesService).create(tx, { name: 'x', type: 'boolean' }),
      );
    const missing = { plan_id: plan.id, feature_id: theirs.id };
    expect(await world.refusal('/entitlements', missing)).toEqual([404, 'feature_id']);
    expect(await world.refusal('/entitlements', { plan_id: 'plan_x', feature_id })).toEqual([404, 'plan_id']);
    expect(await world.refusal('/entitlements', { entity_id: 'plan_x', feature_id })).toEqual([404, 'entity_id']);
    expect((await modules.api.put('/entitlements/ent_x', {})).status).toBe(404);
  });
});

describe('a credit grant', () => {
  it('gives credits once or again and again, and is shown with every declared key', async () => {
    const monthly = await world.post('/creditgrants', monthlyGrant(plan.id, { priority: 2, conversion_rate: '0.010' }));
    expect(monthly).toMatchObject({
      id: expect.stringMatching(/^grant_/),
      scope: 'PLAN',
      plan_id: plan.id,
      credits: '2000',
      period: 'MONTHLY',
      period_count: 1,
      expiration_type: 'BILLING_CYCLE',
      priority: 2,
      conversion_rate: '0.01',
      topup_conversion_rate: null,
    });
    const once = await world.post('/creditgrants', {
      name: 'Trial credits',
      scope: 'PLAN',
      plan_id: plan.id,
      cadence: 'ONETIME',
      credits: 100,
      expiration_type: 'DURATION',
      expiration_duration: 14,
      expiration_duration_unit: 'DAY',
    });
    expect(once).toMatchObject({
      credits: '100',
      period: null,
      expiration_duration: 14,
      expiration_duration_unit: 'DAY',
    });
    const { expiration_type: _, ...lasting } = monthlyGrant(plan.id);
    expect(await world.post('/creditgrants', lasting)).toMatchObject({ expiration_type: 'NEVER' });
    for (const grant of [monthly, once]) {
      await expectWireShape('DtoCreditGrantResponse', grant);
      expect(await world.get(`/creditgrants/${grant.id}`)).toEqual(grant);
    }
  });

  it('changes its name and metadata only, and ends now or at a date', async () => {
    const { api } = world.modules;
    const own = await world.plan();
    const { id } = await world.post('/creditgrants', monthlyGrant(own.id));
    const renamed = await api.put(`/creditgrants/${id}`, { name: 'Renamed', metadata: { a: 'b' } });
    expect([renamed.status, renamed.body.name, renamed.body.metadata]).toEqual([200, 'Renamed', { a: 'b' }]);
    await expectWireShape('DtoCreditGrantResponse', renamed.body);
    expect(await world.refusal(`/creditgrants/${id}`, { credits: '1' }, 'put')).toEqual([400, 'credits']);
    const listed = async () => {
      const answer = await world.get(`/plans/${own.id}/creditgrants`);
      await expectWireShape('DtoListCreditGrantsResponse', answer);
      return answer.items.map((item: Answer) => item.id);
    };
    expect((await api.delete(`/creditgrants/${id}`).send({ effective_date: '2026-12-01T00:00:00Z' })).status).toBe(200);
    expect(await listed()).toEqual([id]);
    const ended = await api.delete(`/creditgrants/${id}`);
    expect(ended.status).toBe(200);
    await expectWireShape('DtoSuccessResponse', ended.body);
    expect(await listed()).toEqual([]);
    expect(await world.get(`/creditgrants/${id}`)).toMatchObject({
      end_date: '2026-01-10T09:00:00.000Z',
      status: 'archived',
    });
  });

  it.each<[string, object, string]>([
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['no credits', { credits: '0' }, 'credits'],
    ['credits below zero', { credits: '-5' }, 'credits'],
    ['more credits than can be kept', { credits: '1000000000000001' }, 'credits'],
    ['credits that are no number', { credits: 'Infinity' }, 'credits'],
    ['a rate of nothing', { conversion_rate: '0' }, 'conversion_rate'],
    ['a recurring grant without a period', { period: null }, 'period'],
    ['a one-time grant with a period', { cadence: 'ONETIME' }, 'period'],
    ['a period there is not', { period: 'HOURLY' }, 'period'],
    ['a count of nothing', { period_count: 0 }, 'period_count'],
    ['a duration without DURATION', { expiration_duration: 5 }, 'expiration_duration'],
    ['a unit without DURATION', { expiration_duration_unit: 'DAY' }, 'expiration_duration_unit'],
    [
      'DURATION without a duration',
      { expiration_type: 'DURATION', expiration_duration_unit: 'DAY' },
      'expiration_duration',
    ],
    ['DURATION without a unit', { expiration_type: 'DURATION', expiration_duration: 5 }, 'expiration_duration_unit'],
    [
      'more than a hundred years',
      { expiration_type: 'DURATION', expiration_duration: 101, expiration_duration_unit: 'YEAR' },
      'expiration_duration',
    ],
    ['half a priority', { priority: 1.5 }, 'priority'],
    ['a priority beyond all bounds', { priority: 2 ** 31 }, 'priority'],
    ['an end before the start', { start_date: '2026-02-01T00:00:00Z', end_date: '2026-01-01T00:00:00Z' }, 'end_date'],
    ['a subscription of its own', { scope: 'SUBSCRIPTION', subscription_id: 'sub_x' }, 'scope'],
    ['a plan and a subscription', { subscription_id: 'sub_x' }, 'subscription_id'],
    ['no plan', { plan_id: null }, 'plan_id'],
  ])('with %s is refused by its name and changes nothing', async (_, change, field) => {
    const own = await world.plan();
    expect(await world.refusal('/creditgrants', monthlyGrant(own.id, change))).toEqual([400, field]);
    expect((await world.get(`/plans/${own.id}/creditgrants`)).items).toEqual([]);
  });

  it('of an unknown plan is not found', async () => {
    expect(await world.refusal('/creditgrants', monthlyGrant('plan_x'))).toEqual([404, 'plan_id']);
    expect((await world.modules.api.get('/creditgrants/grant_x')).status).toBe(404);
    expect((await world.modules.api.delete('/creditgrants/grant_x')).status).toBe(404);
  });
});
