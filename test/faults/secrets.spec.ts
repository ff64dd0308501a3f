import { beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPlayground, startProcess, type ServerProcess } from '../support/processes.js';
import { Shop } from './shop.js';

/** Values that nothing else would say, in every place a secret comes from or is sent to. */
const API_KEY = 'dd_test_canary-7f3a9c-api';
const STRIPE_KEY = 'sk_test_canary7f3a9cstripe';
const WEBHOOK_SECRET = 'whsec_canary7f3a9cwebhook';
const CARD = '4000056655665556';
const CVC = 'cvc-91b7e2';
const WRONG_KEY = 'dd_test_canary-7f3a9c-wrong';

const openapi = JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, '../../openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, unknown>>;
};
const operations = Object.entries(openapi.paths).flatMap(([route, methods]) =>
  Object.keys(methods).map((method) => ({
    method: method.toUpperCase(),
    route: route.replaceAll(/\{[^}]+\}/g, 'some_id'),
  })),
);

let output = '';
let server: ServerProcess;
let shop: Shop;

/** Bodies as clients send them by mistake: secrets where they don't belong, right and wrong shapes, broken JSON. */
const bodies = [
  JSON.stringify({ name: CARD, external_id: CARD, email: `${CARD}@example.com`, number: CARD, cvc: CVC }),
  JSON.stringify({ api_key: API_KEY, secret: WEBHOOK_SECRET, authorization: STRIPE_KEY, amount: CARD, currency: CARD }),
  `{"number": "${CARD}", "secret": "${WEBHOOK_SECRET}`,
];

const send = (method: string, route: string, body: string | null, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${route}?card=${CARD}&api_key=${API_KEY}`, {
    method,
    headers: {
      'x-api-key': API_KEY,
      authorization: `Bearer ${STRIPE_KEY}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body !== null && method !== 'GET' && { body }),
  });

beforeAll(async () => {
  const playground = await startPlayground();
  server = await startProcess(
    {
      STRIPE_API_BASE: playground.sandbox.url,
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      BOOTSTRAP_API_KEY: API_KEY,
      LOG_LEVEL: 'debug',
    },
    { hear: (line) => void (output += line) },
  );
  shop = new Shop({ databaseUrl: process.env.TEST_DATABASE!, controlUrl: playground.sandbox.controlUrl });
}, 240_000);

describe('a whole run of a real process at LOG_LEVEL=debug', () => {
  it('sells, charges and is refused money, with every secret in use', async () => {
    await shop.open(server, 2);
    await shop.control('/faults', { act: '500_stored', match: { path: '/v1/payment_intents' } });
    await shop.control('/faults', { act: 'execute_then_drop', match: { path: '/v1/payment_intents' }, times: 2 });
    await shop.advance(server, '2026-02-10T12:30:00Z');
  });

  it('answers every operation of the document, with secrets in bodies, headers and queries', async () => {
    expect(operations.length).toBeGreaterThan(100);
    for (const { method, route } of operations) {
      const answers = [await send(method, route, bodies[0]!), await send(method, route, bodies[1]!)];
      if (method === 'POST') answers.push(await send(method, route, bodies[2]!));
      answers.push(await send(method, route, null, { 'x-api-key': WRONG_KEY }));
      for (const answer of answers) {
        expect(answer.status).not.toBe(500);
        await answer.body?.cancel();
      }
    }
  }, 240_000);

  it('hears forged webhooks', async () => {
    const [one] = await shop.query<{ tenant_id: string; id: string }>(`select tenant_id, id from environment limit 1`);
    const route = `/v1/webhooks/stripe/${one!.tenant_id}/${one!.id}`;
    const forged = await send('POST', route, bodies[0]!, { 'stripe-signature': `t=1,v1=${WEBHOOK_SECRET}` });
    expect(forged.status).toBe(400);
  });

  it('has written none of them in any line of its log', async () => {
    await server.stop();
    await sleep(100);
    expect(output).toContain('"msg":"request"');
    expect(output.length).toBeGreaterThan(10_000);
    const password = new URL(process.env.TEST_DATABASE!).password;
    for (const secret of [API_KEY, STRIPE_KEY, WEBHOOK_SECRET, CARD, CVC, WRONG_KEY, password]) {
      const lines = output.split('\n').filter((line) => line.includes(secret));
      expect(lines).toEqual([]);
    }
  });

  it('has kept no key in any column of its database', async () => {
    const tables = await shop.query<{ name: string }>(
      `select quote_ident(table_name) name from information_schema.tables where table_schema = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(30);
    for (const { name } of tables) {
      for (const secret of [API_KEY, STRIPE_KEY, WEBHOOK_SECRET]) {
        const found = await shop.query(`select 1 from ${name} t where t::text like '%' || $1 || '%' limit 1`, [secret]);
        expect([name, found.length]).toEqual([name, 0]);
      }
    }
  });
});
