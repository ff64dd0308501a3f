import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '../..');

interface Run {
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** `npm start` as its script runs it, with nothing set but what is given. */
function start(env: Record<string, string>): Run {
  const child = spawn(process.execPath, ['apps/start.mjs', 'server'], {
    cwd: root,
    env: { PATH: process.env.PATH!, HOME: process.env.HOME ?? '/', ...env },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  return {
    output: () => output,
    errors: () => errors,
    ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))),
    kill: (signal) => void child.kill(signal),
  };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_500; i++) {
    if (condition()) return;
    await sleep(100);
  }
  throw new Error(`waited in vain for: ${what}`);
}

const takePort = (): Promise<net.Server> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
const portOf = (server: net.Server): string => String((server.address() as net.AddressInfo).port);
async function freePort(): Promise<string> {
  const server = await takePort();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a bad setting stops the start with one line that names it', () => {
  it.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['STRIPE_SECRET_KEY', 'my-secret-value'],
    ['STRIPE_WEBHOOK_SECRET', 'not-a-secret'],
    ['STRIPE_API_BASE', 'localhost:12111'],
    ['STRIPE_SANDBOX_PORT', '-1'],
    ['BOOTSTRAP_API_KEY', 'short'],
    ['ROLE', 'boss'],
    ['LOG_LEVEL', 'loud'],
  ])('%s=%s', async (name, value) => {
    const run = start({ [name]: value });
    expect(await run.ended).toBe(1);
    expect(run.errors().trim().split('\n')).toHaveLength(1);
    expect(run.errors()).toContain(name);
    expect(run.errors()).not.toContain(value === '-1' ? '"-1"' : value);
  });
});

describe('a fresh start with nothing but Node', () => {
  let dir: string;
  let taken: net.Server;
  let env: Record<string, string>;
  beforeAll(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-start-'));
    fs.chmodSync(dir, 0o755);
    taken = await takePort();
    env = {
      PORT: await freePort(),
      EMBEDDED_PG_DIR: path.join(dir, 'postgres'),
      EMBEDDED_PG_PORT: portOf(taken),
      STRIPE_SANDBOX_PORT: await freePort(),
      STRIPE_SANDBOX_DIR: path.join(dir, 'sandbox'),
      LOG_LEVEL: 'error',
    };
  });
  afterAll(async () => {
    await new Promise((resolve) => taken.close(resolve));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('brings its database (on another port when the wanted one is taken) and its sandbox, and prints a key once', async () => {
    const first = start(env);
    await until('the first start', () => first.output().includes('is up'));
    const key = /shown only now: (\S+)/.exec(first.output())![1]!;
    const answer = await fetch(`http://127.0.0.1:${env.PORT}/v1/clock`, { headers: { 'x-api-key': key } });
    expect(answer.status).toBe(200);
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const second = start(env);
    await until('the second start', () => second.output().includes('is up'));
    expect(second.output()).not.toContain('shown only now');
    const again = await fetch(`http://127.0.0.1:${env.PORT}/v1/clock`, { headers: { 'x-api-key': key } });
    expect(again.status).toBe(200);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  const sandboxAnswers = () =>
    fetch(`http://127.0.0.1:${env.STRIPE_SANDBOX_PORT}/v1/balance`).then(
      () => true,
      () => false,
    );

  it('leaves neither PostgreSQL nor the sandbox behind after SIGTERM', async () => {
    expect(fs.existsSync(path.join(dir, 'postgres/data/postmaster.pid'))).toBe(false);
    expect(await sandboxAnswers()).toBe(false);
  });

  it('leaves nothing behind either when it is told twice, over a request that never ends', async () => {
    const stuck = start(env);
    await until('the start', () => stuck.output().includes('is up'));
    const caller = net.connect(Number(env.PORT), '127.0.0.1');
    caller.on('error', () => {});
    caller.write(
      'POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    await sleep(500);
    stuck.kill('SIGTERM');
    await sleep(1_000);
    stuck.kill('SIGTERM');
    expect(await stuck.ended).toBe(1);
    caller.destroy();
    expect(fs.existsSync(path.join(dir, 'postgres/data/postmaster.pid'))).toBe(false);
    for (let i = 0; i < 100 && (await sandboxAnswers()); i++) await sleep(50);
    expect(await sandboxAnswers()).toBe(false);
  });

  it('starts again after kill -9', async () => {
    const killed = start(env);
    await until('the start', () => killed.output().includes('is up'));
    killed.kill('SIGKILL');
    await killed.ended;
    for (let i = 0; i < 100 && (await sandboxAnswers()); i++) await sleep(50);
    expect(await sandboxAnswers()).toBe(false);
    const again = start(env);
    await until('the start after the kill', () => again.output().includes('is up'));
    again.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });
});

describe('the sandbox', () => {
  let dir: string;
  const settings = async (): Promise<Record<string, string>> => ({
    PORT: await freePort(),
    DATABASE_URL: process.env.TEST_DATABASE!,
    STRIPE_SANDBOX_PORT: await freePort(),
    STRIPE_SANDBOX_CONTROL_PORT: await freePort(),
    STRIPE_SANDBOX_DIR: dir,
    LOG_LEVEL: 'error',
  });
  beforeAll(() => void (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-shared-'))));
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('whose second port is taken stops the start, which says so', async () => {
    const taken = await takePort();
    const run = start({ ...(await settings()), STRIPE_SANDBOX_CONTROL_PORT: portOf(taken) });
    expect(await run.ended).toBe(1);
    expect(run.errors()).toContain('STRIPE_SANDBOX_PORT');
    expect(run.errors()).toContain(portOf(taken));
    await new Promise((resolve) => taken.close(resolve));
  });

  it('that two servers share goes on under the second when the first has ended', async () => {
    const env = await settings();
    const pid = () =>
      fetch(`http://127.0.0.1:${env.STRIPE_SANDBOX_CONTROL_PORT}/health`).then(
        async (answer) => ((await answer.json()) as { pid: number }).pid,
        () => null,
      );
    const first = start(env);
    await until('the first', () => first.output().includes('is up'));
    const second = start({ ...env, PORT: await freePort() });
    await until('the second', () => second.output().includes('is up'));
    const shared = await pid();
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    let another = await pid();
    for (let i = 0; (another === null || another === shared) && i < 200; i++) {
      await sleep(100);
      another = await pid();
    }
    expect(another).toEqual(expect.any(Number));
    expect(another).not.toBe(shared);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });
});
