import type { Customer } from '@drawdown/customers';
import type { SubscriptionGrant } from './grant.entity.js';
import type { LineItem } from './line-item.entity.js';

/** The rows that a subscription's answer shows beside the subscription itself. */
export interface SubscriptionRelations {
  readonly customer: Customer;
  readonly lineItems: readonly LineItem[];
  readonly grants: readonly SubscriptionGrant[];
}
