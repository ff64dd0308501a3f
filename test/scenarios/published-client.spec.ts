import { Flexprice } from '@flexprice/sdk';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { API_KEY, startModules, type Modules } from '../support/modules.js';
import { amounts } from './story.js';

/** The published client of the market, as npm installs it today (zod 4.6), unchanged, through the walk-through. */
describe('@flexprice/sdk 2.0.1', () => {
  let modules: Modules;
  let client: Flexprice;
  let customerId: string;
  let subscriptionId: string;

  const walletId = async () => (await client.wallets.getWalletsByCustomerId(customerId))[0]!.id!;
  const balance = async () => (await client.wallets.getWalletBalance(await walletId())).realTimeCreditBalance;
  const ingest = (eventId: string, eventName: string, properties: Record<string, string>) =>
    client.events.ingestEvent({ eventName, externalCustomerId: 'acme', eventId, properties });

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    client = new Flexprice({ serverURL: `${modules.url}/v1`, apiKeyAuth: API_KEY });
  });

  it('defines features, plan, prices, entitlements and grants', async () => {
    const tables = await client.features.createFeature({
      name: 'Tables',
      type: 'metered',
      lookupKey: 'table_create',
      meter: {
        name: 'Tables',
        eventName: 'table_create',
        aggregation: { type: 'COUNT' },
        filters: [{ key: 'status', values: ['success'] }],
        resetUsage: 'BILLING_PERIOD',
      },
    });
    const rows = await client.features.createFeature({
      name: 'Rows',
      type: 'metered',
      meter: {
        name: 'Rows',
        eventName: 'contact_enrich',
        aggregation: { type: 'SUM', field: 'rows' },
        resetUsage: 'BILLING_PERIOD',
      },
    });
    const exporting = await client.features.createFeature({ name: 'Export', type: 'boolean' });
    const plan = await client.plans.createPlan({ name: 'Starter', lookupKey: 'starter' });
    const price = {
      billingModel: 'FLAT_FEE',
      billingPeriod: 'MONTHLY',
      billingCadence: 'RECURRING',
      priceUnitType: 'FIAT',
      currency: 'usd',
      entityType: 'PLAN',
      entityId: plan.id!,
    } as const;
    await client.prices.createPrice({
      ...price,
      type: 'FIXED',
      invoiceCadence: 'ADVANCE',
      amount: '149',
      trialPeriod: 14,
    });
    await client.prices.createPrice({
      ...price,
      type: 'USAGE',
      invoiceCadence: 'ARREAR',
      amount: '10',
      meterId: tables.meterId!,
    });
    await client.prices.createPrice({
      ...price,
      type: 'USAGE',
      invoiceCadence: 'ARREAR',
      amount: '1.5',
      meterId: rows.meterId!,
    });
    await client.entitlements.createEntitlement({
      planId: plan.id!,
      featureId: tables.id!,
      featureType: 'metered',
      isEnabled: true,
      usageLimit: 5,
      usageResetPeriod: 'MONTHLY',
    });
    await client.entitlements.createEntitlement({
      planId: plan.id!,
      featureId: exporting.id!,
      featureType: 'boolean',
      isEnabled: true,
    });
    const grant = { scope: 'PLAN', planId: plan.id! } as const;
    await client.creditGrants.createCreditGrant({
      ...grant,
      name: 'Trial',
      cadence: 'ONETIME',
      credits: '100',
      expirationType: 'DURATION',
      expirationDuration: 14,
      expirationDurationUnit: 'DAY',
    });
    await client.creditGrants.createCreditGrant({
      ...grant,
      name: 'Monthly',
      cadence: 'RECURRING',
      credits: '2000',
      period: 'MONTHLY',
      periodCount: 1,
      expirationType: 'BILLING_CYCLE',
    });
    const offered = await client.plans.getPlan(plan.id!);
    expect(offered.prices).toHaveLength(3);
    expect(offered.entitlements).toHaveLength(2);
    expect(offered.creditGrants).toHaveLength(2);
  });

  it('subscribes a customer with a trial', async () => {
    const customer = await client.customers.createCustomer({
      externalId: 'acme',
      name: 'Acme',
      email: 'acme@example.com',
    });
    customerId = customer.id!;
    const { items } = await client.plans.queryPlan({ lookupKey: 'starter' });
    const subscription = await client.subscriptions.createSubscription({
      externalCustomerId: 'acme',
      planId: items![0]!.id!,
      currency: 'usd',
      billingPeriod: 'MONTHLY',
      billingCadence: 'RECURRING',
      billingCycle: 'anniversary',
    });
    subscriptionId = subscription.id!;
    expect(subscription.subscriptionStatus).toBe('trialing');
    expect(subscription.trialEnd).toBe('2026-01-24T09:00:00.000Z');
    expect(await balance()).toBe('100');
  });

  it('reads 100, 100 after five free tables, 70 after 20 rows, 70 after the same event again, 60 after the sixth table', async () => {
    for (let i = 1; i <= 5; i++) await ingest(`table-${i}`, 'table_create', { status: 'success' });
    expect(await balance()).toBe('100');
    const answer = await ingest('rows-1', 'contact_enrich', { rows: '20' });
    expect(answer).toMatchObject({ event_id: 'rows-1', status: 'accepted', credits_burned: '30' });
    expect(await balance()).toBe('70');
    await ingest('rows-1', 'contact_enrich', { rows: '20' });
    expect(await balance()).toBe('70');
    await client.events.ingestEventsBulk({
      events: [
        {
          eventName: 'table_create',
          externalCustomerId: 'acme',
          eventId: 'table-6',
          properties: { status: 'success' },
        },
      ],
    });
    expect(await balance()).toBe('60');
  });

  it('reads 2000 after the trial and a payable invoice of 149', async () => {
    await modules.advanceTo('2026-01-24T10:00:00Z');
    expect(await balance()).toBe('2000');
    const { items } = await client.invoices.queryInvoice({ subscriptionId });
    expect(items).toHaveLength(1);
    const invoice = await client.invoices.getInvoice(items![0]!.id!);
    expect(invoice.invoiceStatus).toBe('FINALIZED');
    expect(amounts(invoice.amountDue)).toEqual(['149']);
  });

  it('reads 0 after 1,500 rows, with 250 due as usage beside the next 149', async () => {
    await ingest('rows-2', 'contact_enrich', { rows: '1500' });
    expect(await balance()).toBe('0');
    const preview = await client.invoices.getInvoicePreview({ subscriptionId });
    expect(amounts(preview.amountDue)).toEqual(['399']);
    await modules.advanceTo('2026-02-24T10:00:00Z');
    const { items } = await client.invoices.queryInvoice({ subscriptionId });
    const invoice = await client.invoices.getInvoice(items![0]!.id!);
    expect(amounts(invoice.amountDue, invoice.totalPrepaidCreditsApplied)).toEqual(['399', '2000']);
  });

  it('cancels', async () => {
    const cancelled = await client.subscriptions.cancelSubscription(subscriptionId, { cancellationType: 'immediate' });
    expect(cancelled.status).toBe('cancelled');
  });

  it('gets 501 in its own error shape for what is not served', async () => {
    await expect(client.coupons.queryCoupon({})).rejects.toMatchObject({ statusCode: 501 });
  });
});
