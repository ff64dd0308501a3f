import { DatabaseProxy } from './database-proxy.js';
import type { FailPoints } from './fail-points.js';
import type { ServerParts } from './server-under-test.js';
import { StripeProxy } from './stripe-proxy.js';

export const API_KEY = 'dd_test_the-key-of-the-fault-matrix';

export interface Surroundings {
  /** The database as the server is told it: `postgresql://user:password@host:port/name`. */
  readonly databaseUrl: string;
  readonly stripeUrl: string;
  readonly points: FailPoints;
  readonly refuseWith: string;
  readonly order: (fault: object) => Promise<void>;
  readonly tellEvents: () => Promise<void>;
}

/**
 * One server process, as far as database, Stripe and clients can tell: a whole application of its own, reached and
 * reaching out only through its own connections. `kill` ends all of them between two bytes and lets none come again.
 * What its code still does then nobody will ever see: that is what death is to the others. It does nothing by itself
 * (role `api`), so that the steps of a run are the same each time; what a worker does is asked of it.
 */
export class Instance {
  private dead = false;
  private readonly ended: (() => void)[] = [];

  private constructor(
    readonly url: string,
    private readonly parts: ServerParts,
    private readonly app: Awaited<ReturnType<ServerParts['createServer']>>,
    private readonly lines: { sever(): void }[],
  ) {}

  static async start(parts: ServerParts, around: Surroundings): Promise<Instance> {
    let self: Instance | null = null;
    const lines: { sever(): void }[] = [];
    // It may be killed before it has come up.
    const crash = () => (self ? self.kill() : lines.forEach((line) => line.sever()));
    const target = new URL(around.databaseUrl);
    const database = await DatabaseProxy.start({
      target: { host: target.hostname, port: Number(target.port) },
      points: around.points,
      refuseWith: around.refuseWith,
      crash,
    });
    lines.push(database);
    const stripe = await StripeProxy.start({
      target: around.stripeUrl,
      points: around.points,
      order: around.order,
      tellEvents: around.tellEvents,
      crash,
    });
    lines.push(stripe);
    target.port = String(database.port);
    const app = await parts.createServer({
      settings: parts.readSettings({
        LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
        ROLE: 'api',
        BOOTSTRAP_API_KEY: API_KEY,
        DATABASE_POOL_SIZE: '4',
      }),
      databaseUrl: target.href,
      stripe: { secretKey: 'sk_test_sandbox', apiBase: stripe.url, webhookSecrets: [], webhookBase: null },
    });
    await parts.bootstrap(app as never);
    await app.listen(0, '127.0.0.1');
    self = new Instance(await app.getUrl(), parts, app, lines);
    return self;
  }

  get isDead(): boolean {
    return this.dead;
  }

  /** Resolves when it is killed. */
  whenDead(): Promise<void> {
    return new Promise((resolve) => (this.dead ? resolve() : this.ended.push(resolve)));
  }

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    for (const line of this.lines) line.sever();
    const http = this.app.getHttpServer();
    http.close();
    http.closeAllConnections();
    this.ended.forEach((tell) => tell());
  }

  /** Frees its memory; what it may still have been doing ends first. */
  async stop(): Promise<void> {
    const closed = this.app.close().catch(() => {});
    await closed;
    for (const line of this.lines) line.sever();
  }

  /** What the worker of a process does about Stripe's events: those that came. */
  handleEvents(): Promise<void> {
    return this.app.get(this.parts.StripeInbox, { strict: false }).handleDue();
  }

  /** The same: those that never came. */
  async sweep(): Promise<void> {
    const reconciliation = this.app.get(this.parts.Reconciliation, { strict: false });
    await reconciliation.sweepEvents();
    await reconciliation.sweepCheckouts();
  }

  registerWebhooks(base: string): Promise<void> {
    return this.app.get(this.parts.WebhookEndpoints, { strict: false }).registerAt(base);
  }

  audit(): Promise<string[]> {
    const db = this.app.get(this.parts.MikroORM, { strict: false }).em.fork().getKysely();
    return this.parts.auditViolations(db as never);
  }
}
