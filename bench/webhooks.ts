import { createHmac } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchDatabase } from './database.js';
import { queryOnce } from './database.js';
import { freePort } from './processes.js';
import { Product } from './product.js';
import { table, type Report } from './report.js';

const SECRET = 'whsec_of_the_bench';
const SENDERS = 3;
const PER_SECOND = 25;
const PURCHASES = 20;
const CREDITS = '500';
const URLS = { success_url: 'https://example.com/done', cancel_url: 'https://example.com/cancelled' };

interface StripeEvent {
  readonly id: string;
}

/**
 * Promise P12: webhooks are acknowledged in under a second at 25 a second, while the events are handled. Real events of
 * real purchases, each delivery under an id of its own so that every one is stored and handled; an open loop: each is due
 * at its instant whatever became of those before, and its time counts from there.
 */
export async function webhooks(database: BenchDatabase, { seconds }: { seconds: number }): Promise<Report> {
  const url = await database.fresh('bench_webhooks');
  const [sandboxPort, controlPort] = [await freePort(), await freePort()];
  const drawdown = await Product.start(url, {
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_SANDBOX_PORT: String(sandboxPort),
    STRIPE_SANDBOX_CONTROL_PORT: String(controlPort),
  });
  const path = await buy(drawdown, controlPort);
  const events = await eventsAt(sandboxPort);
  const times = await deliver(`http://127.0.0.1:${drawdown.server.port}${path}`, events, seconds * PER_SECOND);
  await handled(url);
  const [held] = await queryOnce<{ lots: number }>(url, 'select count(*)::int lots from lot');
  await drawdown.server.stop();
  if (held!.lots !== PURCHASES) throw new Error(`${PURCHASES} purchases brought ${held!.lots} lots`);
  const at = (quantile: number) => times[Math.min(times.length - 1, Math.floor(times.length * quantile))]!;
  return {
    title: 'Webhooks acknowledged',
    lines: [
      table(
        ['deliveries', 'a second', 'senders', 'p50, ms', 'p99, ms', 'slowest, ms'],
        [[String(times.length), PER_SECOND, SENDERS, at(0.5), at(0.99), times.at(-1)!]],
      ),
      '',
      `${PURCHASES} purchases told of ${times.length} times brought their credits once each.`,
    ],
  };
}

/** So many customers buy credits on the hosted page. @returns where this environment's webhooks go. */
async function buy(drawdown: Product, controlPort: number): Promise<string> {
  let path = '';
  for (let i = 0; i < PURCHASES; i++) {
    const buyer = await drawdown.post<{ id: string; tenant_id: string; environment_id: string }>('/customers', {
      external_id: `buyer-${i}`,
    });
    path = `/v1/webhooks/stripe/${buyer.tenant_id}/${buyer.environment_id}`;
    const wallet = await drawdown.post('/wallets', { customer_id: buyer.id, currency: 'usd' });
    const order = { mode: 'top_up', wallet_id: wallet.id, credits: CREDITS, ...URLS };
    const session = await drawdown.post<{ url: string }>('/checkout/sessions', order);
    const id = new URL(session.url).pathname.split('/').at(-1)!;
    await fetch(`http://127.0.0.1:${controlPort}/sessions/${id}/complete`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ card: '4242424242424242' }),
    });
  }
  return path;
}

async function eventsAt(sandboxPort: number): Promise<StripeEvent[]> {
  const answer = await fetch(`http://127.0.0.1:${sandboxPort}/v1/events?limit=100`, {
    headers: { authorization: 'Bearer sk_test_sandbox' },
  });
  return ((await answer.json()) as { data: StripeEvent[] }).data;
}

/** @returns the milliseconds from each delivery's instant to its acknowledgement, ascending. @throws for another answer than 2xx. */
async function deliver(address: string, events: readonly StripeEvent[], count: number): Promise<number[]> {
  const begin = performance.now() + 100;
  const times: number[] = [];
  const sender = async (number: number) => {
    for (let n = number; n < count; n += SENDERS) {
      const due = begin + (n * 1000) / PER_SECOND;
      await sleep(Math.max(0, due - performance.now()));
      const event = events[n % events.length]!;
      const body = JSON.stringify({ ...event, id: `${event.id}_${n}` });
      const headers = { 'content-type': 'application/json', 'stripe-signature': signed(body) };
      const answer = await fetch(address, { method: 'POST', headers, body });
      if (!answer.ok) throw new Error(`a delivery was answered with ${answer.status}`);
      times.push(performance.now() - due);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, (_, number) => sender(number)));
  return times.toSorted((a, b) => a - b);
}

function signed(body: string): string {
  const at = Math.floor(new Date(performance.timeOrigin + performance.now()).getTime() / 1000);
  return `t=${at},v1=${createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex')}`;
}

async function handled(url: string): Promise<void> {
  for (;;) {
    const [waiting] = await queryOnce<{ n: number }>(
      url,
      "select count(*)::int n from stripe_event where status = 'received'",
    );
    if (waiting!.n === 0) return;
    await sleep(200);
  }
}
