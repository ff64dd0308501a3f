import { expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { defineStarter } from '../../apps/demo/src/starter-plan.js';
import type { ServerProcess } from '../support/processes.js';

export const FIRST_DAY = '2026-01-10T09:00:00Z';
const urls = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };
const HEADERS = { 'content-type': 'application/json' };

/** Where a shop's facts are: its database, and Stripe's own books. */
export interface Books {
  readonly databaseUrl: string;
  readonly controlUrl: string;
}

/** A handful of customers with saved cards on the Starter plan, and what must be true of their bills. */
export class Shop {
  private customers = 0;

  constructor(private readonly books: Books) {}

  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client(this.books.databaseUrl);
    client.on('error', () => {}); // the database may be killed under us
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  setClock = (at: string) => this.query(`update environment set clock_at = $1 where type = 'development'`, [at]);

  /** Opens at the first day; each customer's first fee is paid by card. */
  async open(server: ServerProcess, customers: number): Promise<void> {
    await this.setClock(FIRST_DAY);
    const made = async (path: string, body: object) => (await server.post(path, body).expect(201)).body;
    const { planId } = await defineStarter(made, 'shop', 0);
    for (; this.customers < customers; this.customers++) {
      const external_id = `customer-${this.customers}`;
      const { id } = await made('/customers', { external_id });
      const session = await made('/checkout/sessions', { mode: 'setup', customer_id: id, ...urls });
      await this.control(`/sessions/${new URL(session.url).pathname.split('/').at(-1)}/complete`, {});
      await server.get(`/checkout/sessions/${session.id}`).expect(200);
      await made('/subscriptions', {
        external_customer_id: external_id,
        plan_id: planId,
        currency: 'usd',
        billing_period: 'MONTHLY',
        billing_cadence: 'RECURRING',
        billing_cycle: 'anniversary',
      });
    }
  }

  /** Moves the clock, again and again until it has worked; leases of what broke off are over meanwhile. */
  async advance(server: ServerProcess, to: string): Promise<void> {
    let status = 0;
    for (let attempt = 0; attempt < 100 && status !== 200; attempt++) {
      await this.query(`update outbox_delivery set leased_until = null where status = 'pending'`).catch(() => {});
      status = await server.post('/clock/advance', { to }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status !== 200) await sleep(200);
    }
    expect(status).toBe(200);
  }

  /** So many fees of 149 were asked, each is paid, and Stripe has charged each once. */
  async expectPaidOnce(fees: number): Promise<void> {
    const invoices = await this.query<{ id: string; payment_status: string; total: string }>(
      `select id, payment_status, trim_scale(total)::text total from invoice where status = 'FINALIZED'`,
    );
    expect(invoices.map(({ payment_status, total }) => `${payment_status} ${total}`)).toEqual(
      Array.from({ length: fees }, () => 'SUCCEEDED 149'),
    );
    const { groups } = await this.control<{ groups: Record<string, { successful: number; amount: number }> }>(
      '/charges?status=succeeded&group_by=invoice_id',
    );
    expect(groups).toEqual(Object.fromEntries(invoices.map(({ id }) => [id, { successful: 1, amount: 14900 }])));
  }

  async control<T>(path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.books.controlUrl}${path}`, {
      ...(body && { method: 'POST', headers: HEADERS, body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  }
}

/** @throws after a minute. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await condition().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`waited in vain for ${what}`);
}
