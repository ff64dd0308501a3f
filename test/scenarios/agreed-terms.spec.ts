import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { definePlan } from './second-plan.js';
import { amounts, eventsOf, type InvoiceBody, Story, type Subscriber } from './story.js';

interface ItemBody {
  id: string;
  entity_type: string;
  entity_id: string;
  price_id: string;
  price_type: string;
  meter_id: string | null;
  display_name: string;
  end_date: string | null;
  price: { entity_type: string; entity_id: string; billing_model: string; amount: string; display_amount: string };
  [commitment: `commitment_${string}`]: unknown;
}

let modules: Modules;
let story: Story;
/** 20 a month in advance; a table 10, a row 1.5; nothing free. */
let plan: string;
/** A meter that no plan prices: gigabytes exported, summed. */
let exportsFeature: string;
let exportsMeter: string;
let people = 0;
/** Every case starts on the first of a month of its own, from the second on of 30 days. */
const months = [
  '2026-02',
  '2026-04',
  '2026-06',
  '2026-09',
  '2026-11',
  '2027-04',
  '2027-06',
  '2027-09',
  '2027-11',
  '2028-04',
  '2028-09',
  '2028-11',
  '2029-04',
  '2029-06',
];
let at: (day: string) => string;

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-01T00:00:00Z' });
  story = new Story(modules);
  await story.defineStarter(0);
  plan = await definePlan(story, { name: 'Pay as you go', fee: '20' });
  const feature = await story.post<{ id: string; meter_id: string }>('/features', {
    name: 'Exports',
    type: 'metered',
    meter: {
      name: 'Exports',
      event_name: 'export',
      reset_usage: 'BILLING_PERIOD',
      aggregation: { type: 'SUM', field: 'gb' },
    },
  });
  exportsFeature = feature.id;
  exportsMeter = feature.meter_id;
});

async function nextMonth(): Promise<void> {
  const month = months.shift()!;
  at = (day) => `${month}-${day}:00Z`;
  await modules.advanceTo(at('01T00:00'));
}
const subscribe = (over: object = {}): Promise<Subscriber> =>
  story.subscribe(`agreed-${++people}`, { plan_id: plan, payment_terms: '90 NET', ...over });
const lines = ({ line_items }: InvoiceBody) =>
  line_items.map((line) => [line.display_name, ...amounts(line.quantity, line.amount)]);
const items = async (subscriber: Subscriber) =>
  (await subscriber.subscription<{ line_items: ItemBody[] }>()).line_items;
const itemOf = async (subscriber: Subscriber, amount: string) =>
  (await items(subscriber)).find(({ price, end_date }) => price.amount === amount && end_date === null)!;
const exported = (subscriber: Subscriber, gb: number) => subscriber.send('export', { gb: String(gb) });
const path = ({ subscriptionId }: Subscriber) => `/subscriptions/${subscriptionId}/lineitems`;
/** The period's end, and the hour in which late usage may come. */
async function closed(months = 1): Promise<void> {
  const end = new Date(at('01T01:00'));
  end.setUTCMonth(end.getUTCMonth() + months);
  await modules.advanceTo(end.toISOString());
}
async function refused(url: string, body: object, method: 'post' | 'put' = 'post') {
  const answer = await modules.api[method](url, body);
  return [answer.status, answer.body.details?.field ?? answer.body.details?.state];
}
const started = (subscriber: Subscriber, over: object) => ({
  customer_id: subscriber.customerId,
  plan_id: plan,
  currency: 'usd',
  billing_period: 'MONTHLY',
  ...over,
});

const monthly = { billing_period: 'MONTHLY', billing_cadence: 'RECURRING', price_unit_type: 'FIAT' };
/** 100 gigabytes at 0.5, the others at 0.2. */
const exportsPrice = () => ({
  ...monthly,
  type: 'USAGE',
  billing_model: 'TIERED',
  tier_mode: 'SLAB',
  tiers: [{ up_to: 100, unit_amount: '0.5' }, { unit_amount: '0.2' }],
  invoice_cadence: 'ARREAR',
  meter_id: exportsMeter,
});
const supportFee = { ...monthly, type: 'FIXED', billing_model: 'FLAT_FEE', amount: '30', invoice_cadence: 'ADVANCE' };

describe('prices that one subscription alone has', () => {
  it('are charged beside those of its plan, in advance and by use', async () => {
    await nextMonth();
    const subscriber = await subscribe({
      line_items: [
        { price: { ...supportFee, display_name: 'Support by name' }, quantity: 2 },
        { price: exportsPrice(), display_name: 'Exports in bulk' },
      ],
    });
    expect(lines(await subscriber.lastInvoice())).toEqual([
      ['Pay as you go', '1', '20'],
      ['Support by name', '2', '60'],
    ]);
    await exported(subscriber, 80);
    await exported(subscriber, 70);
    await closed();
    expect(lines(await subscriber.lastInvoice())).toEqual([
      ['Pay as you go', '1', '20'],
      ['Support by name', '2', '60'],
      ['Exports in bulk', '150', '60'],
    ]);
  });

  it('are shown as its own, read by their id, found by it alone, and changed on the line item only', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const added = await story.post<ItemBody>(path(subscriber), { price: exportsPrice() });
    expect([added.entity_type, added.entity_id, added.meter_id]).toEqual([
      'subscription',
      subscriber.subscriptionId,
      exportsMeter,
    ]);
    const price = await story.get<ItemBody['price'] & { id: string }>(`/prices/${added.price_id}`);
    expect([price.entity_type, price.entity_id]).toEqual(['SUBSCRIPTION', subscriber.subscriptionId]);
    const found = async (query: object) =>
      (await story.post<{ items: { id: string }[] }>('/prices/search', { limit: 1000, ...query }, 200)).items.map(
        ({ id }) => id,
      );
    expect(await found({ subscription_id: subscriber.subscriptionId })).toEqual([added.price_id]);
    expect(await found({ entity_type: 'SUBSCRIPTION', entity_ids: [subscriber.subscriptionId] })).toEqual([price.id]);
    expect(await found({ price_ids: [added.price_id] })).toEqual([added.price_id]);
    expect(await found({})).not.toContain(added.price_id);
    expect(await refused(`/prices/${added.price_id}`, { amount: '1' }, 'put')).toEqual([409, 'agreed']);
    expect((await modules.api.delete(`/prices/${added.price_id}`)).status).toBe(409);
    const other = await subscribe();
    expect(await refused(path(other), { price_id: added.price_id })).toEqual([404, 'price_id']);
  });

  it('stay when the plan changes, and end with their interval', async () => {
    await nextMonth();
    const next = await definePlan(story, { name: 'Next', fee: '40', yearly: '400' });
    const subscriber = await subscribe({ line_items: [{ price: supportFee }] });
    const change = `/subscriptions/${subscriber.subscriptionId}/change/execute`;
    await story.post(change, { target_plan_id: next }, 200);
    const agreed = await itemOf(subscriber, '30');
    expect([agreed.display_name, agreed.end_date]).toEqual(['Agreed fee', null]);
    await story.post(change, { target_plan_id: next, billing_period: 'ANNUAL' }, 200);
    expect(await itemOf(subscriber, '30')).toBeUndefined();
  });

  it('begin beyond the free units that the plan gives of what it doesn’t price, as prices of other plans do', async () => {
    await nextMonth();
    const free = await definePlan(story, { name: 'With exports', fee: '20' });
    const entitlement = { plan_id: free, feature_id: exportsFeature, feature_type: 'metered', usage_limit: 40 };
    await story.post('/entitlements', { ...entitlement, usage_reset_period: 'MONTHLY' });
    const subscriber = await subscribe({ plan_id: free, line_items: [{ price: exportsPrice() }] });
    const seller = await definePlan(story, { name: 'Exports only', fee: '1' });
    const { id: price_id } = await story.post<{ id: string }>('/prices', {
      ...exportsPrice(),
      currency: 'usd',
      entity_type: 'PLAN',
      entity_id: seller,
    });
    await story.post('/entitlements', { ...entitlement, plan_id: seller, usage_limit: 1000 });
    const added = await subscribe({ plan_id: free, line_items: [{ price_id }] });
    await exported(subscriber, 50);
    await exported(added, 60);
    await closed();
    expect(lines(await subscriber.lastInvoice()).at(-1)).toEqual(['Exports', '50', '5']);
    expect(lines(await added.lastInvoice()).at(-1)).toEqual(['Exports', '60', '10']);
    const daily = await definePlan(story, { name: 'Daily exports', fee: '20' });
    const unfit = await story.post<{ id: string; meter_id: string }>('/features', {
      name: 'Peak',
      type: 'metered',
      meter: {
        name: 'Peak',
        event_name: 'peak',
        reset_usage: 'BILLING_PERIOD',
        aggregation: { type: 'MAX', field: 'gb' },
      },
    });
    const limit = { plan_id: daily, feature_id: unfit.id, feature_type: 'metered', usage_limit: 4 };
    await story.post('/entitlements', { ...limit, usage_reset_period: 'DAILY' });
    const peaks = { line_items: [{ price: { ...exportsPrice(), meter_id: unfit.meter_id } }] };
    expect(await refused('/subscriptions', started(subscriber, { plan_id: daily, ...peaks }))).toEqual([
      400,
      'line_items[0].price.meter_id',
    ]);
  });

  it('are refused with their field where they make no sense', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const add = (price: object, over: object = {}) => refused(path(subscriber), { price, ...over });
    expect(await refused(path(subscriber), {})).toEqual([400, 'price_id']);
    expect(await add(supportFee, { price_id: 'price_any' })).toEqual([400, 'price']);
    expect(await add({ ...supportFee, billing_period: 'ANNUAL' })).toEqual([400, 'price.billing_period']);
    expect(await add({ ...supportFee, billing_period_count: 2 })).toEqual([400, 'price.billing_period_count']);
    expect(await add({ ...supportFee, currency: 'eur' })).toEqual([400, 'price.currency']);
    expect(await add({ ...supportFee, amount: undefined })).toEqual([400, 'price.amount']);
    expect(await add({ ...supportFee, amount: '-1' })).toEqual([400, 'price.amount']);
    expect(await add({ ...supportFee, lookup_key: 'gold' })).toEqual([400, 'price.lookup_key']);
    expect(await add({ ...supportFee, trial_period: 7 })).toEqual([400, 'price.trial_period']);
    expect(await add({ ...supportFee, end_date: at('20T00:00') })).toEqual([400, 'price.end_date']);
    expect(await add({ ...exportsPrice(), meter_id: 'meter_none' })).toEqual([404, 'price.meter_id']);
    expect(await add({ ...exportsPrice(), meter_id: undefined })).toEqual([400, 'price.meter_id']);
    expect(await add({ ...exportsPrice(), invoice_cadence: 'ADVANCE' })).toEqual([400, 'price.invoice_cadence']);
    const falling = [{ up_to: 9, unit_amount: '1' }, { up_to: 5, unit_amount: '1' }, { unit_amount: '1' }];
    expect(await add({ ...exportsPrice(), tiers: falling })).toEqual([400, 'price.tiers[1].up_to']);
    const twice = { line_items: [{ price: exportsPrice() }, { price: exportsPrice() }] };
    expect(await refused('/subscriptions', started(subscriber, twice))).toEqual([400, 'line_items[1].price.meter_id']);
    expect(await items(subscriber)).toHaveLength(3);
    const left = { subscription_id: subscriber.subscriptionId };
    expect((await story.post<{ items: object[] }>('/prices/search', left, 200)).items).toEqual([]);
  });
});

describe('the terms of a plan’s price, otherwise for one subscription', () => {
  it('are of any model, from the start and from an instant on, and no sync takes them away', async () => {
    await nextMonth();
    const tables = (await itemOf(await subscribe(), '10')).price_id;
    const packs = { billing_model: 'PACKAGE', amount: '25', transform_quantity: { divide_by: 5 } };
    const subscriber = await subscribe({ override_line_items: [{ price_id: tables, ...packs }] });
    await subscriber.tables(6);
    const agreed = (await items(subscriber)).find(({ price_id }) => price_id === tables)!;
    expect([agreed.price.billing_model, agreed.price.amount, agreed.price.display_amount]).toEqual([
      'PACKAGE',
      '25',
      '$25.00',
    ]);
    await story.post(`/plans/${plan}/sync/subscriptions`, {}, 200);
    await modules.advanceTo(at('16T00:00'));
    const tiers = [{ up_to: 1, unit_amount: '0', flat_amount: '7' }, { unit_amount: '2' }];
    const answer = await modules.api.put(`/subscriptions/lineitems/${agreed.id}`, {
      billing_model: 'TIERED',
      tier_mode: 'SLAB',
      tiers,
    });
    expect([answer.status, answer.body.price.tiers]).toEqual([
      200,
      [
        { up_to: 1, unit_amount: '0', flat_amount: '7' },
        { up_to: null, unit_amount: '2', flat_amount: null },
      ],
    ]);
    await subscriber.tables(3);
    await closed();
    expect(lines(await subscriber.lastInvoice())).toEqual([
      ['Pay as you go', '1', '20'],
      ['Tables created', '6', '50'],
      ['Tables created', '3', '11'],
    ]);
    const wrong = (body: object) => refused(`/subscriptions/lineitems/${answer.body.id}`, body, 'put');
    expect(await wrong({ amount: '3' })).toEqual([400, 'amount']);
    expect(await wrong({ billing_model: 'PACKAGE', amount: '3' })).toEqual([400, 'transform_quantity']);
    expect(await wrong({ tiers: [{ up_to: 4, unit_amount: '1' }] })).toEqual([400, 'tiers[0].up_to']);
  });
});

describe('the entitlements of a plan, otherwise for one subscription', () => {
  interface Given {
    feature: { name: string };
    entitlement: { is_enabled: boolean; usage_limit: number | null; static_values: string[] };
  }
  const given = async (subscriber: Subscriber) => {
    const { features } = await story.get<{ features: Given[] }>(
      `/subscriptions/${subscriber.subscriptionId}/entitlements`,
    );
    return features
      .map(({ feature, entitlement: of }) => [feature.name, of.is_enabled, of.usage_limit, ...of.static_values])
      .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  };

  it('are its own, and the others stay the plan’s', async () => {
    await nextMonth();
    const rich = await definePlan(story, { name: 'Rich', fee: '20', freeTables: 3 });
    const give = async (name: string, feature_type: string, terms: object) => {
      const feature = await story.post<{ id: string }>('/features', { name, type: feature_type });
      const body = { plan_id: rich, feature_id: feature.id, feature_type, ...terms };
      return (await story.post<{ id: string }>('/entitlements', body)).id;
    };
    const sso = await give('SSO', 'boolean', { is_enabled: false });
    const region = await give('Region', 'static', { static_value: 'eu' });
    await give('Help', 'static', { static_value: 'mail' });
    const own = await subscribe({
      plan_id: rich,
      override_entitlements: [
        { entitlement_id: sso, is_enabled: true },
        { entitlement_id: region, static_value: 'ch' },
      ],
    });
    const plain = await subscribe({ plan_id: rich });
    const answer = await modules.api.put(`/entitlements/${region}`, { static_value: 'us' });
    expect(answer.status).toBe(200);
    expect(await given(own)).toEqual([
      ['Help', true, null, 'mail'],
      ['Region', true, null, 'ch'],
      ['SSO', true, null],
      ['Tables created', true, 3],
    ]);
    expect(await given(plain)).toEqual([
      ['Help', true, null, 'mail'],
      ['Region', true, null, 'us'],
      ['SSO', false, null],
      ['Tables created', true, 3],
    ]);
    const wrong = (terms: object, id = region) =>
      refused(
        '/subscriptions',
        started(own, { plan_id: rich, override_entitlements: [{ entitlement_id: id, ...terms }] }),
      );
    expect(await wrong({ usage_limit: 5 })).toEqual([400, 'override_entitlements[0].usage_limit']);
    expect(await wrong({ static_value: 'x' }, sso)).toEqual([400, 'override_entitlements[0].static_value']);
    expect(await wrong({}, 'ent_none')).toEqual([400, 'override_entitlements']);
  });
});

describe('free units', () => {
  const limitOf = async ({ subscriptionId }: Subscriber) => {
    const { features } = await story.get<{ features: { entitlement: { usage_limit: number } }[] }>(
      `/subscriptions/${subscriptionId}/entitlements`,
    );
    return features.map(({ entitlement }) => entitlement.usage_limit);
  };

  it('follow the plan by a sync, but for a limit that was agreed; also under a price that was agreed', async () => {
    await nextMonth();
    const free = await definePlan(story, { name: 'Free tables', fee: '20', freeTables: 3, creditsOnce: '1000' });
    const found = await story.post<{ items: { id: string }[] }>('/entitlements/search', { plan_ids: [free] }, 200);
    const { id } = found.items[0]!;
    const [plain, limited, cheaper] = [
      await subscribe({ plan_id: free }),
      await subscribe({ plan_id: free, override_entitlements: [{ entitlement_id: id, usage_limit: 1 }] }),
      await subscribe({ plan_id: free }),
    ];
    const own = await itemOf(cheaper, '10');
    expect((await modules.api.put(`/subscriptions/lineitems/${own.id}`, { amount: '6' })).status).toBe(200);
    expect((await modules.api.put(`/entitlements/${id}`, { usage_limit: 5 })).status).toBe(200);
    expect(await plain.tables(2)).toEqual(['0', '0']);
    await modules.advanceTo(at('01T12:00'));
    await story.post(`/plans/${free}/sync/subscriptions`, {}, 200);
    await modules.advanceTo(at('02T00:00'));
    expect(await plain.tables(4)).toEqual(['0', '0', '0', '10']);
    expect(await limited.tables(2)).toEqual(['0', '10']);
    expect(await cheaper.tables(6)).toEqual(['0', '0', '0', '0', '0', '6']);
    expect([await limitOf(plain), await limitOf(limited), await limitOf(cheaper)]).toEqual([[5], [1], [5]]);
    const before = await items(plain);
    await story.post(`/plans/${free}/sync/subscriptions`, {}, 200);
    await modules.advanceTo(at('03T00:00'));
    expect(await items(plain)).toEqual(before);
  });

  it('are those of the new plan after a change, also of items that stay', async () => {
    await nextMonth();
    const give = async (name: string, usage_limit: number) => {
      const id = await definePlan(story, { name, fee: '20' });
      const of = { plan_id: id, feature_id: exportsFeature, feature_type: 'metered', usage_limit };
      await story.post('/entitlements', { ...of, usage_reset_period: 'MONTHLY' });
      return id;
    };
    const [little, much] = [await give('Little', 10), await give('Much', 30)];
    const subscriber = await subscribe({ plan_id: little, line_items: [{ price: exportsPrice() }] });
    await exported(subscriber, 20);
    await modules.advanceTo(at('16T00:00'));
    await story.post(`/subscriptions/${subscriber.subscriptionId}/change/execute`, { target_plan_id: much }, 200);
    await exported(subscriber, 30);
    await closed();
    expect(lines(await subscriber.lastInvoice()).slice(1)).toEqual([
      ['Exports', '20', '5'],
      ['Exports', '30', '5'],
    ]);
  });
});

describe('a commitment of one line item', () => {
  it('of money or of units is measured against its own usage', async () => {
    await nextMonth();
    const [tables, rows] = await Promise.all(['10', '1.5'].map(async (one) => itemOf(await subscribe(), one)));
    const promised = {
      [tables!.price_id]: { commitment_amount: 100, overage_factor: 1.5, enable_true_up: true },
      [rows!.price_id]: { commitment_type: 'quantity', commitment_quantity: 200, enable_true_up: true },
    };
    const subscriber = await subscribe({ line_item_commitments: promised });
    const shown = await itemOf(subscriber, '1.5');
    expect(shown).toMatchObject({
      commitment_type: 'quantity',
      commitment_quantity: '200',
      commitment_amount: null,
      commitment_duration: 'MONTHLY',
      commitment_overage_factor: '1',
      commitment_true_up_enabled: true,
      commitment_windowed: false,
    });
    await subscriber.tables(14);
    await subscriber.enrich(120);
    const expected = [
      ['Pay as you go', '1', '20'],
      ['Tables created', '14', '140'],
      ['Contacts enriched', '120', '180'],
      ['Tables created, commitment of $100.00: usage beyond it at 1.5 times its price', '1', '20'],
      ['Contacts enriched, commitment of $300.00: what was not used', '1', '120'],
    ];
    const preview = await story.post<InvoiceBody>(
      '/invoices/preview',
      { subscription_id: subscriber.subscriptionId },
      200,
    );
    expect(lines(preview)).toEqual(expected);
    await closed();
    const invoice = await subscriber.lastInvoice();
    expect(lines(invoice)).toEqual(expected);
    const last = invoice.line_items.at(-1) as unknown as { commitment_info: object; subscription_line_item_id: string };
    expect(last.commitment_info).toEqual({
      type: 'quantity',
      amount: '300',
      quantity: '200',
      duration: 'MONTHLY',
      overage_factor: '1',
      true_up_enabled: true,
      is_windowed: false,
      computed_commitment_utilized_amount: '180',
      computed_overage_amount: '0',
      computed_true_up_amount: '120',
    });
    expect(await eventsOf(modules, subscriber.subscriptionId, invoice.period_start)).toEqual([
      'subscription.period_closed',
      'subscription.period_opened',
      'invoice.drafted',
    ]);
    await subscriber.send('contact_enrich', { rows: '20' }, { timestamp: at('20T00:00') });
    await closed(2);
    expect(lines(await subscriber.lastInvoice()).slice(-2)).toEqual([
      ['Contacts enriched (late usage)', '20', '30'],
      ['Contacts enriched, commitment of $300.00: what was not used (late usage)', '1', '-30'],
    ]);
  });

  it('goes on under another price, and its parts of a period promise their shares', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const rows = await itemOf(subscriber, '1.5');
    const put = (item: { id: string }, body: object) => modules.api.put(`/subscriptions/lineitems/${item.id}`, body);
    const promised = await put(rows, { commitment_quantity: 200, commitment_true_up_enabled: true });
    expect([promised.status, promised.body.commitment_quantity]).toEqual([200, '200']);
    await modules.advanceTo(at('16T00:00'));
    const dearer = await put(promised.body, { amount: '3' });
    expect([dearer.status, dearer.body.commitment_quantity, dearer.body.commitment_true_up_enabled]).toEqual([
      200,
      '200',
      true,
    ]);
    await subscriber.enrich(50);
    await closed();
    expect(lines(await subscriber.lastInvoice())).toEqual([
      ['Pay as you go', '1', '20'],
      ['Contacts enriched', '50', '150'],
      ['Contacts enriched, commitment of $150.00: what was not used', '1', '150'],
      ['Contacts enriched, commitment of $300.00: what was not used', '1', '150'],
    ]);
  });

  it('keeps what a change leaves out, and is switched by it', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const terms = async (id: string, body: object) => {
      const answer = await modules.api.put(`/subscriptions/lineitems/${id}`, body);
      expect([answer.status, answer.body.message]).toEqual([200, undefined]);
      const item = answer.body as ItemBody;
      const { commitment_amount, commitment_quantity, commitment_overage_factor, commitment_true_up_enabled } = item;
      return [
        item.id,
        [commitment_amount, commitment_quantity, commitment_overage_factor, commitment_true_up_enabled],
      ] as [string, unknown[]];
    };
    const rows = await itemOf(subscriber, '1.5');
    const agreed = { commitment_amount: 100, commitment_overage_factor: 2, commitment_true_up_enabled: true };
    let [id, shown] = await terms(rows.id, agreed);
    [id, shown] = await terms(id, { commitment_amount: 200 });
    expect(shown).toEqual(['200', null, '2', true]);
    [id, shown] = await terms(id, { commitment_true_up_enabled: false });
    expect(shown).toEqual(['200', null, '2', false]);
    [id, shown] = await terms(id, { commitment_quantity: 50, commitment_overage_factor: 3 });
    expect(shown).toEqual([null, '50', '3', false]);
    [id, shown] = await terms(id, { amount: '0' });
    expect(shown).toEqual([null, '50', '3', false]);
    [id, shown] = await terms(id, { amount: '4' });
    expect(shown).toEqual([null, '50', '3', false]);
    const change = `/subscriptions/${subscriber.subscriptionId}/change/execute`;
    expect(await refused(change, { target_plan_id: plan, billing_period: 'ANNUAL' })).toEqual([400, 'billing_period']);
    const dear = { amount: '9'.repeat(26) };
    expect(await refused(`/subscriptions/lineitems/${id}`, dear, 'put')).toEqual([400, 'commitment_quantity']);
  });

  it('of the subscription as a whole counts prices of its own too', async () => {
    await nextMonth();
    const bare = await story.post<{ id: string }>('/plans', { name: 'Fee only' });
    await story.post('/prices', { ...supportFee, currency: 'usd', entity_type: 'PLAN', entity_id: bare.id });
    const promised = { plan_id: bare.id, commitment_amount: '10', enable_true_up: true };
    const subscriber = await subscribe({ ...promised, line_items: [{ price: exportsPrice() }] });
    await exported(subscriber, 4);
    await closed();
    expect(lines(await subscriber.lastInvoice()).at(-1)).toEqual(['Commitment of $10.00: what was not used', '1', '8']);
  });

  it('that makes no sense is refused with its field', async () => {
    await nextMonth();
    const subscriber = await subscribe();
    const [fee, rows] = await Promise.all(['20', '1.5'].map((one) => itemOf(subscriber, one)));
    const wrong = (body: object, item = rows!) => refused(`/subscriptions/lineitems/${item.id}`, body, 'put');
    expect(await wrong({ commitment_amount: 5 }, fee)).toEqual([400, 'commitment_amount']);
    expect(await wrong({ commitment_amount: 0 })).toEqual([400, 'commitment_amount']);
    expect(await wrong({ commitment_amount: 5, commitment_quantity: 5 })).toEqual([400, 'commitment_quantity']);
    expect(await wrong({ commitment_amount: 5, commitment_type: 'quantity' })).toEqual([400, 'commitment_type']);
    expect(await wrong({ commitment_overage_factor: 2 })).toEqual([400, 'commitment_amount']);
    expect(await wrong({ commitment_amount: 5, commitment_duration: 'ANNUAL' })).toEqual([400, 'commitment_duration']);
    expect(await wrong({ commitment_amount: 5, commitment_windowed: true })).toEqual([400, 'commitment_windowed']);
    expect(await wrong({ commitment_quantity: '9'.repeat(26) })).toEqual([400, 'commitment_quantity']);
    const start = (over: object) => refused('/subscriptions', started(subscriber, over));
    const named = `line_item_commitments.${rows!.price_id}`;
    const of = (terms: unknown) => ({ line_item_commitments: { [rows!.price_id]: terms } });
    expect(await start(of({ commitment_amount: 5, overage_factor: '0.5' }))).toEqual([400, `${named}.overage_factor`]);
    expect(await start(of({ commitment_amount: 5, factor: 2 }))).toEqual([400, `${named}.factor`]);
    expect(await start(of({ enable_true_up: true }))).toEqual([400, `${named}.commitment_amount`]);
    expect(await start(of(5))).toEqual([400, 'line_item_commitments']);
    expect(await start({ line_item_commitments: [5] })).toEqual([400, 'line_item_commitments']);
    expect(await start({ line_item_commitments: { none: { commitment_amount: 5 } } })).toEqual([
      400,
      'line_item_commitments',
    ]);
    const member = { line_item_commitments: { toString: { commitment_amount: 1 } } };
    expect(await start(member)).toEqual([400, 'line_item_commitments']);
    const both = { ...of({ commitment_amount: 5 }), commitment_amount: '100' };
    expect(await start(both)).toEqual([400, `${named}.commitment_amount`]);
  });
});
