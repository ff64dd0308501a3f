import { Problem, SingleRead, SingleReads, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import {
  entitledBy,
  entitledRowsOfCustomer,
  entitledRowsOfSubscription,
  type Entitled,
  type EntitledRow,
} from './entitled-rows.js';

/** A row of nulls stands for a customer without a running subscription. */
type MaybeEntitledRow = EntitledRow | { subscription_id: null };

const ofCustomer = new SingleRead(
  ['id'],
  ({ id }, { environmentId }) => sql<MaybeEntitledRow>`
    select given.* from customer c
    left join lateral (${entitledRowsOfCustomer(environmentId, sql`c.id`)}) given on true
    where c.environment_id = ${environmentId} and c.id = ${id} and c.status = 'published'`,
);

const ofSubscription = new SingleRead(['id'], ({ id }, { environmentId }) =>
  entitledRowsOfSubscription(environmentId, id),
);

/** What customers may use: metered entitlements as each subscription copied them, boolean and static ones as plans have them. */
@Injectable()
export class EntitledFeatures {
  constructor(private readonly reads: SingleReads) {}

  /** Over all of a customer's running subscriptions. `featureIds` narrows. @throws Problem 404. */
  async ofCustomer(id: string, featureIds?: readonly string[]): Promise<Entitled> {
    const { rows } = await this.reads.read(ofCustomer, { id });
    if (rows.length === 0) throw Problem.notFound('customer', id);
    return entitledBy(rows.filter(isOfSubscription), featureIds);
  }

  /** Of a subscription in whatever state it is. @throws Problem 404. */
  async ofSubscription(id: string, featureIds?: readonly string[]): Promise<Entitled> {
    const { rows } = await this.reads.read(ofSubscription, { id });
    if (rows.length === 0) throw Problem.notFound('subscription', id);
    return entitledBy(rows, featureIds);
  }

  /** Over all running subscriptions of each of these customers, whose ids are the environment's. One query. */
  async ofCustomers(tx: Tx, customerIds: readonly string[]): Promise<ReadonlyMap<string, Entitled>> {
    await tx.em.flush();
    const found = await sql<EntitledRow>`
      select given.* from unnest(${[...customerIds]}::text[]) c(id)
      cross join lateral (${entitledRowsOfCustomer(sql`${tx.scope.environmentId}`, sql`c.id`)}) given`.execute(tx.db);
    const rows = Map.groupBy(found.rows, (row) => row.customer_id);
    return new Map(customerIds.map((id) => [id, entitledBy(rows.get(id) ?? [])]));
  }
}

const isOfSubscription = (row: MaybeEntitledRow): row is EntitledRow => row.subscription_id !== null;
