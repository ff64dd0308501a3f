// npm run test:browser: a person buys credits on the hosted page, in a real browser. Screenshots in .data/screenshots.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chromium, type Page } from './chromium.js';

const root = path.resolve(import.meta.dirname, '../..');
const KEY = 'dd_test_the-key-of-the-browser';
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-hosted-page-'));
const shot = (page: Page, name: string) => page.screenshot(path.join(root, `.data/screenshots/${name}.png`));

let server: ChildProcess;
let merchant: http.Server;
let browser: Chromium;
let url: string;
let walletId: string;

before(async () => {
  fs.chmodSync(dir, 0o755);
  const [port, postgres, sandbox, control] = await freePorts(4);
  url = `http://127.0.0.1:${port}`;
  server = spawn(process.execPath, ['apps/start.mjs', 'server'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(port),
      BOOTSTRAP_API_KEY: KEY,
      EMBEDDED_PG_DIR: path.join(dir, 'postgres'),
      EMBEDDED_PG_PORT: String(postgres),
      STRIPE_SANDBOX_PORT: String(sandbox),
      STRIPE_SANDBOX_CONTROL_PORT: String(control),
      STRIPE_SANDBOX_DIR: path.join(dir, 'sandbox'),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  merchant = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(`<h1>The shop: ${request.url!.slice(1)}</h1>`);
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
  while (!(await isReady())) await sleep(100);
  const { id } = await api<{ id: string }>('POST', '/customers', { external_id: 'ada', name: 'Ada Lovelace' });
  walletId = (await api<{ id: string }>('POST', '/wallets', { customer_id: id, currency: 'usd' })).id;
  browser = await Chromium.start();
});

after(async () => {
  await browser?.close();
  merchant?.close();
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await gone;
  fs.rmSync(dir, { recursive: true, force: true });
});

void test('buys 500 credits with a good card, and they are there on landing', async () => {
  const page = await openPage('500');
  await shot(page, 'pay');
  await page.look(390, 'dark');
  await shot(page, 'pay-phone-dark');
  await page.look(900, 'light');
  assert.match(await page.text(), /500\.00 USD/);
  await page.press('Pay 500.00 USD');
  await shot(page, 'landed');
  assert.match(await page.text(), /The shop: thanks/);
  assert.equal(await balance(), '500');
});

void test('is declined, is told so, and pays with another card', async () => {
  const page = await openPage('30');
  await page.fill('Card number', '4000 0000 0000 0002');
  await page.press('Pay 30.00 USD');
  await shot(page, 'declined');
  assert.match(await page.text(), /declined/);
  assert.equal(await balance(), '500');
  await page.fill('Card number', '4242 4242 4242 4242');
  await page.press('Pay 30.00 USD');
  assert.match(await page.text(), /The shop: thanks/);
  assert.equal(await balance(), '530');
});

void test('is told of a number that is none', async () => {
  const page = await openPage('30');
  await page.fill('Card number', '1234 5678 1234 5678');
  await page.press('Pay 30.00 USD');
  await shot(page, 'wrong-number');
  assert.match(await page.text(), /card number is incorrect/);
});

void test('fails 3-D Secure, then passes it', async () => {
  const page = await openPage('70');
  await page.fill('Card number', '4000 0027 6000 3184');
  await page.press('Pay 70.00 USD');
  await shot(page, '3ds');
  assert.match(await page.text(), /Your bank asks you/);
  await page.press('Fail authentication');
  await shot(page, '3ds-failed');
  assert.equal(await balance(), '530');
  await page.fill('Card number', '4000 0027 6000 3184');
  await page.press('Pay 70.00 USD');
  await page.press('Complete authentication');
  assert.match(await page.text(), /The shop: thanks/);
  assert.equal(await balance(), '600');
});

void test('cancels and is back in the shop; nothing was paid, and the page still works', async () => {
  const page = await openPage('40');
  const address = await page.address();
  await page.press('Cancel and go back');
  assert.match(await page.text(), /The shop: cancelled/);
  assert.equal(await balance(), '600');
  await page.go(address);
  await page.press('Pay 40.00 USD');
  assert.equal(await balance(), '640');
  await page.go(address);
  await shot(page, 'paid-already');
  assert.match(await page.text(), /already been completed/);
});

async function openPage(credits: string): Promise<Page> {
  const shop = `http://127.0.0.1:${(merchant.address() as AddressInfo).port}`;
  const body = {
    mode: 'top_up',
    wallet_id: walletId,
    credits,
    success_url: `${shop}/thanks`,
    cancel_url: `${shop}/cancelled`,
  };
  return browser.open((await api<{ url: string }>('POST', '/checkout/sessions', body)).url);
}

/** Told by the webhook alone: the page leads back when that has been answered, and the worker handles it at once. */
async function balance(): Promise<string> {
  await sleep(500);
  const found = await api<Record<string, string>>('GET', `/wallets/${walletId}/balance/real-time`);
  return found['real_time_credit_balance']!;
}

async function api<T>(method: string, at: string, body?: object): Promise<T> {
  const headers = { 'x-api-key': KEY, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1${at}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(answer.ok, `${method} ${at}: ${answer.status}`);
  return (await answer.json()) as T;
}

const isReady = (): Promise<boolean> =>
  fetch(`${url}/ready`).then(
    ({ ok }) => ok,
    () => {
      assert.equal(server.exitCode, null, 'the server ended');
      return false;
    },
  );

async function freePorts(count: number): Promise<number[]> {
  const taken = Array.from({ length: count }, () => net.createServer());
  await Promise.all(taken.map((one) => new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))));
  const ports = taken.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(taken.map((one) => new Promise((resolve) => one.close(resolve))));
  return ports;
}
