import { CustomersService, type Customer } from '@drawdown/customers';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { IncomingEvent } from './incoming-event.js';
import type { UnbilledReason } from './usage-event.entity.js';

/** Whose event it is, or why it is nobody's. */
export type Named = { readonly customerId: string } | { readonly reason: UnbilledReason };

type NamedCustomer = Pick<Customer, 'id' | 'externalId'>;

/** Finds and locks the customers that events name. */
@Injectable()
export class EventCustomers {
  constructor(private readonly customers: CustomersService) {}

  /** By event. The customers found are locked; where the events name them by one kind of id, in the order of theirs. */
  async lock(tx: Tx, events: readonly IncomingEvent[]): Promise<Map<IncomingEvent, Named>> {
    const ids = distinct(events.map((event) => event.customer_id));
    const byId = ids.length > 0 ? indexed(await this.published(tx, ids), 'id') : new Map<string, NamedCustomer>();
    const byExternalId = await this.byExternalId(tx, distinct(events.map((event) => event.external_customer_id)));
    const named = new Map(events.map((event) => [event, whose(event, byId, byExternalId)]));
    if (byId.size > 0) await this.customers.lock(tx, [...byId.keys()]);
    return named;
  }

  /**
   * A customer made while its first events are on their way in must find them: an unknown external id is locked until
   * this transaction ends and asked for again, and `customer.created` takes the same lock before it looks.
   */
  private async byExternalId(tx: Tx, externalIds: readonly string[]): Promise<Map<string, NamedCustomer>> {
    if (externalIds.length === 0) return new Map();
    const known = indexed(await this.customers.lockByExternalIds(tx, externalIds), 'externalId');
    const unknown = externalIds.filter((id) => !known.has(id));
    if (unknown.length === 0) return known;
    await lockExternalIds(tx, unknown, 'shared');
    const late = await this.customers.lockByExternalIds(tx, unknown);
    return new Map([...known, ...indexed(late, 'externalId')]);
  }

  private async published(tx: Tx, ids: readonly string[]): Promise<Customer[]> {
    return (await this.customers.find(tx, ids)).filter((customer) => customer.status === 'published');
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
  byId: ReadonlyMap<string, NamedCustomer>,
  byExternalId: ReadonlyMap<string, NamedCustomer>,
): Named {
  const own = event.customer_id ? byId.get(event.customer_id) : undefined;
  const theirs = event.external_customer_id ? byExternalId.get(event.external_customer_id) : undefined;
  if (event.customer_id && event.external_customer_id && own?.id !== theirs?.id) return { reason: 'customer_mismatch' };
  const customer = own ?? theirs;
  return customer ? { customerId: customer.id } : { reason: 'unknown_customer' };
}

const distinct = (ids: readonly (string | null)[]): string[] => [...new Set(ids.filter((id) => id !== null))];

const indexed = (customers: readonly NamedCustomer[], by: 'id' | 'externalId'): Map<string, NamedCustomer> =>
  new Map(customers.map((customer) => [customer[by], customer]));
