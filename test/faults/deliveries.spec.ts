import { beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@drawdown/platform';
import { StripeInbox } from '@drawdown/stripe';
import { sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import Stripe from 'stripe';
import { startModules, type Modules } from '../support/modules.js';
import { Story } from '../scenarios/story.js';

/** The whole by hand: `WEBHOOK_DELIVERIES=10000`. */
const DELIVERIES = Number(process.env.WEBHOOK_DELIVERIES ?? 600);
const SEED = Number(process.env.WEBHOOK_SEED ?? 20260110);
const SENDERS = 3;
/** Of one event: itself ten times, and once more under another id. */
const REPEATS = 10;
const EVENTS_OF_A_PURCHASE = 4;
const PURCHASES = Math.max(1, Math.floor(DELIVERIES / ((REPEATS + 1) * EVENTS_OF_A_PURCHASE)));
const SECRET = 'whsec_of_the_deliveries';
const CREDITS = '500';

/** Mulberry32: the same order for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

describe(`${DELIVERIES} deliveries of webhooks, permuted and repeated, from three senders (seed ${SEED})`, () => {
  let modules: Modules;
  let stripe: Stripe;
  const wallets: string[] = [];

  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    const { hostname, port } = new URL(modules.sandbox.url);
    stripe = new Stripe('sk_test_sandbox', { host: hostname, port, protocol: 'http', telemetry: false });
    const { tenantId, environmentId } = modules.scope;
    await modules.run((tx) =>
      sql`insert into stripe_webhook_secret (id, tenant_id, environment_id, url, secret, created_at, updated_at)
          values (${newId('we')}, ${tenantId}, ${environmentId}, 'https://example.com', ${SECRET}, now(), now())`.execute(
        tx.db,
      ),
    );
    const story = new Story(modules);
    for (let i = 0; i < PURCHASES; i++) {
      const { id } = await story.post<{ id: string }>('/customers', { external_id: `buyer-${i}` });
      const wallet = await story.post<{ id: string }>('/wallets', { customer_id: id, currency: 'usd' }, 200);
      const session = await story.post<{ url: string }>('/checkout/sessions', {
        mode: 'top_up',
        wallet_id: wallet.id,
        credits: CREDITS,
        success_url: 'https://example.com/done',
        cancel_url: 'https://example.com/cancelled',
      });
      await story.fillIn(session.url, '4242424242424242');
      wallets.push(wallet.id);
    }
  }, 1_800_000);

  it('are each acknowledged, and every purchase brings its credits once', async () => {
    const events: Stripe.Event[] = [];
    for await (const event of stripe.events.list({ limit: 100 })) events.push(event);
    const bodies = events.flatMap((event) => [
      ...Array.from({ length: REPEATS }, () => JSON.stringify(event)),
      JSON.stringify({ ...event, id: `${event.id}_twin` }),
    ]);
    const queue = shuffled(bodies, random(SEED)).slice(0, DELIVERIES);
    while (queue.length < DELIVERIES)
      queue.push(...shuffled(bodies, random(SEED + queue.length)).slice(0, DELIVERIES - queue.length));
    const { tenantId, environmentId } = modules.scope;
    const address = `${modules.url}/v1/webhooks/stripe/${tenantId}/${environmentId}`;
    const times: number[] = [];
    const statuses = new Map<number, number>();
    const sender = async () => {
      for (let body = queue.pop(); body !== undefined; body = queue.pop()) {
        const header = stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRET });
        const begin = performance.now();
        const answer = await fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'stripe-signature': header },
          body,
        });
        times.push(performance.now() - begin);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    expect(Object.fromEntries(statuses)).toEqual({ 200: DELIVERIES });
    await handled();
    const held = await modules.run((tx) =>
      sql<{ credit_balance: string; lots: number; receipts: number }>`
          select trim_scale(w.credit_balance)::text credit_balance,
                 (select count(*)::int from lot l where l.wallet_id = w.id) lots,
                 (select count(*)::int from payment_receipt r join credit_purchase p on p.invoice_id = r.invoice_id
                  where p.wallet_id = w.id) receipts
          from wallet w`.execute(tx.db),
    );
    expect(held.rows).toEqual(wallets.map(() => ({ credit_balance: CREDITS, lots: 1, receipts: 1 })));
    times.sort((a, b) => a - b);
    console.log(
      `${DELIVERIES} deliveries of ${events.length} events about ${PURCHASES} purchases: acknowledged p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`,
    );
  }, 3_600_000);

  /** The server's own worker handles them; what it has not done is waited for. */
  async function handled(): Promise<void> {
    for (;;) {
      await modules.get(StripeInbox).handleDue();
      const waiting = await modules.run((tx) =>
        sql<{ n: number }>`select count(*)::int n from stripe_event where status in ('received', 'parked')`.execute(
          tx.db,
        ),
      );
      if (waiting.rows[0]!.n === 0) return;
      await sleep(100);
    }
  }
});

const at = (times: readonly number[], quantile: number): string =>
  times[Math.min(times.length - 1, Math.floor(times.length * quantile))]!.toFixed(1);
