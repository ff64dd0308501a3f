import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import request from 'supertest';
import { startSandbox } from '../../apps/stripe-sandbox/src/sandbox.js';
import { atEndOfFile } from './closing.js';
import { API_KEY } from './modules.js';

const root = path.resolve(import.meta.dirname, '../..');

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  post(path: string, body: object): request.Test;
  get(path: string): request.Test;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>;
}

/** Real server processes on this file's database and one sandbox, to be killed at will. */
export async function startPlayground() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-processes-'));
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, controlPort: 0, dir });
  const processes: ServerProcess[] = [];
  atEndOfFile(async () => {
    for (const one of processes) await one.kill();
    await sandbox.close();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const start = async (env: Record<string, string> = {}): Promise<ServerProcess> => {
    const started = await startProcess({ ...env, STRIPE_API_BASE: sandbox.url });
    processes.push(started);
    return started;
  };
  return { sandbox, start, query, audit };
}

interface Start {
  /** Variables that are not set, so that the server brings its own. */
  readonly without?: readonly string[];
  /** Is told all that the process writes. */
  readonly hear?: (output: string) => void;
}

export async function startProcess(
  env: Record<string, string>,
  { without = [], hear }: Start = {},
): Promise<ServerProcess> {
  const port = await freePort();
  const settings: Record<string, string | undefined> = {
    ...process.env,
    NODE_OPTIONS: '',
    PORT: String(port),
    DATABASE_URL: process.env.TEST_DATABASE,
    DATABASE_POOL_SIZE: '6',
    BOOTSTRAP_API_KEY: API_KEY,
    STRIPE_SECRET_KEY: 'sk_test_sandbox',
    LOG_LEVEL: 'error',
    ...env,
  };
  for (const name of without) delete settings[name];
  const child = spawn(process.execPath, ['apps/start.mjs', 'server'], {
    cwd: root,
    env: settings,
    stdio: hear ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'ignore', 'inherit'],
  });
  for (const stream of hear ? [child.stdout!, child.stderr!] : []) stream.on('data', (chunk) => hear!(String(chunk)));
  const url = `http://127.0.0.1:${port}`;
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  for (let i = 0; !(await isReady(url)); i++) {
    if (child.exitCode !== null || i > 1_800) throw new Error('the server process did not start');
    await sleep(100);
  }
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return gone;
  };
  const key = settings.BOOTSTRAP_API_KEY!;
  return {
    url,
    child,
    post: (at, body) => request(url).post(`/v1${at}`).set('x-api-key', key).send(body),
    get: (at) => request(url).get(`/v1${at}`).set('x-api-key', key),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

async function query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client(process.env.TEST_DATABASE);
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** `npm run audit` on this file's database. @throws with its output when an invariant is broken. */
function audit(): string {
  return execFileSync(process.execPath, ['apps/start.mjs', 'server/audit'], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: process.env.TEST_DATABASE },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
