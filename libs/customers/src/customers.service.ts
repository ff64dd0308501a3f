import { customerCreated, customerDeleted, customerUpdated } from '@drawdown/contracts';
import {
  together,
  type SetTx,
  createdWithin,
  EventBus,
  explainRefusal,
  newId,
  pageOptions,
  Problem,
  type Tx,
} from '@drawdown/platform';
import { LockMode } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import { Customer } from './customer.entity.js';
import type { CreateCustomerBody, CustomerSearchBody, UpdateCustomerBody } from './customers.dto.js';

/** The two names a request may give a customer by; the id counts when both are given. */
export interface CustomerReference {
  customer_id?: string | null;
  external_customer_id?: string | null;
}

/**
 * How long a locked customer is waited for: as long as for anything (10 seconds, the connection's limit), briefly (and
 * so for every lock of the transaction from then on), or not at all. Waiting too long fails with 55P03.
 */
export type LockWait = 'long' | 'brief' | 'none';
const BRIEF_MS = 250;

/** Some customers; by their external ids only published ones. */
export interface CustomerNames {
  readonly ids?: readonly string[];
  readonly externalIds?: readonly string[];
}

export interface LockedCustomer {
  readonly id: string;
  readonly externalId: string;
  readonly isPublished: boolean;
}

@Injectable()
export class CustomersService {
  constructor(private readonly events: EventBus) {}

  /** @throws Problem 409 when the external id is taken. */
  async create(tx: Tx, body: CreateCustomerBody): Promise<Customer> {
    const customer = tx.em.create(Customer, {
      id: newId('cust'),
      ...tx.scope,
      externalId: body.external_id,
      ...detailsOf(body),
      timezone: body.timezone ?? body.customer_timezone ?? 'UTC',
      metadata: body.metadata ?? {},
      status: 'published',
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await saved(tx, customer);
    await this.events.publish(tx, customerCreated, named(customer));
    return customer;
  }

  /** Changes what the body names. @throws Problem 404, or 409 when the new external id is taken. */
  async update(tx: Tx, reference: CustomerReference, body: UpdateCustomerBody): Promise<Customer> {
    const customer = await this.resolveForUpdate(tx, reference);
    const timezone = body.timezone ?? body.customer_timezone;
    tx.em.assign(customer, {
      ...detailsOf(body),
      ...(body.external_id ? { externalId: body.external_id } : {}),
      ...(timezone ? { timezone } : {}),
      ...(body.metadata ? { metadata: body.metadata } : {}),
      updatedAt: tx.now,
    });
    await saved(tx, customer);
    await this.events.publish(tx, customerUpdated, named(customer));
    return customer;
  }

  /**
   * Archives a customer and frees its external id. What still needs a published customer references its row, so the
   * database refuses, whoever races.
   * @throws Problem 404, 409 while it has a subscription that isn't cancelled or a wallet that isn't closed.
   */
  async delete(tx: Tx, id: string): Promise<void> {
    const customer = await this.resolveForUpdate(tx, { customer_id: id });
    tx.em.assign(customer, { status: 'archived', updatedAt: tx.now });
    await explainRefusal(tx.em.flush(), {
      subscription_live_customer: inUse(id, 'it has a subscription that is not cancelled'),
      wallet_live_customer: inUse(id, 'it has a wallet that is not closed'),
    });
    await this.events.publish(tx, customerDeleted, named(customer));
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Customer> {
    return this.resolve(tx, { customer_id: id });
  }

  byExternalId(tx: Tx, externalId: string): Promise<Customer | null> {
    return tx.em.findOne(Customer, { ...published(tx), externalId });
  }

  byExternalIds(tx: Tx, externalIds: readonly string[]): Promise<Customer[]> {
    return tx.em.find(Customer, { ...published(tx), externalId: { $in: [...externalIds] } });
  }

  /** Those of the ids that exist, archived ones too: what was billed keeps its customer. */
  find(tx: Tx, ids: readonly string[]): Promise<Customer[]> {
    return tx.em.find(Customer, { environmentId: tx.scope.environmentId, id: { $in: [...ids] } });
  }

  async search(tx: Tx, query: CustomerSearchBody): Promise<[Customer[], number]> {
    const external = [...(query.external_ids ?? []), ...(query.external_id ? [query.external_id] : [])];
    return tx.em.findAndCount(
      Customer,
      {
        environmentId: tx.scope.environmentId,
        status: query.status === 'archived' ? 'archived' : 'published',
        ...(query.customer_ids?.length ? { id: { $in: query.customer_ids } } : {}),
        ...(external.length > 0 ? { externalId: { $in: external } } : {}),
        ...(query.email ? { email: query.email } : {}),
        ...createdWithin(query),
      },
      pageOptions(query),
    );
  }

  /** The customer a request names. @throws Problem 400 when it names none, 404 when there is no such. */
  resolve(tx: Tx, reference: CustomerReference): Promise<Customer> {
    return this.one(tx, reference);
  }

  /** As `resolve`, and takes the customer's lock: what is read after it nobody else can be changing. */
  resolveForUpdate(tx: Tx, reference: CustomerReference): Promise<Customer> {
    return this.one(tx, reference, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
  }

  /**
   * Finds customers and takes their locks in one statement, in the order of their ids as `lock` does.
   * @param wait for a lock that another transaction has; with `none` those customers are not in the answer.
   */
  async lockNamed(tx: Tx, names: CustomerNames, wait: LockWait): Promise<LockedCustomer[]> {
    const patience =
      wait === 'brief' ? sql`and (select set_config('lock_timeout', ${String(BRIEF_MS)}, true)) is not null` : sql``;
    const skip = wait === 'none' ? sql`skip locked` : sql``;
    return lockedCustomers(tx, sql`${whereNamed(names)} ${patience} order by id for update ${skip}`);
  }

  /** As `lockNamed`, without any lock. */
  findNamed(tx: Tx, names: CustomerNames): Promise<LockedCustomer[]> {
    return lockedCustomers(tx, sql`${whereNamed(names)} order by id`);
  }

  /**
   * Takes the locks of customers, in one order everywhere. Whatever touches a customer's usage, lots, holds,
   * subscriptions, drafts, invoices or payments does this first; the agenda's claim is the same lock.
   */
  async lock(tx: Tx, ids: readonly string[]): Promise<void> {
    await together(tx, lockAll, ids);
  }

  private async one(
    tx: Tx,
    { customer_id: id, external_customer_id: externalId }: CustomerReference,
    options: { lockMode?: LockMode.PESSIMISTIC_WRITE; refresh?: boolean } = {},
  ): Promise<Customer> {
    if (!id && !externalId) throw Problem.invalid('customer_id', 'or external_customer_id is required');
    const where = id ? { ...published(tx), id } : { ...published(tx), externalId: externalId! };
    const customer = await tx.em.findOne(Customer, where, options);
    if (!customer) throw Problem.notFound('customer', (id || externalId)!);
    return customer;
  }
}

function whereNamed({ ids = [], externalIds = [] }: CustomerNames): RawBuilder<unknown> {
  const byId = sql`id = any(${[...ids]}::text[])`;
  const byExternalId = sql`external_id = any(${[...externalIds]}::text[]) and status = 'published'`;
  if (externalIds.length === 0) return byId;
  return ids.length === 0 ? byExternalId : sql`(${byId} or ${byExternalId})`;
}

async function lockedCustomers(tx: Tx, where: RawBuilder<unknown>): Promise<LockedCustomer[]> {
  const found = await sql<{ id: string; external_id: string; status: string }>`
    select id, external_id, status from customer
    where environment_id = ${tx.scope.environmentId} and ${where}`.execute(tx.db);
  return found.rows.map(({ id, external_id: externalId, status }) => ({
    id,
    externalId,
    isPublished: status === 'published',
  }));
}

const published = (tx: Tx) => ({ environmentId: tx.scope.environmentId, status: 'published' as const });

const named = (customer: Customer) => ({ customer_id: customer.id, external_customer_id: customer.externalId });

/** @throws Problem 409 when the external id is taken. */
const saved = (tx: Tx, { externalId }: Customer) =>
  explainRefusal(tx.em.flush(), {
    customer_external_id: Problem.exists('external_id', `${externalId} belongs to another customer already`),
  });

const inUse = (id: string, reason: string): Problem =>
  Problem.state(`customer ${id} can't be deleted: ${reason}`, 'published');

/** The plain fields a body may set; one it leaves out stays as it is. */
function detailsOf(body: UpdateCustomerBody) {
  return Object.fromEntries(
    Object.entries({
      name: body.name,
      email: body.email,
      addressLine1: body.address_line1,
      addressLine2: body.address_line2,
      addressCity: body.address_city,
      addressState: body.address_state,
      addressPostalCode: body.address_postal_code,
      addressCountry: body.address_country,
    }).filter(([, value]) => value !== undefined),
  );
}

async function lockAll(tx: SetTx, asked: readonly (readonly string[])[]): Promise<undefined[]> {
  await sql`
    select from customer where environment_id = ${tx.scope.environmentId} and id = any(${asked.flat()}::text[])
    order by id for update`.execute(tx.db);
  return asked.map(() => undefined);
}
