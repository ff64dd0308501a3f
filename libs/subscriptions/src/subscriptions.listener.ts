import { invoiceFellDue, invoicePaid, invoicePaymentFailed, invoiceVoided, type PayloadOf } from '@drawdown/contracts';
import { InTransaction, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Lifecycle } from './lifecycle.service.js';
import { Subscription } from './subscription.entity.js';

/** What subscriptions do when others speak. Invoices of no subscription (credit purchases) change nothing here. */
@Injectable()
export class SubscriptionsListener {
  constructor(private readonly lifecycle: Lifecycle) {}

  @InTransaction(invoicePaymentFailed)
  async onPaymentFailed(tx: Tx, invoice: PayloadOf<typeof invoicePaymentFailed>): Promise<void> {
    const subscription = await subscriptionOf(tx, invoice);
    if (subscription) await this.lifecycle.fallBehind(tx, subscription);
  }

  @InTransaction(invoiceFellDue)
  async onFellDue(tx: Tx, invoice: PayloadOf<typeof invoiceFellDue>): Promise<void> {
    const subscription = await subscriptionOf(tx, invoice);
    if (subscription) await this.lifecycle.fallBehind(tx, subscription);
  }

  @InTransaction(invoicePaid)
  async onPaid(tx: Tx, invoice: PayloadOf<typeof invoicePaid>): Promise<void> {
    const subscription = invoice.overdue_remaining === 0 ? await subscriptionOf(tx, invoice) : null;
    if (subscription) await this.lifecycle.recover(tx, subscription);
  }

  /** What was overdue is not owed any more. */
  @InTransaction(invoiceVoided)
  async onVoided(tx: Tx, invoice: PayloadOf<typeof invoiceVoided>): Promise<void> {
    const subscription = invoice.overdue_remaining === 0 ? await subscriptionOf(tx, invoice) : null;
    if (subscription) await this.lifecycle.recover(tx, subscription);
  }
}

const subscriptionOf = async (
  tx: Tx,
  { subscription_id: id }: { readonly subscription_id: string | null },
): Promise<Subscription | null> =>
  id === null ? null : tx.em.findOne(Subscription, { environmentId: tx.scope.environmentId, id });
