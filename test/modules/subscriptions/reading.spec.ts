import type { Flexprice } from '@flexprice/sdk';
import { text, type Decimal } from '@drawdown/billing-core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SubscriptionWorld } from './subscription-world.js';

let world: SubscriptionWorld;
let client: Flexprice;
let customerId: string;
let id: string;

beforeAll(async () => {
  world = await SubscriptionWorld.start('2027-01-10T09:00:00Z');
  await world.defineStarter(14);
  client = await world.client();
  customerId = (await world.customer({ external_id: 'acme' })).id;
  id = await world.subscribe({ customer_id: customerId, lookup_key: 'main', metadata: { team: 'blue' } });
});

describe('the published client reads', () => {
  it('a subscription with its line items, grants, plan and customer', async () => {
    const subscription = await client.subscriptions.getSubscription(id);
    expect(subscription).toMatchObject({
      id,
      subscriptionStatus: 'trialing',
      status: 'published',
      billingAnchor: '2027-01-24T09:00:00.000Z',
      trialStart: '2027-01-10T09:00:00.000Z',
      trialEnd: '2027-01-24T09:00:00.000Z',
      currentPeriodEnd: '2027-01-24T09:00:00.000Z',
      lookupKey: 'main',
      metadata: { team: 'blue' },
      customer: { externalId: 'acme' },
      plan: { name: 'Starter' },
    });
    expect(
      subscription.lineItems!.map((item) => [item.displayName, item.price!.amount, item.meterDisplayName]),
    ).toEqual([
      ['Starter', '149', undefined],
      ['Tables created', '10', 'Tables created'],
      ['Contacts enriched', '1.5', 'Contacts enriched'],
    ]);
    expect(subscription.creditGrants!.map((grant) => [grant.cadence, grant.credits])).toEqual([
      ['ONETIME', '100'],
      ['RECURRING', '2000'],
    ]);
    expect(await client.subscriptions.getSubscriptionV2(id)).toMatchObject({ id, planId: world.starter.planId });
  });

  it('lists, by each filter', async () => {
    const other = await world.subscribe({ start_date: '2027-03-01T00:00:00Z' });
    const found = async (filter: Parameters<typeof client.subscriptions.querySubscription>[0]) =>
      (await client.subscriptions.querySubscription(filter)).items!.map((one) => one.id);
    expect(await found({})).toHaveLength(2);
    expect(await found({ externalCustomerId: 'acme' })).toEqual([id]);
    expect(await found({ externalCustomerId: 'nobody' })).toEqual([]);
    expect(await found({ customerId })).toEqual([id]);
    expect(await found({ planId: 'plan_none' })).toEqual([]);
    expect(await found({ subscriptionIds: [other] })).toEqual([other]);
    expect(await found({ subscriptionStatus: ['draft'] })).toEqual([other]);
    expect(await found({ activeAt: '2027-02-01T00:00:00Z' })).toEqual([id]);
    expect(await found({ billingPeriod: ['ANNUAL'] })).toEqual([]);
    expect(await found({ billingCadence: ['ONETIME'] })).toEqual([]);
    const lean = await client.subscriptions.querySubscription({ withLineItems: false, limit: 1 });
    expect(lean).toMatchObject({ pagination: { total: 2, limit: 1, offset: 0 } });
    expect(lean.items![0]!.lineItems ?? null).toBeNull();
  });

  it('the grants to come', async () => {
    const upcoming = await client.subscriptions.getSubscriptionUpcomingGrants(id);
    expect(upcoming.items).toMatchObject([
      {
        credits: 2000,
        applicationStatus: 'pending',
        applicationReason: 'first_time_recurring_credit_grant',
        scheduledFor: '2027-01-24T09:00:00.000Z',
        periodEnd: '2027-02-24T09:00:00.000Z',
      },
    ]);
    expect((await client.customers.getCustomerUpcomingGrants(customerId)).items).toHaveLength(1);
    expect((await world.api('get', '/subscriptions/sub_none/grants/upcoming')).status).toBe(404);
  });
});

describe('entitlements', () => {
  it('of a subscription: metered as it copied them, boolean as the plan has them', async () => {
    const { features, planId } = await client.subscriptions.getSubscriptionEntitlements(id);
    expect(planId).toBe(world.starter.planId);
    expect(features!.map((one) => [one.feature!.name, one.entitlement])).toMatchObject([
      ['Tables created', { isEnabled: true, usageLimit: 5, usageResetPeriod: 'MONTHLY' }],
      ['Export', { isEnabled: true }],
    ]);
    expect(features![0]!.sources).toMatchObject([
      { subscriptionId: id, entityType: 'plan', entityId: planId, entityName: 'Starter', usageLimit: 5 },
    ]);
  });

  it('of a customer are added up over its running subscriptions', async () => {
    await world.subscribe({ customer_id: customerId });
    const { features } = await client.customers.getCustomerEntitlements(customerId);
    const tables = features!.find((one) => one.feature!.name === 'Tables created')!;
    expect(tables.entitlement!.usageLimit).toBe(10);
    expect(tables.sources).toHaveLength(2);
  });

  it('can be asked for by feature', async () => {
    const { exportFeatureId } = world.starter;
    const { features } = await client.subscriptions.getSubscriptionEntitlements(id, [exportFeatureId]);
    expect(features!.map((one) => one.feature!.id)).toEqual([exportFeatureId]);
  });

  it('follow the plan where they are boolean, and not where they are metered', async () => {
    const { planId } = world.starter;
    const { items } = await client.entitlements.queryEntitlement({ planIds: [planId] });
    for (const one of items!) {
      await client.entitlements.updateEntitlement(
        one.id!,
        one.featureType === 'metered' ? { usageLimit: 50 } : { isEnabled: false },
      );
    }
    const { features } = await client.subscriptions.getSubscriptionEntitlements(id);
    expect(features!.map((one) => one.entitlement)).toMatchObject([{ usageLimit: 5 }, { isEnabled: false }]);
  });
});

describe('usage items', () => {
  const itemsOf = (of: string, from: string, to: string) =>
    world.run((tx) => world.service.usageItems(tx, [of], new Date(from), new Date(to)));

  it('are the usage prices in every period that meets the time asked for', async () => {
    const { id: owner } = await world.customer();
    await world.subscribe({ customer_id: owner });
    await world.advanceTo('2027-02-25T00:00:00Z');
    const found = await itemsOf(owner, '2027-01-20T00:00:00Z', '2027-01-24T09:00:00Z');
    expect(
      found.map((item) => [item.rule.meter.eventName, item.period.number, item.period.kind, item.period.open]),
    ).toEqual([
      ['table_create', 1, 'trial', false],
      ['table_create', 2, 'paid', false],
      ['contact_enrich', 1, 'trial', false],
      ['contact_enrich', 2, 'paid', false],
    ]);
    const [tables] = found;
    expect(tables!.rule.price).toMatchObject({ model: 'FLAT_FEE' });
    expect(text(tables!.rule.allowance as Decimal)).toBe('50');
    expect(await itemsOf(owner, '2027-01-09T00:00:00Z', '2027-01-10T08:59:59Z')).toEqual([]);
    expect(
      (await itemsOf(owner, '2027-02-25T00:00:00Z', '2027-02-25T00:00:00Z')).map((item) => item.period.number),
    ).toEqual([3, 3]);
  });

  it('of an older subscription come before those of a newer one, which counts when the older has ended', async () => {
    const { id: owner } = await world.customer();
    const older = await world.subscribe({ customer_id: owner });
    await world.advanceTo('2027-02-26T00:00:00Z');
    const newer = await world.subscribe({ customer_id: owner });
    const at = '2027-02-27T00:00:00Z';
    expect(new Set((await itemsOf(owner, at, at)).map((item) => item.subscriptionId))).toEqual(new Set([older]));
    await world.advanceTo(at);
    await world.run((tx) => world.service.cancel(tx, older, { type: 'immediate', finalInvoice: true, reason: null }));
    const found = await itemsOf(owner, '2027-02-26T12:00:00Z', '2027-02-27T12:00:00Z');
    expect(found.map((item) => [item.subscriptionId, item.itemStart.toISOString()])).toEqual([
      ...[1, 2].map(() => [older, '2027-02-25T00:00:00.000Z']),
      ...[1, 2].map(() => [newer, '2027-02-27T00:00:00.000Z']),
    ]);
  });
});

it("another environment's subscription is not found", async () => {
  await expect(world.runElsewhere((tx) => world.service.get(tx, id))).rejects.toMatchObject({ status: 404 });
  expect(
    await world.runElsewhere((tx) => world.service.usageItems(tx, [customerId], new Date(0), new Date(4e12))),
  ).toEqual([]);
});
