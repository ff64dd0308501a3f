import type { CustomerNames } from '@drawdown/customers';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { CustomerLocks, type CustomerBusy, type FoundCustomer, type Patience } from './customer-locks.js';
import type { IncomingEvent } from './incoming-event.js';
import type { UnbilledReason } from './usage-event.entity.js';

/** Whose event it is, or why it is nobody's, or that its customer is locked. */
export type Named = { readonly customerId: string } | { readonly reason: UnbilledReason } | CustomerBusy;

/** Finds and locks the customers that events name. */
@Injectable()
export class EventCustomers {
  constructor(private readonly locks: CustomerLocks) {}

  /**
   * By event. The customers found are locked in one statement, in the order of their ids.
   * @param patience with those that are locked already; only `brief` fails when it ends.
   */
  async lock(tx: Tx, events: readonly IncomingEvent[], patience: Patience): Promise<Map<IncomingEvent, Named>> {
    const ids = distinct(events.map((event) => event.customer_id));
    const externalIds = distinct(events.map((event) => event.external_customer_id));
    const found = await this.published(tx, { ids, externalIds }, patience);
    const byExternalId = new Map(found.map((customer) => [customer.externalId, customer]));
    const unknown = externalIds.filter((id) => !byExternalId.has(id));
    for (const customer of await this.madeMeanwhile(tx, unknown, patience)) {
      byExternalId.set(customer.externalId, customer);
    }
    const byId = new Map(found.map((customer) => [customer.id, customer]));
    return new Map(events.map((event) => [event, whose(event, byId, byExternalId)]));
  }

  /**
   * A customer made while its first events are on their way in must find them: an unknown external id is locked until
   * this transaction ends and asked for again, and `customer.created` takes the same lock before it looks.
   */
  private async madeMeanwhile(tx: Tx, externalIds: readonly string[], patience: Patience): Promise<FoundCustomer[]> {
    if (externalIds.length === 0) return [];
    await lockExternalIds(tx, externalIds, 'shared');
    return this.published(tx, { externalIds }, patience);
  }

  private async published(tx: Tx, names: CustomerNames, patience: Patience): Promise<FoundCustomer[]> {
    return (await this.locks.take(tx, names, patience)).filter((customer) => customer.isPublished);
  }
}

/** Held until the transaction ends. In one order, so that two transactions can't wait for each other. */
export async function lockExternalIds(
  tx: Tx,
  externalIds: readonly string[],
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const names = externalIds.map((id) => `customer of usage ${tx.scope.environmentId} ${id}`).toSorted();
  const take = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`;
  await sql`
    select ${take}(hashtextextended(name, 0)) from unnest(${names}::text[]) name order by name`.execute(tx.db);
}

function whose(
  event: IncomingEvent,
  byId: ReadonlyMap<string, FoundCustomer>,
  byExternalId: ReadonlyMap<string, FoundCustomer>,
): Named {
  const own = event.customer_id ? byId.get(event.customer_id) : undefined;
  const theirs = event.external_customer_id ? byExternalId.get(event.external_customer_id) : undefined;
  if (event.customer_id && event.external_customer_id && own?.id !== theirs?.id) return { reason: 'customer_mismatch' };
  const customer = own ?? theirs;
  if (!customer) return { reason: 'unknown_customer' };
  return customer.busy ?? { customerId: customer.id };
}

const distinct = (ids: readonly (string | null)[]): string[] => [...new Set(ids.filter((id) => id !== null))];
