import { defineStarter } from '../apps/demo/src/starter-plan.js';
import { sendAll, type Call, type Target } from './load.js';
import { freePort, startProcess, type RunningServer } from './processes.js';
import type { BenchEvent } from './usage.js';

const KEY = 'dd_test_the-key-of-the-bench';
const SEEDING_CONNECTIONS = 8;

export interface Seeded {
  readonly customerIds: readonly string[];
  /** As the events name them. */
  readonly customers: readonly string[];
}

/** Drawdown as it is installed: the built server as a process of its own, default settings, reached over HTTP. */
export class Product {
  private customers = 0;
  private planId: string | null = null;
  readonly target: Target;

  private constructor(
    readonly server: RunningServer,
    private readonly sandboxPort: number,
  ) {
    this.target = { port: server.port, headers: { 'x-api-key': KEY } };
  }

  static async start(databaseUrl: string, env: Record<string, string> = {}): Promise<Product> {
    const profile = process.env.BENCH_CPU_PROFILE;
    const sandboxPort = await freePort();
    const node = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
    const server = await startProcess(
      [...node, 'apps/start.mjs', 'server'],
      {
        DATABASE_URL: databaseUrl,
        BOOTSTRAP_API_KEY: KEY,
        LOG_LEVEL: 'warn',
        STRIPE_SECRET_KEY: '',
        STRIPE_SANDBOX_DIR: '.data/bench/stripe-sandbox',
        STRIPE_SANDBOX_PORT: String(sandboxPort),
        ...env,
      },
      '/ready',
    );
    return new Product(server, sandboxPort);
  }

  /** What a further process on the same database is started with. */
  worker(): Record<string, string> {
    const STRIPE_API_BASE = `http://127.0.0.1:${this.sandboxPort}`;
    return { ROLE: 'worker', STRIPE_SECRET_KEY: 'sk_test_sandbox', STRIPE_API_BASE };
  }

  /** Subscribes so many new customers to the Starter plan, in its trial. */
  async subscribers(count: number): Promise<Seeded> {
    this.planId ??= (await defineStarter((path, body) => this.post(path, body), 'bench')).planId;
    const from = this.customers;
    this.customers += count;
    const customers = Array.from({ length: count }, (_, n) => `customer-${from + n}`);
    const made = await this.each(customers, (name) => call('/customers', { external_id: name }));
    await this.each(customers, (name) =>
      call('/subscriptions', {
        external_customer_id: name,
        plan_id: this.planId,
        currency: 'usd',
        billing_period: 'MONTHLY',
        billing_cadence: 'RECURRING',
        billing_cycle: 'anniversary',
      }),
    );
    return { customers, customerIds: made.map(({ id }) => id) };
  }

  /** Credits that no load uses up. @returns the wallets' ids. */
  async giveCredits({ customerIds }: Seeded, credits = '1000000000'): Promise<string[]> {
    const found = await this.each(customerIds, (id) => ({ method: 'GET', path: `/v1/customers/${id}/wallets` }));
    const walletIds = (found as unknown as { id: string }[][]).map(([wallet]) => wallet!.id);
    await this.each(walletIds, (id) =>
      call(`/wallets/${id}/top-up`, { transaction_reason: 'FREE_CREDIT_GRANT', credits_to_add: credits }),
    );
    return walletIds;
  }

  async post<T = { id: string; meter_id: string }>(path: string, body: object): Promise<T> {
    const [answer] = await sendAll(this.target, 1, [call(path, body)]);
    return answer as T;
  }

  get<T>(path: string): Promise<T> {
    return sendAll(this.target, 1, [{ method: 'GET', path: `/v1${path}` }]).then(([answer]) => answer as T);
  }

  private async each(names: readonly string[], toCall: (name: string) => Call): Promise<{ id: string }[]> {
    return (await sendAll(this.target, SEEDING_CONNECTIONS, names.map(toCall))) as { id: string }[];
  }
}

export const call = (path: string, body: object): Call => ({
  method: 'POST',
  path: `/v1${path}`,
  body: JSON.stringify(body),
});

export const single = (next: () => BenchEvent) => (): Call => call('/events', next());

export const bulk = (next: () => BenchEvent, size: number) => (): Call =>
  call('/events/bulk', { events: Array.from({ length: size }, next) });
