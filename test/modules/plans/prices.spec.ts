import { FeaturesService } from '@drawdown/features';
import { PlansService } from '@drawdown/plans';
import { Transactions } from '@drawdown/platform';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules } from '../../support/modules.js';
import { productionScope } from '../../support/production-scope.js';
import { expectWireShape } from '../../support/wire-shape.js';
import { CatalogueWorld, fee, usage, type Answer } from './catalogue-world.js';

const tiered = (tier_mode: string, tiers: object[]) => ({ billing_model: 'TIERED', amount: null, tier_mode, tiers });

let world: CatalogueWorld;
let plan: Answer;
let feature: Answer;

beforeAll(async () => {
  world = new CatalogueWorld(await startModules({ at: '2026-01-10T09:00:00Z' }));
  plan = await world.plan();
  feature = await world.metered();
});

describe('a price', () => {
  it('is created for a time or for use and shown with every declared key, amounts as text', async () => {
    const fixed = await world.post(
      '/prices',
      fee(plan.id, { trial_period: 14, lookup_key: 'fee', metadata: { a: 'b' } }),
    );
    expect(fixed).toMatchObject({
      id: expect.stringMatching(/^price_/),
      entity_type: 'PLAN',
      entity_id: plan.id,
      type: 'FIXED',
      amount: '149',
      display_amount: '$149.00',
      currency: 'usd',
      billing_cadence: 'RECURRING',
      billing_period_count: 1,
      price_unit_type: 'FIAT',
      trial_period: 14,
      meter: null,
      status: 'published',
    });
    await expectWireShape('DtoPriceResponse', fixed);
    const used = await world.post('/prices', usage(plan.id, feature.meter_id, { amount: '1.50' }));
    expect(used).toMatchObject({ amount: '1.5', display_amount: '$1.50', meter: { id: feature.meter_id } });
    await expectWireShape('DtoPriceResponse', used);
    expect(await world.get(`/prices/${used.id}`)).toEqual(used);
  });

  it('takes what a person would write: a number, the newer name of the trial, no word for what has one value', async () => {
    const {
      billing_cadence: _1,
      price_unit_type: _2,
      invoice_cadence: _3,
      ...short
    } = usage(plan.id, feature.meter_id);
    await world.modules.api.delete(
      `/prices/${(await world.post('/prices/search', { meter_ids: [feature.meter_id] }, 200)).items[0].id}`,
    );
    const price = await world.post('/prices', { ...short, amount: 0.1, trial_period_days: '7' });
    expect(price).toMatchObject({ amount: '0.1', invoice_cadence: 'ARREAR', trial_period: 7 });
  });

  it('changes its texts in place, and refuses money that makes no price', async () => {
    const price = await world.post('/prices', fee(plan.id));
    const texts = { display_name: 'Starter', description: 'a month', lookup_key: world.key(), metadata: { c: 'd' } };
    const answer = await world.modules.api.put(`/prices/${price.id}`, texts);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ...texts, amount: '149' });
    await expectWireShape('DtoPriceResponse', answer.body);
    for (const [field, value] of [
      ['amount', '-1'],
      ['effective_from', '2026-02-01T00:00:00Z'],
      ['tiers', [{ unit_amount: '1' }]],
      ['tier_mode', 'SLAB'],
      ['transform_quantity', { divide_by: 10 }],
      ['currency', 'eur'],
    ] as const) {
      expect(await world.refusal(`/prices/${price.id}`, { [field]: value }, 'put')).toEqual([400, field]);
    }
    expect(await world.get(`/prices/${price.id}`)).toEqual(answer.body);
  });

  it.each<[string, object, object]>([
    [
      'packages',
      { billing_model: 'PACKAGE', amount: '5', transform_quantity: { divide_by: 1000, round: 'down' } },
      { transform_quantity: { divide_by: 1000, round: 'down' }, display_amount: '$5.00' },
    ],
    [
      'tiers',
      tiered('VOLUME', [{ up_to: '100', unit_amount: 2, flat_amount: '1.5' }, { unit_amount: '0.5' }]),
      {
        tier_mode: 'VOLUME',
        amount: '0',
        display_amount: '$2.00',
        tiers: [
          { up_to: 100, unit_amount: '2', flat_amount: '1.5' },
          { up_to: null, unit_amount: '0.5', flat_amount: null },
        ],
      },
    ],
    ['a minimum', { min_quantity: 5 }, { min_quantity: '5' }],
    [
      'three half years in yen',
      { billing_period: 'HALF_YEARLY', billing_period_count: 3, currency: 'JPY' },
      { currency: 'jpy' },
    ],
  ])('may be of %s, for a time and for use', async (_, terms, shown) => {
    const counted = await world.metered();
    for (const body of [fee(plan.id, terms), usage(plan.id, counted.meter_id, terms)]) {
      const price = await world.post('/prices', body);
      expect(price).toMatchObject(shown);
      await expectWireShape('DtoPriceResponse', price);
    }
  });

  it('charges a meter once at a time', async () => {
    const counted = await world.metered();
    const first = usage(plan.id, counted.meter_id, { end_date: '2026-03-01T00:00:00Z' });
    await world.post('/prices', first);
    expect(await world.refusal('/prices', usage(plan.id, counted.meter_id))).toEqual([400, 'meter_id']);
    await world.post('/prices', usage(plan.id, counted.meter_id, { currency: 'eur' }));
    await world.post('/prices', usage(plan.id, counted.meter_id, { start_date: '2026-03-01T00:00:00Z' }));
  });

  it('has versions: each is offered until the next begins, and has its name', async () => {
    const lookup_key = world.key();
    const first = await world.post('/prices', fee(plan.id, { lookup_key }));
    const put = (id: string, body: object) => world.modules.api.put(`/prices/${id}`, body);
    const { body: second } = await put(first.id, { amount: '159', effective_from: '2026-02-01T00:00:00Z' });
    expect(second).toMatchObject({
      amount: '159',
      parent_price_id: first.id,
      start_date: '2026-02-01T00:00:00.000Z',
      lookup_key,
    });
    await expectWireShape('DtoPriceResponse', second);
    expect(await world.get(`/prices/${first.id}`)).toMatchObject({ amount: '149', end_date: second.start_date });
    expect(await world.get(`/prices/lookup/${lookup_key}`)).toMatchObject({ id: first.id });
    const { body: third } = await put(second.id, { amount: '169', effective_from: '2026-03-01T00:00:00Z' });
    expect(third).toMatchObject({ parent_price_id: first.id });
    for (const effective_from of ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z']) {
      expect(await world.refusal(`/prices/${second.id}`, { amount: '1', effective_from }, 'put')).toEqual([
        400,
        'effective_from',
      ]);
    }
    const versions = await world.post('/prices/search', { parent_price_id: first.id }, 200);
    expect(versions.items.map((one: Answer) => one.amount)).toEqual(expect.arrayContaining(['159', '169']));
    expect(await world.refusal('/prices', fee(plan.id, { lookup_key }))).toEqual([409, 'lookup_key']);
    expect((await world.modules.api.get('/prices/lookup/nobody')).status).toBe(404);
  });

  it('keeps of an older version what a change leaves out', async () => {
    const terms = { billing_model: 'PACKAGE', amount: '5', transform_quantity: { divide_by: 10, round: 'down' } };
    const { id } = await world.post('/prices', fee(plan.id, terms));
    const { body } = await world.modules.api.put(`/prices/${id}`, { amount: '6', display_name: 'Pack' });
    expect(body).toMatchObject({ ...terms, amount: '6', display_name: 'Pack' });
    expect(await world.get(`/prices/${id}`)).toMatchObject({ amount: '5', status: 'archived' });
  });

  it('ends now or at a date, keeps its end, and frees its lookup key and its meter once it has', async () => {
    const { api } = world.modules;
    const counted = await world.metered();
    const price = await world.post('/prices', usage(plan.id, counted.meter_id, { lookup_key: 'ending' }));
    const later = await api.delete(`/prices/${price.id}`).send({ end_date: '2026-01-20T00:00:00+01:00' });
    expect(later.status).toBe(200);
    await expectWireShape('DtoSuccessResponse', later.body);
    expect(await world.get(`/prices/${price.id}`)).toMatchObject({
      end_date: '2026-01-19T23:00:00.000Z',
      status: 'published',
    });
    expect((await api.delete(`/features/${counted.id}`)).status).toBe(409);
    expect((await api.delete(`/prices/${price.id}`)).status).toBe(200);
    const ended = await world.get(`/prices/${price.id}`);
    expect(ended).toMatchObject({ end_date: '2026-01-10T09:00:00.000Z', status: 'archived' });
    expect((await api.delete(`/prices/${price.id}`)).status).toBe(200);
    expect((await api.delete(`/prices/${price.id}`).send({ end_date: '2027-01-01T00:00:00Z' })).status).toBe(409);
    expect(await world.get(`/prices/${price.id}`)).toMatchObject({ end_date: ended.end_date });
    expect((await api.delete(`/features/${counted.id}`)).status).toBe(200);
    await world.post('/prices', fee(plan.id, { lookup_key: 'ending' }));
  });

  it('is never left on a meter that is deleted at the same time', async () => {
    const { api } = world.modules;
    for (let round = 0; round < 10; round++) {
      const counted = await world.metered();
      const [deleted, priced] = await Promise.all([
        api.delete(`/features/${counted.id}`),
        api.post('/prices', usage(plan.id, counted.meter_id)),
      ]);
      expect(['200 404', '409 201']).toContain(`${deleted.status} ${priced.status}`);
    }
  });

  it('that is still to start ends at its start, never having been offered', async () => {
    const price = await world.post('/prices', fee(plan.id, { start_date: '2026-06-01T00:00:00Z' }));
    const { api } = world.modules;
    const early = await api.delete(`/prices/${price.id}`).send({ end_date: '2026-05-01T00:00:00Z' });
    expect([early.status, early.body.details.field]).toEqual([400, 'end_date']);
    expect((await api.delete(`/prices/${price.id}`)).status).toBe(200);
    expect(await world.get(`/prices/${price.id}`)).toMatchObject({
      end_date: '2026-06-01T00:00:00.000Z',
      status: 'archived',
    });
  });

  it('is found by plan, meter, id and time, ended ones only where asked', async () => {
    const own = await world.plan();
    const a = await world.post('/prices', fee(own.id));
    const b = await world.post('/prices', usage(own.id, feature.meter_id, { start_date: '2026-03-01T00:00:00Z' }));
    const c = await world.post('/prices', fee(own.id, { currency: 'eur' }));
    await world.modules.api.delete(`/prices/${c.id}`);
    const found = async (query: object) => {
      const answer = await world.post('/prices/search', query, 200);
      await expectWireShape('DtoListPricesResponse', answer);
      return answer.items.map((item: Answer) => item.id);
    };
    expect(await found({ plan_ids: [own.id], allow_expired_prices: false })).toEqual([b.id, a.id]);
    expect(await found({ entity_ids: [own.id], entity_type: 'PLAN', allow_expired_prices: true })).toEqual([
      c.id,
      b.id,
      a.id,
    ]);
    expect(await found({ plan_ids: [own.id], status: 'archived' })).toEqual([c.id]);
    expect(await found({ plan_ids: [own.id], meter_ids: [feature.meter_id] })).toEqual([b.id]);
    expect(await found({ price_ids: [a.id], order: 'asc' })).toEqual([a.id]);
    expect(await found({ plan_ids: [own.id], start_date_lt: '2026-03-01T00:00:00Z' })).toEqual([a.id]);
    expect(await found({ plan_ids: [own.id], entity_ids: [plan.id] })).toEqual([]);
    expect(await found({ entity_type: 'ADDON' })).toEqual([]);
    const withPlan = await world.post('/prices/search', { price_ids: [a.id], expand: 'plans,meters' }, 200);
    expect(withPlan.items[0].plan).toMatchObject({ id: own.id, prices: null });
    await expectWireShape('DtoListPricesResponse', withPlan);
  });
});

describe('many prices at once', () => {
  it('are all created', async () => {
    const own = await world.plan();
    const items = Array.from({ length: 100 }, (_, n) => fee(own.id, { amount: n }));
    const answer = await world.post('/prices/bulk', { items });
    await expectWireShape('DtoCreateBulkPriceResponse', answer);
    expect(answer.items.map((price: Answer) => price.amount)).toEqual(items.map((item) => String(item.amount)));
  });

  it.each<[string, (planId: unknown) => object[], number, string]>([
    ['a wrong amount', (id) => [fee(id), fee(id, { amount: '-1' })], 400, 'items[1].amount'],
    ['usage without a meter', (id) => [fee(id), fee(id), usage(id, null)], 400, 'items[2].meter_id'],
    ['an unknown plan', (id) => [fee(id), fee('plan_x')], 404, 'items[1].entity_id'],
    [
      'a lookup key twice',
      (id) => [fee(id, { lookup_key: 'twice' }), fee(id, { lookup_key: 'twice' })],
      409,
      'items[1].lookup_key',
    ],
    ['null', (id) => [fee(id), null as never], 400, 'items'],
    ['none', () => [], 400, 'items'],
    ['too many', (id) => Array.from({ length: 101 }, () => fee(id)), 400, 'items'],
  ])('are none created with %s among them', async (_, items, status, field) => {
    const before = await world.count('prices');
    expect(await world.refusal('/prices/bulk', { items: items(plan.id) })).toEqual([status, field]);
    expect(await world.count('prices')).toBe(before);
  });
});

describe('bad input', () => {
  it.each<[string, object, string]>([
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['an amount below zero', { amount: '-0.01' }, 'amount'],
    ['no number', { amount: 'NaN' }, 'amount'],
    ['an exponent', { amount: '1e3' }, 'amount'],
    ['more places than there are', { amount: '0.0000000000001' }, 'amount'],
    ['more digits than there are', { amount: '1'.repeat(27) }, 'amount'],
    ['no amount', { amount: null }, 'amount'],
    ['an unknown currency', { currency: 'usx' }, 'currency'],
    ['an unknown type', { type: 'fixed' }, 'type'],
    ['a fee that says not when', { invoice_cadence: null }, 'invoice_cadence'],
    ['a meter of a fee', { meter_id: 'meter_x' }, 'meter_id'],
    ['a trial over three years', { trial_period: 1096 }, 'trial_period'],
    ['half a day of trial', { trial_period_days: 0.5 }, 'trial_period_days'],
    ['two trials', { trial_period: 7, trial_period_days: 14 }, 'trial_period_days'],
    ['an end before the start', { start_date: '2026-02-01T00:00:00Z', end_date: '2026-02-01T00:00:00Z' }, 'end_date'],
    ['a date without an offset', { start_date: '2026-02-01' }, 'start_date'],
    ['a period there is not', { billing_period: 'FORTNIGHTLY' }, 'billing_period'],
    ['a count of nothing', { billing_period_count: 0 }, 'billing_period_count'],
    ['tiers of a flat fee', { tiers: [{ unit_amount: '1' }] }, 'tiers'],
    ['packages of a flat fee', { transform_quantity: { divide_by: 10 } }, 'transform_quantity'],
    ['a minimum below zero', { min_quantity: -1 }, 'min_quantity'],
    ['a package of no size', { billing_model: 'PACKAGE' }, 'transform_quantity'],
    [
      'a package of nothing',
      { billing_model: 'PACKAGE', transform_quantity: { divide_by: 0 } },
      'transform_quantity.divide_by',
    ],
    ['a tiered price with an amount', { ...tiered('SLAB', [{ unit_amount: '1' }]), amount: '5' }, 'amount'],
    ['tiers of no mode', { ...tiered('SLAB', [{ unit_amount: '1' }]), tier_mode: null }, 'tier_mode'],
    ['no tiers', { ...tiered('SLAB', []), tiers: null }, 'tiers'],
    ['tiers with nothing in them', tiered('SLAB', []), 'tiers'],
    [
      'tiers that overlap',
      tiered('VOLUME', [{ up_to: 10, unit_amount: '2' }, { up_to: 10, unit_amount: '1' }, { unit_amount: '1' }]),
      'tiers[1].up_to',
    ],
    ['tiers that end', tiered('SLAB', [{ up_to: 10, unit_amount: '2' }]), 'tiers[0].up_to'],
    ['a tier that is never reached', tiered('SLAB', [{ unit_amount: '2' }, { unit_amount: '1' }]), 'tiers[0].up_to'],
    ['a negative flat amount', tiered('SLAB', [{ unit_amount: '2', flat_amount: '-1' }]), 'tiers[0].flat_amount'],
    ['a price asked once afterwards', { billing_cadence: 'ONETIME', invoice_cadence: 'ARREAR' }, 'invoice_cadence'],
    ['a price asked once with a trial', { billing_cadence: 'ONETIME', trial_period: 7 }, 'trial_period'],
    ['a cadence there isn’t', { billing_cadence: 'SOMETIMES' }, 'billing_cadence'],
    ['a unit of its own', { price_unit_type: 'CUSTOM' }, 'price_unit_type'],
    ['a price of something else', { entity_type: 'ADDON' }, 'entity_type'],
    ['a group', { group_id: 'group_x' }, 'group_id'],
  ])('%s is refused by its name and changes nothing', async (_, change, field) => {
    const before = await world.count('prices');
    expect(await world.refusal('/prices', fee(plan.id, change))).toEqual([400, field]);
    expect(await world.count('prices')).toBe(before);
  });

  it('usage in advance, once, or without a meter, is refused', async () => {
    const once = usage(plan.id, feature.meter_id, { billing_cadence: 'ONETIME' });
    expect(await world.refusal('/prices', once)).toEqual([400, 'billing_cadence']);
    const advance = usage(plan.id, feature.meter_id, { invoice_cadence: 'ADVANCE' });
    expect(await world.refusal('/prices', advance)).toEqual([400, 'invoice_cadence']);
    expect(await world.refusal('/prices', usage(plan.id, null))).toEqual([400, 'meter_id']);
  });

  it('a lookup key in use is 409, for a new price and for an old one', async () => {
    const lookup_key = world.key();
    const { id } = await world.post('/prices', fee(plan.id));
    await world.post('/prices', fee(plan.id, { lookup_key }));
    expect(await world.refusal('/prices', fee(plan.id, { lookup_key }))).toEqual([409, 'lookup_key']);
    expect(await world.refusal(`/prices/${id}`, { lookup_key }, 'put')).toEqual([409, 'lookup_key']);
  });

  it("another environment's plan, meter and price are not found, nor are those that are archived", async () => {
    const { modules } = world;
    const theirs = await modules.get(Transactions).run(await productionScope(modules), async (tx) => ({
      plan: await modules.get(PlansService).create(tx, { name: 'Theirs' }),
      feature: await modules
        .get(FeaturesService)
        .create(tx, { name: 'x', type: 'metered', meter: { event_name: 'x', aggregation: { type: 'COUNT' } } }),
    }));
    expect(await world.refusal('/prices', fee(theirs.plan.id))).toEqual([404, 'entity_id']);
    expect(await world.refusal('/prices', usage(plan.id, theirs.feature.meterId))).toEqual([404, 'meter_id']);
    const gone = await world.plan();
    await modules.api.delete(`/plans/${gone.id}`);
    expect(await world.refusal('/prices', fee(gone.id))).toEqual([404, 'entity_id']);
    expect((await modules.api.get('/prices/price_x')).status).toBe(404);
    expect((await modules.api.put('/prices/price_x', {})).status).toBe(404);
    expect((await modules.api.delete('/prices/price_x')).status).toBe(404);
  });
});
