import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const DEMO_KEY = 'dd_test_key-of-the-demo';
const START_ATTEMPTS = 600;
const DEFAULT_SANDBOX_PORT = 12111;

export interface ServerProcess {
  readonly url: string;
  readonly sandboxUrl: string;
  readonly key: string;
  stop(): Promise<void>;
  readonly ended: Promise<void>;
}

/** Starts the built server as a process of its own, with the sandbox and the embedded database it brings along. */
export async function startServer(): Promise<ServerProcess> {
  const port = await freePort(Number(process.env.PORT ?? 3000));
  const sandboxPort = process.env.STRIPE_SANDBOX_PORT ?? String(await sandboxPortNear(DEFAULT_SANDBOX_PORT));
  const key = process.env.BOOTSTRAP_API_KEY ?? DEMO_KEY;
  const child = spawn(process.execPath, ['--enable-source-maps', entry('server')], {
    env: {
      ...process.env,
      PORT: String(port),
      STRIPE_SANDBOX_PORT: sandboxPort,
      BOOTSTRAP_API_KEY: key,
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    },
    // A group of its own: Ctrl+C reaches us only, and we end it.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; !(await isReady(url)); attempt++) {
    if (child.exitCode !== null || attempt === START_ATTEMPTS) throw new Error('the server did not start');
    await sleep(100);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, sandboxUrl: `http://127.0.0.1:${sandboxPort}`, key, stop, ended };
}

const entry = (app: string): string => fileURLToPath(new URL(`../../${app}/src/main.js`, import.meta.url));

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );

/** The default, also when a sandbox answers there already (it is shared); any other when another program does. */
async function sandboxPortNear(wanted: number): Promise<number> {
  const isSandbox = await fetch(`http://127.0.0.1:${wanted}/v1/account`, {
    headers: { authorization: 'Bearer sk_test_sandbox' },
    signal: AbortSignal.timeout(2_000),
  }).then(
    (answer) => answer.ok,
    () => false,
  );
  return isSandbox ? wanted : freePort(wanted);
}

/** The wanted port, or any other when it is taken. */
const freePort = (wanted: number): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(freePort(0)));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
