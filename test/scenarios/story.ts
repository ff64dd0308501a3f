import { expect } from '@jest/globals';
import { Decimal } from '@drawdown/billing-core';
import { defineStarter, type StarterIds } from '../../apps/demo/src/starter-plan.js';
import { Outbox } from '@drawdown/platform';
import { Reconciliation, StripeInbox } from '@drawdown/stripe';
import { sql } from 'kysely';
import type { Modules } from '../support/modules.js';

export interface InvoiceBody {
  id: string;
  invoice_status: string;
  payment_status: string;
  invoice_number: string | null;
  total: string;
  amount_due: string;
  amount_remaining: string;
  total_prepaid_credits_applied: string;
  billing_reason: string;
  period_start: string;
  period_end: string;
  line_items: {
    display_name: string;
    amount: string;
    quantity: string;
    prepaid_credits_applied: string;
    line_item_discount: string;
    price_type: string;
    period_start: string;
    period_end: string;
  }[];
}

/** The steps a story over HTTP is told in; every one goes through the public API. */
export class Story {
  starter: StarterIds;
  private events = 0;

  constructor(readonly modules: Modules) {}

  async post<T>(path: string, body: object, status = 201): Promise<T> {
    const answer = await this.modules.api.post(path, body);
    expect({ path, status: answer.status, body: answer.status === status ? null : answer.body }).toEqual({
      path,
      status,
      body: null,
    });
    return answer.body as T;
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.modules.api.get(path);
    expect({ path, status: answer.status, body: answer.status === 200 ? null : answer.body }).toEqual({
      path,
      status: 200,
      body: null,
    });
    return answer.body as T;
  }

  async defineStarter(trialDays?: number): Promise<void> {
    this.starter = await defineStarter((path, body) => this.post(path, body), `key-${this.events++}`, trialDays);
  }

  async subscribe(externalId: string, options: object = {}): Promise<Subscriber> {
    const customer = await this.post<{ id: string }>('/customers', { external_id: externalId, name: externalId });
    return this.subscribeCustomer(externalId, customer.id, options);
  }

  /** Somebody who is a customer already. */
  async subscribeCustomer(externalId: string, customerId: string, options: object = {}): Promise<Subscriber> {
    const subscription = await this.post<{ id: string; subscription_status: string }>('/subscriptions', {
      external_customer_id: externalId,
      plan_id: this.starter.planId,
      currency: 'usd',
      billing_period: 'MONTHLY',
      billing_cadence: 'RECURRING',
      billing_cycle: 'anniversary',
      ...options,
    });
    return new Subscriber(this, externalId, customerId, subscription.id);
  }

  saveCardOf(customerId: string, card: string): Promise<void> {
    return this.checkout({ mode: 'setup', customer_id: customerId }, card);
  }

  /** What a buyer does on a hosted page. */
  fillIn(pageUrl: string, card: string): Promise<void> {
    return completeHostedPage(this.modules.sandbox.controlUrl, pageUrl, card);
  }

  /** Without a single webhook: the sweep finds what happened at Stripe. */
  async hear(): Promise<void> {
    await this.modules.run((tx) => sql`update stripe_sweep set claimed_until = now() - interval '1 s'`.execute(tx.db));
    await this.modules.get(Reconciliation).sweepEvents();
    await this.modules.get(StripeInbox).handleDue();
    await this.modules.get(Outbox).drain(this.modules.scope);
  }

  /** Opens a hosted page and fills it in, as its customer does. */
  async checkout(body: object, card = '4242424242424242'): Promise<void> {
    const session = await this.post<{ id: string; url: string }>('/checkout/sessions', {
      ...body,
      success_url: 'https://example.com/done',
      cancel_url: 'https://example.com/cancelled',
    });
    await completeHostedPage(this.modules.sandbox.controlUrl, session.url, card);
    await this.get(`/checkout/sessions/${session.id}`);
  }
}

export class Subscriber {
  private events = 0;

  constructor(
    private readonly story: Story,
    readonly externalId: string,
    readonly customerId: string,
    readonly subscriptionId: string,
  ) {}

  /** Creates tables, one event each; returns the credits burnt. */
  tables(count: number): Promise<string[]> {
    return this.ingest(Array.from({ length: count }, () => ['table_create', { status: 'success' }]));
  }

  enrich(rows: number): Promise<string[]> {
    return this.ingest([['contact_enrich', { rows: String(rows) }]]);
  }

  async ingest(events: [name: string, properties: Record<string, string>][]): Promise<string[]> {
    const burned: string[] = [];
    for (const [name, properties] of events) burned.push((await this.send(name, properties)).credits_burned);
    return burned;
  }

  send(name: string, properties: Record<string, string>, extra: { event_id?: string; timestamp?: string } = {}) {
    return this.story.post<{ event_id: string; status: string; credits_burned: string }>(
      '/events',
      {
        event_name: name,
        external_customer_id: this.externalId,
        event_id: `${this.externalId}-${++this.events}`,
        properties,
        ...extra,
      },
      202,
    );
  }

  async wallet(): Promise<{ id: string; credit_balance: string }> {
    const wallets = await this.story.get<{ id: string; credit_balance: string }[]>(
      `/customers/${this.customerId}/wallets`,
    );
    return wallets[0]!;
  }

  /** The balance people read. */
  async balance(): Promise<string> {
    const { id } = await this.wallet();
    const body = await this.story.get<{ real_time_credit_balance: string }>(`/wallets/${id}/balance/real-time`);
    return body.real_time_credit_balance;
  }

  /** What the ledger holds, expired credits that wait for late usage included. */
  async ledger(): Promise<string> {
    return (await this.wallet()).credit_balance;
  }

  async subscription<T = { subscription_status: string; current_period_start: string; current_period_end: string }>() {
    return this.story.get<T>(`/subscriptions/${this.subscriptionId}`);
  }

  /** Its invoices, oldest first. */
  async invoices(): Promise<InvoiceBody[]> {
    const found = await this.story.post<{ items: { id: string }[] }>(
      '/invoices/search',
      { customer_id: this.customerId, order: 'asc', limit: 1000 },
      200,
    );
    return Promise.all(found.items.map((invoice) => this.story.get<InvoiceBody>(`/invoices/${invoice.id}`)));
  }

  async lastInvoice(): Promise<InvoiceBody> {
    return (await this.invoices()).at(-1)!;
  }

  /** Pays an open invoice by the hosted page, as a person with a good card does. */
  async pay(invoice: InvoiceBody): Promise<void> {
    await this.checkout({ mode: 'invoice', invoice_id: invoice.id });
  }

  /** As `pay`, with another card. */
  async payWith(invoice: InvoiceBody, card: string): Promise<void> {
    await this.checkout({ mode: 'invoice', invoice_id: invoice.id }, card);
  }

  async buy(credits: string): Promise<void> {
    await this.checkout({ mode: 'top_up', wallet_id: (await this.wallet()).id, credits });
  }

  saveCard(card?: string): Promise<void> {
    return this.checkout({ mode: 'setup', customer_id: this.customerId }, card);
  }

  private checkout(body: object, card?: string): Promise<void> {
    return this.story.checkout(body, card);
  }
}

async function completeHostedPage(controlUrl: string, pageUrl: string, card: string): Promise<void> {
  const gatewaySession = new URL(pageUrl).pathname.split('/').at(-1)!;
  const answer = await fetch(`${controlUrl}/sessions/${gatewaySession}/complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ card }),
  });
  expect(answer.status).toBe(200);
}

/** Amounts compare as numbers, not as texts: "149" and "149.00" are the same money. */
export const amounts = (...values: (string | null | undefined)[]): string[] =>
  values.map((value) => (value === null || value === undefined ? String(value) : new Decimal(value).toString()));

/** The events of a subscription and its invoices at an instant of the clock, in order. */
export async function eventsOf(modules: Modules, subscriptionId: string, instant: string): Promise<string[]> {
  const found = await modules.run((tx) =>
    sql<{ name: string }>`
      select name from outbox_event
      where payload ->> 'subscription_id' = ${subscriptionId} and at = ${instant} order by seq`.execute(tx.db),
  );
  return found.rows.map(({ name }) => name);
}
