import type { GatewayScope } from '@drawdown/contracts';
import { Transactions, type Scope, type Sql, type Tx } from '@drawdown/platform';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { madeOnce } from './made-once.js';
import { nullIfMissing, StripeApi } from './stripe-api.js';
import { StripeCustomer } from './stripe-customer.entity.js';

/** A customer of ours and the environment it lives in. */
export interface Owner extends Scope {
  readonly customerId: string;
}

const LONGEST_NAME = 256;

@Injectable()
export class StripeCustomers {
  constructor(
    private readonly api: StripeApi,
    private readonly transactions: Transactions,
    private readonly orm: MikroORM,
  ) {}

  /** Who the customer is at Stripe, or last was; null when it never was anybody. */
  find(owner: Owner): Promise<{ id: string; gone: boolean } | null> {
    return this.transactions.run(scopeOf(owner), async (tx) => {
      const [latest] = await identities(tx, owner.customerId);
      return latest ? { id: latest.id, gone: latest.goneAt !== null } : null;
    });
  }

  /** The customer's id at Stripe, made there when it has none. */
  async ensure(owner: Owner, details: { name: string | null; email: string | null }): Promise<string> {
    const known = await this.find(owner);
    if (known && !known.gone) return known.id;
    const params = customerParams(owner, details);
    // A deleted customer must not be answered again from Stripe's memory of the key that made it.
    const key = `customer:${owner.customerId}:${known?.id ?? ''}:${fingerprint(params)}`;
    // One that a failed run has left behind at Stripe is nobody's: nothing is ever charged to it.
    const made = await madeOnce(
      key,
      (one) => this.api.write(one, (stripe, options) => stripe.customers.create(params, options)),
      async () => null,
    );
    return this.transactions.run(scopeOf(owner), async (tx) => {
      await sql`
        insert into stripe_customer (id, tenant_id, environment_id, customer_id, created_at, updated_at)
        values (${made.id}, ${owner.tenantId}, ${owner.environmentId}, ${owner.customerId}, ${tx.now}, ${tx.now})
        on conflict do nothing`.execute(tx.db);
      const current = (await identities(tx, owner.customerId)).find((row) => row.goneAt === null);
      if (!current) throw new Error(`Stripe's ${made.id} of customer ${owner.customerId} is gone already`);
      return current.id;
    });
  }

  /** Whose things at Stripe are, by Stripe's customer ids; ids we never made are left out. */
  async owners(stripeIds: readonly string[]): Promise<Map<string, Owner>> {
    const found = await sql<{ id: string; tenant_id: string; environment_id: string; customer_id: string }>`
      select id, tenant_id, environment_id, customer_id from stripe_customer
      where id = any(${[...stripeIds]}::text[])`.execute(this.orm.em.fork().getKysely() as Sql);
    return new Map(
      found.rows.map((row) => [
        row.id,
        { tenantId: row.tenant_id, environmentId: row.environment_id, customerId: row.customer_id },
      ]),
    );
  }

  /** Whether Stripe itself says that the customer was deleted; one it doesn't know was perhaps never ours. */
  async isDeleted(stripeId: string): Promise<boolean> {
    const customer = await this.api
      .read((stripe, options) => stripe.customers.retrieve(stripeId, {}, options))
      .catch(nullIfMissing);
    return customer?.deleted === true;
  }

  /** Stripe has it no more. */
  async markGone(tx: Tx, stripeId: string): Promise<void> {
    await sql`
      update stripe_customer set gone_at = ${tx.now}, updated_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${stripeId} and gone_at is null`.execute(tx.db);
  }
}

const scopeOf = ({ tenantId, environmentId }: GatewayScope): Scope => ({ tenantId, environmentId });

/** The one in use first, then those that are gone, the latest first. */
const identities = (tx: Tx, customerId: string): Promise<StripeCustomer[]> =>
  tx.em.find(
    StripeCustomer,
    { environmentId: tx.scope.environmentId, customerId },
    { orderBy: { goneAt: 'desc nulls first', createdAt: 'desc' } },
  );

const customerParams = (
  { tenantId, environmentId, customerId }: Owner,
  { name, email }: { name: string | null; email: string | null },
): Stripe.CustomerCreateParams => ({
  ...(name ? { name: name.slice(0, LONGEST_NAME) } : {}),
  ...(email ? { email } : {}),
  metadata: { customer_id: customerId, tenant_id: tenantId, environment_id: environmentId },
});

/** Another name or email is another request, which Stripe refuses under the same key. */
const fingerprint = (params: object): string =>
  createHash('sha256').update(JSON.stringify(params)).digest('hex').slice(0, 16);
