import { CustomersService, type CustomerNames, type LockedCustomer, type LockWait } from '@drawdown/customers';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';

/** What a transaction does about customers whom others have locked: the last waits long, but only for that one. */
export type Patience = LockWait | { readonly waitFor: string };

/** Instead of an answer: the request names a customer who is locked, was not taken, and must wait. */
export class CustomerBusy extends Error {
  constructor(
    readonly customerId: string,
    /** All by which requests may name the customer. */
    readonly names: readonly string[],
  ) {
    super(`customer ${customerId} is locked`);
  }
}

export interface FoundCustomer extends LockedCustomer {
  /** Set when it is not locked by us. */
  readonly busy: CustomerBusy | null;
}

/** Locks customers for a group of requests, in one order everywhere. */
@Injectable()
export class CustomerLocks {
  constructor(private readonly customers: CustomersService) {}

  /** In the order of their ids. With `none` and `waitFor` those that are locked already are found, and told as busy. */
  async take(tx: Tx, names: CustomerNames, patience: Patience): Promise<FoundCustomer[]> {
    if (patience === 'brief' || patience === 'long') {
      return (await this.customers.lockNamed(tx, names, patience)).map((one) => ({ ...one, busy: null }));
    }
    if (patience !== 'none') await this.customers.lock(tx, [patience.waitFor]);
    const locked = new Set((await this.customers.lockNamed(tx, names, 'none')).map(({ id }) => id));
    const all = await this.customers.findNamed(tx, names);
    return all.map((one) => ({
      ...one,
      busy: locked.has(one.id) ? null : new CustomerBusy(one.id, [one.id, one.externalId]),
    }));
  }
}
