import { Transactions, type Scope, type Sql } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import type Stripe from 'stripe';
import { handledTypes } from './event-topics.js';
import { API_VERSION, StripeApi } from './stripe-api.js';
import { STRIPE_OPTIONS, type StripeOptions } from './stripe-options.js';

/** By far older than any list of endpoints in use. */
const LIST_AGE_SECONDS = 600;

/** Where an environment is to be told its events, and the endpoints whose secrets it holds, there or elsewhere. */
interface Address {
  readonly scope: Scope;
  readonly url: string;
  readonly held: readonly string[];
}

/**
 * Where Stripe tells its events, and the secrets that prove it is Stripe. Configured secrets count alone. Without them
 * (the sandbox) this server registers itself for its development environments and keeps the secrets it is given; several
 * processes under different addresses have one each, and any of them proves an event.
 */
@Injectable()
export class WebhookEndpoints {
  private readonly log = new Logger(WebhookEndpoints.name);

  constructor(
    private readonly api: StripeApi,
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    @Inject(STRIPE_OPTIONS) private readonly options: StripeOptions,
  ) {}

  /** The secrets that may sign what is sent to an environment; none for one that doesn't exist. */
  async secretsOf({ tenantId, environmentId }: Scope): Promise<readonly string[]> {
    if (this.options.webhookSecrets.length > 0) return this.options.webhookSecrets;
    const found = await sql<{ secret: string }>`
      select secret from stripe_webhook_secret
      where tenant_id = ${tenantId} and environment_id = ${environmentId}`.execute(this.db());
    return found.rows.map((row) => row.secret);
  }

  /** Registers this server, as the options say, where it isn't yet. What fails is tried again at the next call. */
  async register(): Promise<void> {
    const { webhookBase, webhookSecrets } = this.options;
    if (webhookBase !== null && webhookSecrets.length === 0) await this.registerAt(webhookBase);
  }

  /** Sees to it that every development environment is told its events under `base`. */
  async registerAt(base: string): Promise<void> {
    const wanted = await this.wanted(base.replace(/\/+$/, ''));
    const standing: Stripe.WebhookEndpoint[] = [];
    const pages = this.api.pages((stripe, page, options) => stripe.webhookEndpoints.list(page, options));
    for await (const page of pages) standing.push(...page);
    for (const address of wanted) {
      await this.settle(
        address,
        standing.filter(({ url }) => url === address.url),
      );
    }
    await this.forget(standing.map(({ id }) => id));
  }

  /** Secrets of endpoints that are no more prove nothing; one just made may be younger than the list. */
  private async forget(standing: readonly string[]): Promise<void> {
    await sql`
      delete from stripe_webhook_secret
      where id <> all(${[...standing]}::text[]) and created_at < now() - make_interval(secs => ${LIST_AGE_SECONDS})`.execute(
      this.db(),
    );
  }

  private async wanted(base: string): Promise<Address[]> {
    const found = await sql<{ tenant_id: string; id: string; held: string[] }>`
      select tenant_id, id, array(
        select s.id from stripe_webhook_secret s where s.environment_id = e.id) held
      from environment e where type = 'development'`.execute(this.db());
    return found.rows.map(({ tenant_id: tenantId, id, held }) => ({
      scope: { tenantId, environmentId: id },
      url: `${base}/v1/webhooks/stripe/${tenantId}/${id}`,
      held,
    }));
  }

  /** Keeps the endpoint whose secret is held, up to date; any other at this address can prove nothing and goes. */
  private async settle({ scope, url, held }: Address, standing: Stripe.WebhookEndpoint[]): Promise<void> {
    const kept = standing.find(({ id }) => held.includes(id));
    for (const stale of standing.filter((endpoint) => endpoint !== kept)) {
      await this.api.read((stripe, options) => stripe.webhookEndpoints.del(stale.id, {}, options));
    }
    if (!kept) return this.create(scope, url);
    const missing = handledTypes.filter((type) => !kept.enabled_events.includes(type));
    if (missing.length === 0) return;
    await this.api.write(crypto.randomUUID(), (stripe, options) =>
      stripe.webhookEndpoints.update(kept.id, { enabled_events: handledTypes }, options),
    );
  }

  private async create(scope: Scope, url: string): Promise<void> {
    const made = await this.api.write(crypto.randomUUID(), (stripe, options) =>
      stripe.webhookEndpoints.create(
        { url, enabled_events: handledTypes, description: 'Drawdown', api_version: API_VERSION },
        options,
      ),
    );
    await this.transactions.run(scope, async (tx) => {
      await sql`delete from stripe_webhook_secret where environment_id = ${scope.environmentId} and url = ${url}`.execute(
        tx.db,
      );
      await sql`
        insert into stripe_webhook_secret (id, tenant_id, environment_id, url, secret, created_at, updated_at)
        values (${made.id}, ${scope.tenantId}, ${scope.environmentId}, ${url}, ${made.secret!}, now(), now())`.execute(
        tx.db,
      );
    });
    this.log.log(`webhooks of environment ${scope.environmentId} come to ${url}`);
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}
