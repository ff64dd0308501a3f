import { beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { Story, type Subscriber } from './story.js';

let modules: Modules;
let story: Story;
let planId: string;
let meterId: string;
let usagePriceId: string;
let feeId: string;
let subscriber: Subscriber;
let before: Record<string, number>;

const TABLES = ['plan', 'price', 'entitlement', 'credit_grant', 'customer', 'subscription', 'subscription_line_item'];

/** How many rows there are, and when one of them last changed. */
async function stored(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    const found = await modules.run((tx) =>
      sql<{ n: number }>`select count(*)::int n from ${sql.table(table)}`.execute(tx.db),
    );
    counts[table] = found.rows[0]!.n;
  }
  return counts;
}

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-31T00:00:00Z', env: { ROLE: 'api' } });
  story = new Story(modules);
  await story.defineStarter(0);
  planId = await definePlan(story, { name: 'Basic', fee: '31' });
  subscriber = await story.subscribe('somebody', { plan_id: planId });
  const { items } = await story.post<{ items: { id: string; type: string; meter_id: string }[] }>(
    '/prices/search',
    { plan_ids: [planId] },
    200,
  );
  ({ id: usagePriceId, meter_id: meterId } = items.find(({ type }) => type === 'USAGE')!);
  const { line_items } = await subscriber.subscription<{ line_items: { id: string; price_type: string }[] }>();
  feeId = line_items.find(({ price_type }) => price_type === 'FIXED')!.id;
  before = await stored();
});

/** One beyond what numeric(38,12) holds. */
const TOO_LARGE = `1${'0'.repeat(26)}`;

type Wrong = readonly [what: string, field: string, body: () => object];

const price = (more: object) => ({
  type: 'FIXED',
  billing_model: 'FLAT_FEE',
  billing_period: 'MONTHLY',
  invoice_cadence: 'ADVANCE',
  currency: 'usd',
  entity_type: 'PLAN',
  entity_id: planId,
  amount: '5',
  ...more,
});
const tiered = (...tiers: object[]) =>
  price({ billing_model: 'TIERED', tier_mode: 'SLAB', amount: null, tiers: tiers.map((tier) => ({ ...tier })) });
const unit = (up_to: number | null) => ({ up_to, unit_amount: '1' });

const prices: readonly Wrong[] = [
  ['tiers that don’t rise', 'tiers[1].up_to', () => tiered(unit(10), unit(5), unit(null))],
  ['tiers that overlap', 'tiers[1].up_to', () => tiered(unit(10), unit(10), unit(null))],
  ['a tier behind one without end', 'tiers[0].up_to', () => tiered(unit(null), unit(10), unit(null))],
  ['a last tier with an end', 'tiers[1].up_to', () => tiered(unit(10), unit(20))],
  ['a tier of nothing', 'tiers[0].up_to', () => tiered(unit(0), unit(null))],
  ['no tiers', 'tiers', () => tiered()],
  ['a tier below zero', 'tiers[0].unit_amount', () => tiered({ up_to: null, unit_amount: '-1' })],
  ['a flat amount below zero', 'tiers[0].flat_amount', () => tiered({ ...unit(null), flat_amount: '-1' })],
  ['an amount below zero', 'amount', () => price({ amount: '-0.01' })],
  ['an amount that is no number', 'amount', () => price({ amount: 'NaN' })],
  ['an amount beyond numeric(38,12)', 'amount', () => price({ amount: TOO_LARGE })],
  ['an amount of 13 places', 'amount', () => price({ amount: '0.0000000000001' })],
  [
    'a package of nothing',
    'transform_quantity.divide_by',
    () => price({ billing_model: 'PACKAGE', transform_quantity: { divide_by: 0 } }),
  ],
  ['usage without a meter', 'meter_id', () => price({ type: 'USAGE', invoice_cadence: 'ARREAR' })],
  ['a fee with a meter', 'meter_id', () => price({ meter_id: meterId })],
  [
    'usage in advance',
    'invoice_cadence',
    () => price({ type: 'USAGE', meter_id: meterId, invoice_cadence: 'ADVANCE' }),
  ],
  [
    'usage of a meter that is priced then',
    'meter_id',
    () => price({ type: 'USAGE', meter_id: meterId, invoice_cadence: null }),
  ],
  ['a trial of more than three years', 'trial_period', () => price({ trial_period: 1096 })],
  ['an unknown interval', 'billing_period', () => price({ billing_period: 'FORTNIGHTLY' })],
  ['no interval at all', 'billing_period_count', () => price({ billing_period_count: 0 })],
  ['an unknown currency', 'currency', () => price({ currency: 'xyz' })],
  ['a start that is no date', 'start_date', () => price({ start_date: '2026-02-30T00:00:00Z' })],
  [
    'an end before the start',
    'end_date',
    () => price({ start_date: '2026-03-02T00:00:00Z', end_date: '2026-03-01T00:00:00Z' }),
  ],
];

const subscription = (more: object) => ({
  customer_id: subscriber.customerId,
  plan_id: planId,
  currency: 'usd',
  billing_period: 'MONTHLY',
  ...more,
});

const subscriptions: readonly Wrong[] = [
  ['an unknown zone', 'customer_timezone', () => subscription({ customer_timezone: 'Mars/Olympus' })],
  ['a start more than 13 months ago', 'start_date', () => subscription({ start_date: '2024-12-30T00:00:00Z' })],
  ['a start in the year 10000', 'start_date', () => subscription({ start_date: '+010000-01-01T00:00:00Z' })],
  ['a start that is no date', 'start_date', () => subscription({ start_date: '2026-02-30T00:00:00Z' })],
  ['an end at the start', 'end_date', () => subscription({ end_date: '2026-01-31T00:00:00Z' })],
  ['a trial of more than three years', 'trial_period_days', () => subscription({ trial_period_days: 1096 })],
  ['a trial that ends in four years', 'trial_end', () => subscription({ trial_end: '2030-01-31T00:00:00Z' })],
  [
    'a trial that ends two ways',
    'trial_end',
    () => subscription({ trial_end: '2026-03-01T00:00:00Z', trial_period_days: 7 }),
  ],
  ['an interval the plan doesn’t sell', 'billing_period', () => subscription({ billing_period: 'ANNUAL' })],
  ['a count the plan doesn’t sell', 'billing_period', () => subscription({ billing_period_count: 2 })],
  ['a currency the plan doesn’t sell', 'currency', () => subscription({ currency: 'eur' })],
  [
    'a quantity of usage',
    'quantity',
    () => subscription({ override_line_items: [{ price_id: usagePriceId, quantity: '2' }] }),
  ],
  [
    'a quantity beyond numeric(38,12)',
    'override_line_items[0].quantity',
    () => subscription({ override_line_items: [{ price_id: usagePriceId, quantity: TOO_LARGE }] }),
  ],
  [
    'an amount below zero',
    'override_line_items[0].amount',
    () => subscription({ override_line_items: [{ price_id: usagePriceId, amount: '-1' }] }),
  ],
  ['add-ons', 'addons', () => subscription({ addons: [{ addon_id: 'addon_1' }] })],
  ['phases', 'phases', () => subscription({ phases: [{ start_date: '2026-03-01T00:00:00Z' }] })],
  ['coupons', 'coupons', () => subscription({ coupons: ['coupon_1'] })],
  [
    'commitments of line items',
    'line_item_commitments',
    () => subscription({ line_item_commitments: { p: { commitment_amount: '5' } } }),
  ],
  ['a field nobody knows', 'colour', () => subscription({ colour: 'blue' })],
];

async function refusal(method: 'post' | 'put', path: string, body: object) {
  const answer = await modules.api[method](path, body);
  const { code, message, details } = answer.body;
  expect([typeof message, ['validation_error', 'invalid_operation'].includes(code)]).toEqual(['string', true]);
  return [answer.status, details.field];
}

describe('a price is refused with its field:', () => {
  it.each(prices)('%s', async (_, field, body) => {
    expect(await refusal('post', '/prices', body())).toEqual([400, field]);
  });

  it('a version that would overlap another', async () => {
    const later = { amount: '6', effective_from: '2026-06-01T00:00:00Z' };
    expect((await modules.api.put(`/prices/${usagePriceId}`, later)).status).toBe(200);
    before = await stored();
    const earlier = { amount: '7', effective_from: '2026-01-01T00:00:00Z' };
    expect(await refusal('put', `/prices/${usagePriceId}`, earlier)).toEqual([400, 'effective_from']);
    const between = { amount: '7', effective_from: '2026-07-01T00:00:00Z' };
    expect((await refusal('put', `/prices/${usagePriceId}`, between))[0]).toBe(400);
  });
});

describe('a subscription is refused with its field:', () => {
  it.each(subscriptions)('%s', async (_, field, body) => {
    expect(await refusal('post', '/subscriptions', body())).toEqual([400, field]);
  });

  it('a change of an item beyond numeric(38,12), or back in time', async () => {
    const path = `/subscriptions/lineitems/${feeId}`;
    expect(await refusal('put', path, { amount: TOO_LARGE })).toEqual([400, 'amount']);
    expect(await refusal('put', path, { quantity: TOO_LARGE })).toEqual([400, 'quantity']);
    expect(await refusal('put', path, { amount: '1', effective_from: '2025-01-01T00:00:00Z' })).toEqual([
      400,
      'effective_from',
    ]);
  });
});

it('a customer in no zone is refused', async () => {
  const body = { external_id: 'nowhere', timezone: 'Nowhere' };
  expect(await refusal('post', '/customers', body)).toEqual([400, 'timezone']);
});

it('and nothing of it is stored', async () => {
  expect(await stored()).toEqual(before);
});
