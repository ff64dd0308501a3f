import { beforeAll, describe, expect, it } from '@jest/globals';
import { dtoCancelSubscriptionResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-cancel-subscription-response.js';
import { dtoCustomerMultiCurrencyInvoiceSummaryFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-customer-multi-currency-invoice-summary.js';
import { dtoInvoiceResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-invoice-response.js';
import { dtoListInvoicesResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-list-invoices-response.js';
import { dtoListPaymentsResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-list-payments-response.js';
import { dtoSubscriptionResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-subscription-response.js';
import { dtoTopUpWalletResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-top-up-wallet-response.js';
import { dtoWalletBalanceResponseFromJSON } from '../../../node_modules/@flexprice/sdk/esm/sdk/models/dto-wallet-balance-response.js';
import { declined, InvoicingWorld } from './invoicing-world.js';

type Parse = (json: string) => { ok: boolean; error?: unknown };

/** The published client's own schemas read our answers; with the zod it installs today they want every key at every level. */
let world: InvoicingWorld;
let customer: string;
let subscription: { id: string; latest_invoice: { id: string } | null };

const reads = (parse: Parse, body: unknown) => {
  const read = parse(JSON.stringify(body));
  expect(read.ok ? 'read' : String(read.error)).toBe('read');
};
const get = (path: string) => world.ok<Record<string, unknown>>(world.modules.api.get(path));
const post = (path: string, body: object = {}, status = 200) =>
  world.ok<Record<string, unknown>>(world.modules.api.post(path, body), status);

beforeAll(async () => {
  world = await InvoicingWorld.start('2026-01-10T09:00:00Z');
  customer = await world.customer({ card: true });
  world.gateway.willAnswer(declined());
  subscription = await world.subscribe(customer);
  await world.settled();
}, 60_000);

describe("the client's schemas", () => {
  it('read a created subscription with its invoice', () => reads(dtoSubscriptionResponseFromJSON, subscription));

  it('read an invoice', async () => {
    const invoice = await get(`/invoices/${subscription.latest_invoice!.id}`);
    reads(dtoInvoiceResponseFromJSON, invoice);
  });

  it('read found invoices', async () =>
    reads(dtoListInvoicesResponseFromJSON, await post('/invoices/search', { limit: 5 })));

  it('read a preview', async () =>
    reads(dtoInvoiceResponseFromJSON, await post('/invoices/preview', { subscription_id: subscription.id })));

  it('read payments with their attempts', async () => {
    const payments = await get('/payments');
    expect(payments['items']).toMatchObject([{ attempts: [{ attempt_number: 1 }] }]);
    reads(dtoListPaymentsResponseFromJSON, payments);
  });

  it('read a top-up, credits at once or an invoice, and the balance after it', async () => {
    const wallet = await world.wallet(customer);
    for (const transaction_reason of ['FREE_CREDIT_GRANT', 'PURCHASED_CREDIT_INVOICED'])
      reads(
        dtoTopUpWalletResponseFromJSON,
        await post(`/wallets/${wallet}/top-up`, { transaction_reason, credits_to_add: '100' }),
      );
    reads(dtoWalletBalanceResponseFromJSON, await world.balance(wallet));
  });

  it("read a customer's summary", async () =>
    reads(dtoCustomerMultiCurrencyInvoiceSummaryFromJSON, await get(`/customers/${customer}/invoices/summary`)));

  it('read a cancellation', async () =>
    reads(
      dtoCancelSubscriptionResponseFromJSON,
      await post(`/subscriptions/${subscription.id}/cancel`, { cancellation_type: 'immediate' }),
    ));

  it('would not read an invoice without one of its keys', async () => {
    const { paid_at: _, ...incomplete } = await get(`/invoices/${subscription.latest_invoice!.id}`);
    expect(dtoInvoiceResponseFromJSON(JSON.stringify(incomplete)).ok).toBe(false);
  });
});
