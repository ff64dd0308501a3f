import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Account } from './account.js';
import { ApiServer, newApiApp } from './api-server.js';
import { mountAuthentication } from './authentication.routes.js';
import { expireDue } from './checkout-session.js';
import { Clock } from './clock.js';
import { newControlApp } from './control-server.js';
import { Dispatcher } from './dispatcher.js';
import { mountHostedPage } from './hosted-page.routes.js';
import { Journal } from './journal.js';
import { RequestLog } from './request-log.js';
import { Store } from './store.js';

export interface SandboxOptions {
  /** 0 takes any free port. */
  port: number;
  controlPort: number;
  /** Where the journal lives. */
  dir: string;
  host?: string;
  /** Where browsers reach the hosted page, when it is not `http://host:port`. */
  publicUrl?: string;
}

export interface RunningSandbox {
  url: string;
  controlUrl: string;
  close(): Promise<void>;
}

const TICK_MS = 1000;

export async function startSandbox(options: SandboxOptions): Promise<RunningSandbox> {
  const { host = '127.0.0.1' } = options;
  const clock = new Clock();
  const { journal, lines } = Journal.open(options.dir);
  const store = new Store(journal, lines, () => clock.now());
  clock.offsetMs = store.get('clock', 'clock')?.offset_ms ?? 0;
  const account = { store, clock, publicUrl: options.publicUrl ?? '' } satisfies Account;

  const api = newApiApp();
  const dispatcher = new Dispatcher(account);
  const log = new RequestLog();
  new ApiServer(account, log).mount(api);
  mountHostedPage(api, account, dispatcher);
  mountAuthentication(api, account);
  const control = newControlApp(account, dispatcher, log);
  const ticking = setInterval(() => expireDue(account), TICK_MS).unref();
  const close = async () => {
    clearInterval(ticking);
    dispatcher.close();
    await Promise.all([api.close(), control.close()]);
    await journal.close();
  };
  try {
    const url = await listen(api, host, options.port);
    account.publicUrl ||= url;
    const controlUrl = await listen(control, host, options.controlPort);
    dispatcher.reschedule();
    return { url, controlUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  await app.listen({ host, port });
  const { port: taken } = app.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${taken}`;
}
