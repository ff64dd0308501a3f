import { beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPlayground, type ServerProcess } from '../support/processes.js';

/** Two real processes spend one wallet of 10,000 credits, 1.5 at a time, over 64 connections: never more than there is. */
const CONNECTIONS = 64;
const CREDITS = 10_000;
const AFFORDABLE = 6_666;

let playground: Awaited<ReturnType<typeof startPlayground>>;
let servers: ServerProcess[];
let planId: string;

beforeAll(async () => {
  playground = await startPlayground();
  servers = [await playground.start(), await playground.start()];
  await playground.query(`update environment set clock_at = '2026-01-10T09:00:00Z' where type = 'development'`);
  planId = await definePlan();
});

describe('one wallet, 64 connections, two processes', () => {
  it('allows exactly 6,666 and leaves 1', async () => {
    const customerId = await customerWithCredits('spender');
    const allowed = await spend('spender', () => servers);
    expect(allowed.size).toBe(AFFORDABLE);
    await expectSpent(customerId);
  });

  it('the same with kill -9 of one process in the middle, what was not answered sent again', async () => {
    const customerId = await customerWithCredits('survivor');
    const spending = spend('survivor', () => servers);
    await sleep(1_500);
    const [survivor, killed] = servers as [ServerProcess, ServerProcess];
    servers = [survivor];
    await killed.kill();
    const allowed = await spending;
    expect(allowed.size).toBe(AFFORDABLE);
    await expectSpent(customerId);
  });
});

/** Each connection asks until it is refused; an unanswered request is sent again, with its key, to whoever is left. */
async function spend(externalId: string, alive: () => readonly ServerProcess[]): Promise<Set<string>> {
  const holds = new Set<string>();
  let next = 0;
  const connection = async (number: number) => {
    for (;;) {
      const key = `${externalId}-${next++}`;
      const answer = await insist(key, externalId, number, alive);
      if (!answer.allowed) return expect(answer.reason).toBe('insufficient_credits');
      holds.add(answer.id);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => connection(number)));
  return holds;
}

async function insist(
  key: string,
  externalId: string,
  number: number,
  alive: () => readonly ServerProcess[],
): Promise<{ id: string; allowed: boolean; reason: string | null }> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const server = alive()[(number + attempt) % alive().length]!;
    const answer = await server
      .post('/credits/authorize', {
        external_customer_id: externalId,
        event_name: 'row',
        properties: { count: '1' },
        idempotency_key: key,
      })
      .catch(() => null);
    if (answer?.status === 200) return answer.body;
    await sleep(50);
  }
  throw new Error(`${key} was never answered`);
}

async function expectSpent(customerId: string): Promise<void> {
  const [wallet] = (await servers[0]!.get(`/customers/${customerId}/wallets`).expect(200)).body;
  const balance = await servers[0]!.get(`/wallets/${wallet.id}/balance/real-time`).expect(200);
  expect([wallet.credit_balance, balance.body.real_time_credit_balance]).toEqual([String(CREDITS), '1']);
  const [kept] = await playground.query<{ holds: number; credits: string }>(
    `select count(*)::int holds, trim_scale(sum(credits))::text credits from hold where customer_id = $1 and status = 'open'`,
    [customerId],
  );
  expect(kept).toEqual({ holds: AFFORDABLE, credits: '9999' });
  expect(playground.audit()).toContain('invariants hold');
}

async function customerWithCredits(externalId: string): Promise<string> {
  const customer = await made('/customers', { external_id: externalId });
  await made('/subscriptions', {
    external_customer_id: externalId,
    plan_id: planId,
    currency: 'usd',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    billing_cycle: 'anniversary',
  });
  const wallet = { external_customer_id: externalId, currency: 'usd', initial_credits_to_load: String(CREDITS) };
  await made('/wallets', wallet);
  return customer.id;
}

async function definePlan(): Promise<string> {
  const feature = await made<{ meter_id: string }>('/features', {
    name: 'Rows',
    type: 'metered',
    meter: {
      name: 'Rows',
      event_name: 'row',
      aggregation: { type: 'SUM', field: 'count' },
      filters: [],
      reset_usage: 'BILLING_PERIOD',
    },
  });
  const plan = await made('/plans', { name: 'Rows' });
  await made('/prices', {
    entity_type: 'PLAN',
    entity_id: plan.id,
    meter_id: feature.meter_id,
    type: 'USAGE',
    invoice_cadence: 'ARREAR',
    billing_model: 'FLAT_FEE',
    billing_period: 'MONTHLY',
    billing_cadence: 'RECURRING',
    price_unit_type: 'FIAT',
    currency: 'usd',
    amount: '1.5',
  });
  return plan.id;
}

async function made<T = { id: string }>(path: string, body: object): Promise<T> {
  const answer = await servers[0]!.post(path, body);
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.body as T;
}
