import type Stripe from 'stripe';
import { missing } from './api-error.js';
import type { Clock } from './clock.js';
import type { Store } from './store.js';
import type { TableName, Tables } from './tables.js';

/** What a use case works on: the one Stripe account of this sandbox. */
export interface Account {
  readonly store: Store;
  readonly clock: Clock;
  /** Where a browser reaches the hosted page. */
  readonly publicUrl: string;
}

/** The row named by a path or parameter, or Stripe's "No such …". */
export function find<T extends TableName>(account: Account, table: T, id: string, param?: string): Tables[T] {
  const row = account.store.get(table, id);
  if (!row) throw missing(nounOf(table), id, param);
  return row;
}

export function findCustomer(account: Account, id: string, param?: string): Stripe.Customer {
  const customer = find(account, 'customer', id, param);
  if (customer.deleted) throw missing('customer', id, param);
  return customer;
}

/** `payment_intent`, but `checkout.session` and `PaymentMethod` as Stripe words them. */
function nounOf(table: TableName): string {
  return table === 'payment_method' ? 'PaymentMethod' : table === 'webhook_endpoint' ? 'webhook endpoint' : table;
}
