import {
  paymentMethodPreferred,
  paymentMethodRemoved,
  paymentMethodSaved,
  type SavedMethod,
  type SavedMethods,
} from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import {
  together,
  type SetTx,
  createdWithin,
  EventBus,
  pageOptions,
  type PageQuery,
  Problem,
  type Tx,
} from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type Stripe from 'stripe';
import { PaymentMethod } from './payment-method.entity.js';

@Injectable()
export class PaymentMethodsService implements SavedMethods<Tx> {
  constructor(
    private readonly customers: CustomersService,
    private readonly events: EventBus,
  ) {}

  defaultOf(tx: Tx, customerId: string): Promise<SavedMethod | null> {
    return together(tx, defaultsOf, customerId);
  }

  async get(tx: Tx, customerId: string, id: string): Promise<SavedMethod | null> {
    const found = await sql<SavedMethod>`
      select id, brand, last4 from payment_method
      where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and id = ${id}
        and removed_at is null`.execute(tx.db);
    return found.rows[0] ?? null;
  }

  /** A page of what the customer has saved and not removed. @throws Problem 404 for an unknown customer. */
  async list(tx: Tx, customerId: string, query: PageQuery): Promise<[PaymentMethod[], number]> {
    await this.customers.get(tx, customerId);
    return tx.em.findAndCount(
      PaymentMethod,
      { environmentId: tx.scope.environmentId, customerId, removedAt: null, ...createdWithin(query) },
      pageOptions(query),
    );
  }

  /** What the customer has saved and not removed. @throws Problem 404. */
  async saved(tx: Tx, customerId: string, id: string): Promise<PaymentMethod> {
    const where = { environmentId: tx.scope.environmentId, customerId, id, removedAt: null };
    const method = await tx.em.findOne(PaymentMethod, where, { refresh: true });
    if (!method) throw Problem.notFound('payment method', id);
    return method;
  }

  /** From now on it is what is charged, until another is saved or preferred: the order of `seq` decides. @throws Problem 404. */
  async prefer(tx: Tx, customerId: string, id: string): Promise<PaymentMethod> {
    await this.customers.get(tx, customerId);
    await this.customers.lock(tx, [customerId]);
    const method = await this.saved(tx, customerId, id);
    if ((await this.defaultOf(tx, customerId))?.id === id) return method;
    await sql`
      update payment_method set seq = default, updated_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${id}`.execute(tx.db);
    await this.events.publish(tx, paymentMethodPreferred, { customer_id: customerId, payment_method_id: id });
    return tx.em.refreshOrFail(method);
  }

  /** Keeps what Stripe shows of a method that is attached to the customer; tells when it is new. Locks the customer. */
  async keep(tx: Tx, customerId: string, method: Stripe.PaymentMethod): Promise<void> {
    await this.customers.lock(tx, [customerId]);
    const { type, brand, last4, expMonth, expYear } = faceOf(method);
    const kept = await sql<{ is_new: boolean }>`
      insert into payment_method (id, tenant_id, environment_id, customer_id, type, brand, last4, exp_month, exp_year,
                                  created_at, updated_at)
      values (${method.id}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${customerId}, ${type}, ${brand}, ${last4},
              ${expMonth}, ${expYear}, ${tx.now}, ${tx.now})
      on conflict (id) do update
      set brand = excluded.brand, last4 = excluded.last4, exp_month = excluded.exp_month, exp_year = excluded.exp_year,
          updated_at = excluded.updated_at
      where payment_method.environment_id = excluded.environment_id
        and (payment_method.brand, payment_method.last4, payment_method.exp_month, payment_method.exp_year)
          is distinct from (excluded.brand, excluded.last4, excluded.exp_month, excluded.exp_year)
      returning (xmax = 0) is_new`.execute(tx.db);
    if (!kept.rows[0]?.is_new) return;
    await this.events.publish(tx, paymentMethodSaved, {
      customer_id: customerId,
      payment_method_id: method.id,
      brand,
      last4,
    });
  }

  /** The method is detached at Stripe: it can be charged no more. Tells when it was ours. Locks the customer. */
  async drop(tx: Tx, methodId: string): Promise<void> {
    const found = await tx.em.findOne(PaymentMethod, { environmentId: tx.scope.environmentId, id: methodId });
    if (!found) return;
    await this.customers.lock(tx, [found.customerId]);
    const dropped = await sql`
      update payment_method set removed_at = ${tx.now}, updated_at = ${tx.now}
      where environment_id = ${tx.scope.environmentId} and id = ${methodId} and removed_at is null
      returning id`.execute(tx.db);
    if (dropped.rows.length === 0) return;
    await this.events.publish(tx, paymentMethodRemoved, { customer_id: found.customerId, payment_method_id: methodId });
  }

  /** With the customer, Stripe has lost all its methods. */
  async dropAll(tx: Tx, customerId: string): Promise<void> {
    const held = await tx.em.find(PaymentMethod, {
      environmentId: tx.scope.environmentId,
      customerId,
      removedAt: null,
    });
    for (const method of held) await this.drop(tx, method.id);
  }
}

interface Face {
  readonly type: string;
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number | null;
  readonly expYear: number | null;
}

/** What a person recognises a method by. */
export function faceOf(method: Stripe.PaymentMethod): Face {
  const { type, card } = method;
  if (card) return { type, brand: card.brand, last4: card.last4, expMonth: card.exp_month, expYear: card.exp_year };
  const details = (method as unknown as Record<string, { last4?: string | null } | undefined>)[type];
  return { type, brand: type, last4: details?.last4 ?? '', expMonth: null, expYear: null };
}

async function defaultsOf(tx: SetTx, customerIds: readonly string[]): Promise<(SavedMethod | null)[]> {
  const found = await sql<SavedMethod & { customer_id: string }>`
    select distinct on (customer_id) customer_id, id, brand, last4 from payment_method
    where environment_id = ${tx.scope.environmentId} and customer_id = any(${customerIds}::text[]) and removed_at is null
    order by customer_id, seq desc`.execute(tx.db);
  const methods = new Map(found.rows.map(({ customer_id: customerId, ...method }) => [customerId, method]));
  return customerIds.map((id) => methods.get(id) ?? null);
}
