import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { startSandbox, type RunningSandbox } from '../src/sandbox.js';
import { againstStripe, stripeItself } from './stripe-itself.js';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** A merchant's webhook receiver: keeps what comes, answers as told. */
export interface Receiver {
  url: string;
  received: Received[];
  answerWith(status: number | ((nth: number) => number), delayMs?: number): void;
  events(type?: string): Stripe.Event[];
  /** Waits for so many deliveries (of one type). */
  wait(count: number, type?: string): Promise<Received[]>;
  close(): Promise<void>;
}

export interface Harness {
  dir: string;
  sandbox: RunningSandbox;
  stripe: Stripe;
  client(options?: Record<string, unknown>, key?: string): Stripe;
  control<T = any>(method: string, path: string, body?: unknown): Promise<T>;
  receiver(): Promise<Receiver>;
  /** Ends the sandbox and starts it again on the same journal. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** With `STRIPE_CONFORMANCE_KEY` set the statements are put to Stripe's test mode. */
export async function startHarness(): Promise<Harness> {
  if (againstStripe) return stripeItself();
  const dir = mkdtempSync(join(tmpdir(), 'stripe-sandbox-'));
  const receivers: Receiver[] = [];
  const start = () => startSandbox({ port: 0, controlPort: 0, dir });
  const harness: Harness = {
    dir,
    sandbox: await start(),
    stripe: undefined as unknown as Stripe,
    client: (options = {}, key = 'sk_test_sandbox') =>
      new Stripe(key, {
        host: '127.0.0.1',
        port: Number(new URL(harness.sandbox.url).port),
        protocol: 'http',
        maxNetworkRetries: 0,
        telemetry: false,
        ...options,
      }),
    control: async <T>(method: string, path: string, body?: unknown) => {
      const answer = await fetch(`${harness.sandbox.controlUrl}${path}`, {
        method,
        ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const json = (await answer.json()) as T;
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
      return json;
    },
    receiver: async () => {
      const receiver = await startReceiver();
      receivers.push(receiver);
      return receiver;
    },
    restart: async () => {
      await harness.sandbox.close();
      harness.sandbox = await start();
      harness.stripe = harness.client();
    },
    close: async () => {
      await harness.sandbox.close();
      await Promise.all(receivers.map((receiver) => receiver.close()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  harness.stripe = harness.client();
  return harness;
}

async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status: (nth: number) => number = () => 200;
  let delayMs = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
      const nth = received.length;
      setTimeout(() => response.writeHead(status(nth)).end(), delayMs).unref();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const parsed = (one: Received) => JSON.parse(one.body) as Stripe.Event;
  const ofType = (type?: string) => received.filter((one) => !type || parsed(one).type === type);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answerWith: (wanted, delay = 0) => {
      status = typeof wanted === 'number' ? () => wanted : wanted;
      delayMs = delay;
    },
    events: (type) => ofType(type).map(parsed),
    wait: async (count, type) => {
      for (let waited = 0; waited < 10_000; waited += 10) {
        if (ofType(type).length >= count) return ofType(type);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const seen = received.map((one) => parsed(one).type).join(', ');
      throw new Error(`waited for ${count} of ${type ?? 'any'}; came: ${seen}`);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The error a call ends with; a test that gets an answer instead has failed. */
export async function failure(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    return error as Stripe.errors.StripeError;
  }
  throw new Error('expected an error, got an answer');
}
