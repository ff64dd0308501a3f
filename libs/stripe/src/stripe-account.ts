import { Problem, type Scope, type Sql } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { StripeApi } from './stripe-api.js';

/** The modes of a key and the environments they go with: a clock that can be moved must never move real money, and what a customer in production pays must be real. */
const WRONG_MODE = {
  live: 'a development environment takes no payments while the Stripe key is live',
  test: 'a production environment takes no payments while the Stripe key is a test key (or the sandbox stands in)',
} as const;

/**
 * Whether the configured key may be used at all. Customers, cards and pages of this database are at one Stripe account,
 * kept when it is first seen; under the key of another one everything of ours would look lost.
 */
@Injectable()
export class StripeAccount {
  private readonly log = new Logger(StripeAccount.name);
  /** The key doesn't change while the process lives, so it is asked about once. */
  private isOurs = false;

  constructor(
    private readonly api: StripeApi,
    private readonly orm: MikroORM,
  ) {}

  /** Before money is moved. @throws Problem 400 when the key is of the wrong mode for the environment. Asks nothing of Stripe. */
  async assertMode({ environmentId }: Scope): Promise<void> {
    const found = await sql<{ type: string }>`
      select type from environment where id = ${environmentId}`.execute(this.db());
    if ((found.rows[0]!.type === 'production') === this.api.livemode) return;
    throw new Problem('invalid_operation', WRONG_MODE[this.api.livemode ? 'live' : 'test']);
  }

  /** Before anything of ours is looked for at Stripe. @throws Problem 503 under the key of another account, with an alarm. */
  async assertOurs(): Promise<void> {
    if (this.isOurs) return;
    const { id } = await this.api.read((stripe, options) => stripe.accounts.retrieveCurrent({}, options));
    const ours = await this.firstSeen(id);
    if (ours !== id) {
      const reason = `the Stripe key is of account ${id}, but the customers and cards here are at ${ours}: nothing is charged with it`;
      this.log.error(reason);
      throw new Problem('service_unavailable', reason);
    }
    this.isOurs = true;
  }

  /** The account that was seen first, which is this one when none was. */
  private async firstSeen(id: string): Promise<string> {
    await sql`insert into stripe_account (id) values (${id}) on conflict do nothing`.execute(this.db());
    const found = await sql<{ id: string }>`select id from stripe_account`.execute(this.db());
    return found.rows[0]!.id;
  }

  private db(): Sql {
    return this.orm.em.fork().getKysely() as Sql;
  }
}
