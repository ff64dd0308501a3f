import type { DueWork } from '@drawdown/contracts';
import { Due, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Collection } from './collection.service.js';
import { Dunnings } from './dunning.service.js';
import { FirstPayments } from './first-payments.service.js';
import { HostedPages } from './hosted-pages.service.js';
import { Receivables } from './receivables.service.js';
import { Refunding } from './refunding.service.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';

/** What falls due in invoicing. */
@Injectable()
export class InvoicingJobs {
  constructor(
    private readonly ofSubscriptions: SubscriptionInvoices,
    private readonly receivables: Receivables,
    private readonly pages: HostedPages,
    private readonly collection: Collection,
    private readonly dunnings: Dunnings,
    private readonly firstPayments: FirstPayments,
    private readonly refunding: Refunding,
  ) {}

  @Due('invoice.finalize')
  finalize(tx: Tx, work: DueWork): Promise<void> {
    return this.ofSubscriptions.finalize(tx, work.subjectId);
  }

  @Due('invoice.fall_due')
  fallDue(tx: Tx, work: DueWork): Promise<void> {
    return this.receivables.fallDue(tx, work);
  }

  @Due('subscription.expire')
  giveUp(tx: Tx, work: DueWork): Promise<void> {
    return this.firstPayments.fallDue(tx, work);
  }

  @Due('dunning.step')
  askForItAgain(tx: Tx, work: DueWork): Promise<void> {
    return this.dunnings.step(tx, work);
  }

  @Due('checkout.expire')
  lapse(tx: Tx, work: DueWork): Promise<void> {
    return this.pages.lapse(tx, work);
  }

  @Due('payment.retry')
  ask(tx: Tx, work: DueWork): Promise<void> {
    return this.collection.fellDue(tx, work);
  }

  @Due('refund.retry')
  askForTheRefund(tx: Tx, work: DueWork): Promise<void> {
    return this.refunding.fellDue(tx, work);
  }
}
