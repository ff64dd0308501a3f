/** State is the journal: kill -9 at any moment loses nothing that was answered for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { startHarness } from '../test/harness.js';
import { startSandbox } from './sandbox.js';

const running: ChildProcess[] = [];
afterEach(() => running.splice(0).forEach((child) => child.kill('SIGKILL')));

async function startProcess(dir: string, environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts')], {
    env: { ...process.env, STRIPE_SANDBOX_PORT: '0', STRIPE_SANDBOX_DIR: dir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  const port = await new Promise<number | undefined>((resolve) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /api http:\/\/127\.0\.0\.1:(\d+)/.exec(output);
      if (found) resolve(Number(found[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', () => resolve(undefined));
  });
  const exited = new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.on('exit', (code) => resolve(code));
  });
  const stripe = new Stripe('sk_test_x', {
    host: '127.0.0.1',
    port: port ?? 0,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
  return { child, stripe, exited, output: () => output };
}

test('the account is the same for the whole folder, whatever the key', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stripe-sandbox-'));
  const idUnder = async (key: string) => {
    const sandbox = await startSandbox({ port: 0, controlPort: 0, dir });
    const { hostname: host, port } = new URL(sandbox.url);
    const { id } = await new Stripe(key, { host, port, protocol: 'http', telemetry: false }).accounts.retrieveCurrent();
    await sandbox.close();
    return id;
  };
  const id = await idUnder('sk_test_x');
  expect(id).toMatch(/^acct_\w{16}$/);
  expect(await idUnder('sk_test_y')).toBe(id);
  rmSync(dir, { recursive: true });
});

test('kill -9 in the middle of a burst: every answered charge is there, once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stripe-sandbox-'));
  const first = await startProcess(dir);
  const answered: string[] = [];
  const burst = Array.from({ length: 200 }, (_, nth) =>
    first.stripe.paymentIntents
      .create(
        { amount: 500, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, metadata: { nth } },
        { idempotencyKey: `k${nth}` },
      )
      .then(({ id }) => {
        answered.push(id);
        if (answered.length === 30) first.child.kill('SIGKILL');
      })
      .catch(() => undefined),
  );
  await Promise.all(burst);
  await first.exited;
  const second = await startProcess(dir);
  for (const id of answered)
    expect(await second.stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'succeeded' });
  const all = await second.stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 1000 });
  expect(all.length).toBeGreaterThanOrEqual(answered.length);
  expect(new Set(all.map((charge) => charge.metadata.nth)).size).toBe(all.length);
  rmSync(dir, { recursive: true });
}, 30_000);

test('SIGTERM ends it cleanly', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stripe-sandbox-'));
  const { child, exited } = await startProcess(dir);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  rmSync(dir, { recursive: true });
}, 30_000);

test('a bad variable is named in one line', async () => {
  const { exited, output } = await startProcess('unused', { STRIPE_SANDBOX_CONTROL_PORT: 'http' });
  expect(await exited).toBe(1);
  expect(output()).toBe('STRIPE_SANDBOX_CONTROL_PORT must be a port number from 0 to 65535\n');
}, 30_000);

test('a last line cut off by a crash is dropped; the rest is there', async () => {
  const h = await startHarness();
  const { id } = await h.stripe.customers.create({ name: 'whole' });
  await h.sandbox.close();
  appendFileSync(join(h.dir, 'journal.jsonl'), '{"seq":99,"changes":[{"table":"cust');
  h.sandbox = await startSandbox({ port: 0, controlPort: 0, dir: h.dir });
  const stripe = h.client();
  expect(await stripe.customers.retrieve(id)).toMatchObject({ name: 'whole' });
  await stripe.customers.create({ name: 'after' });
  await h.restart();
  expect((await h.stripe.customers.list()).data.map((one) => one.name)).toEqual(['after', 'whole']);
  await h.close();
});
