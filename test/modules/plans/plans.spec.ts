import { PlansService, type Wanted } from '@drawdown/plans';
import { Transactions } from '@drawdown/platform';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules } from '../../support/modules.js';
import { productionScope } from '../../support/production-scope.js';
import { expectWireShape } from '../../support/wire-shape.js';
import { CatalogueWorld, fee, monthlyGrant, usage, type Answer } from './catalogue-world.js';

let world: CatalogueWorld;

beforeAll(async () => {
  world = new CatalogueWorld(await startModules({ at: '2026-01-10T09:00:00Z' }));
});

/** A plan with a price of each type, an entitlement and a grant. */
async function wholePlan(body: object = {}): Promise<Answer> {
  const plan = await world.plan(body);
  const feature = await world.metered();
  const fixed = await world.post('/prices', fee(plan.id, { trial_period: 14 }));
  const used = await world.post('/prices', usage(plan.id, feature.meter_id));
  const entitlement = await world.post('/entitlements', { plan_id: plan.id, feature_id: feature.id, usage_limit: 5 });
  const grant = await world.post('/creditgrants', monthlyGrant(plan.id));
  return { plan, feature, fixed, used, entitlement, grant };
}

describe('a plan', () => {
  it('is created empty and read with all it is made of, every declared key at every level', async () => {
    const created = await world.plan({
      lookup_key: 'starter',
      description: 'small teams',
      display_order: 1,
      metadata: { a: 'b' },
    });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^plan_/),
      name: 'Starter',
      lookup_key: 'starter',
      display_order: 1,
      status: 'published',
      prices: [],
      entitlements: [],
      credit_grants: [],
    });
    await expectWireShape('DtoPlanResponse', created);
    const { plan, fixed, used, entitlement, grant } = await wholePlan();
    const read = await world.get(`/plans/${plan.id}`);
    expect(read).toMatchObject({ prices: [fixed, used], entitlements: [entitlement], credit_grants: [grant] });
    await expectWireShape('DtoPlanResponse', read);
  });

  it('shows prices and grants that are offered now or will be', async () => {
    const { plan, fixed, used } = await wholePlan();
    await world.modules.api.delete(`/prices/${fixed.id}`);
    const coming = await world.post('/prices', fee(plan.id, { start_date: '2027-01-01T00:00:00Z' }));
    const { prices } = await world.get(`/plans/${plan.id}`);
    expect(prices.map((price: Answer) => price.id)).toEqual([used.id, coming.id]);
  });

  it('is found, with the parts that are asked for', async () => {
    const lookup_key = world.key();
    const { plan, fixed, used, entitlement, grant } = await wholePlan({ lookup_key });
    const bare = await world.post('/plans/search', { plan_ids: [plan.id] }, 200);
    expect(bare).toMatchObject({
      items: [{ id: plan.id, prices: null, entitlements: null, credit_grants: null }],
      pagination: { total: 1, limit: 50, offset: 0 },
    });
    const full = await world.post(
      '/plans/search',
      { lookup_key, expand: 'prices,entitlements,meters,features,creditgrants' },
      200,
    );
    expect(full.items).toMatchObject([{ prices: [fixed, used], entitlements: [entitlement], credit_grants: [grant] }]);
    await expectWireShape('DtoListPlansResponse', bare);
    await expectWireShape('DtoListPlansResponse', full);
  });

  it('lists its entitlements as the client reads them, with the keys of a plan', async () => {
    const { plan, entitlement } = await wholePlan();
    const list = await world.get(`/plans/${plan.id}/entitlements`);
    expect(list).toMatchObject({ items: [entitlement], pagination: { total: 1 }, id: null, credit_grants: null });
    await expectWireShape('DtoPlanResponse', list);
    await expectWireShape('DtoListEntitlementsResponse', list);
    for (const path of ['entitlements', 'creditgrants']) {
      expect((await world.modules.api.get(`/plans/plan_x/${path}`)).status).toBe(404);
    }
  });

  it('changes its texts', async () => {
    const { id } = await world.plan({ description: 'old' });
    const answer = await world.modules.api.put(`/plans/${id}`, {
      name: 'Growth',
      description: null,
      lookup_key: world.key(),
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: 'Growth', description: null });
    await expectWireShape('DtoPlanResponse', answer.body);
  });

  it('is archived with all it is made of, which frees lookup keys and features', async () => {
    const lookup_key = world.key();
    const { plan, feature, entitlement, used } = await wholePlan({ lookup_key });
    const { api } = world.modules;
    expect((await api.delete(`/features/${feature.id}`)).status).toBe(409);
    const answer = await api.delete(`/plans/${plan.id}`);
    expect(answer.status).toBe(200);
    await expectWireShape('DtoSuccessResponse', answer.body);
    for (const path of [`/plans/${plan.id}`, `/entitlements/${entitlement.id}`]) {
      expect((await api.get(path)).status).toBe(404);
    }
    expect(await world.get(`/prices/${used.id}`)).toMatchObject({ status: 'archived' });
    expect((await api.delete(`/features/${feature.id}`)).status).toBe(200);
    await world.plan({ lookup_key });
  });

  it('is not deleted while a subscription that has not ended is on it', async () => {
    const { plan } = await wholePlan();
    await world.post('/customers', { external_id: 'subscriber', name: 'Subscriber' });
    const subscription = await world.post('/subscriptions', {
      external_customer_id: 'subscriber',
      plan_id: plan.id,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
    });
    const refused = await world.modules.api.delete(`/plans/${plan.id}`);
    expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('subscriptions')]);
    expect((await world.get(`/plans/${plan.id}`)).prices).toHaveLength(2);
    await world.post(`/subscriptions/${subscription.id}/cancel`, { cancellation_type: 'immediate' }, 200);
    expect((await world.modules.api.delete(`/plans/${plan.id}`)).status).toBe(200);
    expect(await world.get(`/subscriptions/${subscription.id}`)).toMatchObject({ plan: { id: plan.id } });
  });

  it('is cloned with all it offers, under a name and without the lookup keys of its parts', async () => {
    const old = await world.plan({ description: 'first' });
    const feature = await world.metered();
    await world.post('/prices', fee(old.id, { lookup_key: world.key() }));
    await world.post('/prices', usage(old.id, feature.meter_id));
    await world.modules.api.delete(`/prices/${(await world.post('/prices', fee(old.id, { amount: '1' }))).id}`);
    await world.post('/entitlements', { plan_id: old.id, feature_id: feature.id, usage_limit: 10 });
    await world.post('/creditgrants', monthlyGrant(old.id));
    const copy = await world.post(`/plans/${old.id}/clone`, { name: 'Copy' });
    expect(copy).toMatchObject({ name: 'Copy', description: 'first', lookup_key: null });
    expect(copy.id).not.toBe(old.id);
    expect(copy.prices.map((price: Answer) => [price.amount, price.lookup_key, price.entity_id])).toEqual([
      ['149', null, copy.id],
      ['10', null, copy.id],
    ]);
    expect([copy.entitlements.length, copy.credit_grants.length]).toEqual([1, 1]);
    expect((await world.get(`/plans/${old.id}`)).prices).toHaveLength(2);
    expect((await world.modules.api.post('/plans/plan_x/clone', {})).status).toBe(404);
  });

  it.each<[string, object, string]>([
    ['an unknown field', { name: 'x', colour: 'red' }, 'colour'],
    ['no name', {}, 'name'],
    ['a name that is no text', { name: ['x'] }, 'name'],
    ['an order that is no number', { name: 'x', display_order: 'NaN' }, 'display_order'],
    ['an order below zero', { name: 'x', display_order: -1 }, 'display_order'],
    ['metadata that is a list', { name: 'x', metadata: [] }, 'metadata'],
  ])('with %s is refused by its name and changes nothing', async (_, body, field) => {
    const before = await world.count('plans');
    expect(await world.refusal('/plans', body)).toEqual([400, field]);
    expect(await world.count('plans')).toBe(before);
  });

  it('has its lookup key alone; another environment may use the same, and its plans are not found', async () => {
    const lookup_key = world.key();
    const { id } = await world.plan({ lookup_key });
    const { modules } = world;
    const theirs = await modules
      .get(Transactions)
      .run(await productionScope(modules), (tx) =>
        modules.get(PlansService).create(tx, { name: 'Theirs', lookup_key }),
      );
    expect(await world.refusal('/plans', { name: 'x', lookup_key })).toEqual([409, 'lookup_key']);
    const other = await world.plan();
    expect(await world.refusal(`/plans/${other.id}`, { lookup_key }, 'put')).toEqual([409, 'lookup_key']);
    const found = await world.post('/plans/search', { lookup_key }, 200);
    expect(found.items).toMatchObject([{ id }]);
    for (const answer of [
      modules.api.get(`/plans/${theirs.id}`),
      modules.api.put(`/plans/${theirs.id}`, { name: 'mine' }),
      modules.api.delete(`/plans/${theirs.id}`),
    ]) {
      expect((await answer).status).toBe(404);
    }
  });
});

describe('an offer', () => {
  const at = new Date('2026-01-10T09:00:00Z');
  const monthly: Wanted = { currency: 'usd', billingPeriod: 'MONTHLY', billingPeriodCount: 1, at };
  const offer = (planId: string, wanted: Partial<Wanted> = {}) =>
    world.modules.run((tx) => world.modules.get(PlansService).offer(tx, planId, { ...monthly, ...wanted }));

  it('is the prices of the currency with their meters, the entitlements with their features, the grants, the trial', async () => {
    const { plan, feature, fixed, used, entitlement, grant } = await wholePlan();
    await world.post('/prices', fee(plan.id, { currency: 'eur' }));
    const offered = await offer(plan.id);
    expect(offered.plan.id).toBe(plan.id);
    expect(offered.prices.map((price) => price.id)).toEqual([fixed.id, used.id]);
    expect([...offered.meters.keys()]).toEqual([feature.meter_id]);
    expect(offered.entitlements.map((one) => [one.entitlement.id, one.feature.id, one.meterId])).toEqual([
      [entitlement.id, feature.id, feature.meter_id],
    ]);
    expect(offered.grants.map((one) => one.id)).toEqual([grant.id]);
    expect(offered.trialDays).toBe(14);
    expect((await offer(plan.id, { trialDays: 0 })).trialDays).toBe(0);
  });

  it('is what was offered at its instant: from the start of a price to its end, grants alike', async () => {
    const plan = await world.plan();
    const span = { start_date: '2026-02-01T00:00:00Z', end_date: '2026-03-01T00:00:00Z' };
    const always = await world.post('/prices', fee(plan.id, { amount: '1' }));
    const february = await world.post('/prices', fee(plan.id, { amount: '2', ...span }));
    const grant = await world.post('/creditgrants', monthlyGrant(plan.id, span));
    const idsAt = async (instant: string) => {
      const { prices, grants } = await offer(plan.id, { at: new Date(instant) });
      return [...prices, ...grants].map((one) => one.id);
    };
    expect(await idsAt('2026-01-31T23:59:59.999Z')).toEqual([always.id]);
    expect(await idsAt('2026-02-01T00:00:00Z')).toEqual([always.id, february.id, grant.id]);
    expect(await idsAt('2026-03-01T00:00:00Z')).toEqual([always.id]);
    await world.modules.api.delete(`/prices/${always.id}`);
    expect(await idsAt('2026-01-10T08:59:59.999Z')).toEqual([always.id]);
    await expect(offer(plan.id)).rejects.toMatchObject({ status: 400 });
  });

  it('says what is available where there is none', async () => {
    const plan = await world.plan();
    await expect(offer(plan.id)).rejects.toMatchObject({ status: 400, details: { field: 'currency' } });
    await world.post('/prices', fee(plan.id, { currency: 'eur' }));
    await expect(offer(plan.id)).rejects.toThrow(/currency usd .* eur/);
    await expect(offer(plan.id, { currency: 'eur', billingPeriod: 'ANNUAL' })).rejects.toThrow(
      /billing_period ANNUAL .* MONTHLY/,
    );
    await expect(offer('plan_x')).rejects.toMatchObject({ status: 404, details: { field: 'plan_id' } });
    await world.modules.api.delete(`/plans/${plan.id}`);
    await expect(offer(plan.id, { currency: 'eur' })).rejects.toMatchObject({ status: 404 });
  });
});
