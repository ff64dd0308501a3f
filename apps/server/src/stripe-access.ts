import { InvalidSettings, realTime, type Settings } from '@drawdown/platform';
import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** How the gateway reaches Stripe, or its stand-in. */
export interface StripeAccess {
  readonly secretKey: string;
  /** Null: Stripe itself. */
  readonly apiBase: string | null;
  /** Empty: the endpoint is registered at start and its secret kept in the database. */
  readonly webhookSecrets: readonly string[];
  /** Where Stripe reaches this server; null when webhooks are set up by hand. */
  readonly webhookBase: string | null;
}

const SANDBOX_KEY = 'sk_test_sandbox';
const START_TIMEOUT_MS = 15_000;

/** Stripe as the settings say; without a key the sandbox, started beside the server unless it runs already. */
export async function stripeAccess(settings: Settings): Promise<StripeAccess & { stop: () => void }> {
  const webhookSecrets = settings.STRIPE_WEBHOOK_SECRET?.split(',') ?? [];
  if (settings.STRIPE_SECRET_KEY) {
    const apiBase = settings.STRIPE_API_BASE ?? null;
    return { secretKey: settings.STRIPE_SECRET_KEY, apiBase, webhookSecrets, webhookBase: null, stop: () => {} };
  }
  const stop = await startSandbox(settings);
  return {
    secretKey: SANDBOX_KEY,
    apiBase: `http://127.0.0.1:${settings.STRIPE_SANDBOX_PORT}`,
    webhookSecrets,
    webhookBase: settings.PUBLIC_URL ?? `http://127.0.0.1:${settings.PORT}`,
    stop,
  };
}

/** The sandbox is a process of its own; one that another server of this machine has started is shared. */
async function startSandbox(settings: Settings): Promise<() => void> {
  if (await answers(settings.STRIPE_SANDBOX_PORT)) return sharedSandbox(settings.STRIPE_SANDBOX_PORT);
  const entry = fileURLToPath(new URL('../../stripe-sandbox/src/main.js', import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', entry], {
    env: {
      ...process.env,
      STRIPE_SANDBOX_PORT: String(settings.STRIPE_SANDBOX_PORT),
      STRIPE_SANDBOX_DIR: settings.STRIPE_SANDBOX_DIR,
      STRIPE_SANDBOX_LIFELINE: 'stdin',
    },
    // A group of its own: Ctrl+C reaches the server only, which drains before the sandbox goes.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  let exited = false;
  child.once('exit', () => (exited = true));
  const deadline = realTime().getTime() + START_TIMEOUT_MS;
  while (!(await answers(settings.STRIPE_SANDBOX_PORT))) {
    if (exited || realTime().getTime() > deadline) {
      child.kill();
      throw new Error(`the Stripe sandbox did not start on port ${settings.STRIPE_SANDBOX_PORT}`);
    }
    await sleep(50);
  }
  return () => void child.kill('SIGTERM');
}

/** @throws InvalidSettings when what answers there is another program. */
async function sharedSandbox(port: number): Promise<() => void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/account`, {
    headers: { authorization: `Bearer ${SANDBOX_KEY}` },
    signal: AbortSignal.timeout(2_000),
  }).then(
    (response) => response.ok,
    () => false,
  );
  if (!answer) throw new InvalidSettings(`STRIPE_SANDBOX_PORT must be free: another program answers on ${port}`);
  return () => {};
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, timeout: 500 });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
