import type { DueWork } from '@drawdown/contracts';
import { Due, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Collection } from './collection.service.js';
import { HostedPages } from './hosted-pages.service.js';
import { Receivables } from './receivables.service.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';

/** What falls due in invoicing. */
@Injectable()
export class InvoicingJobs {
  constructor(
    private readonly ofSubscriptions: SubscriptionInvoices,
    private readonly receivables: Receivables,
    private readonly pages: HostedPages,
    private readonly collection: Collection,
  ) {}

  @Due('invoice.finalize')
  finalize(tx: Tx, work: DueWork): Promise<void> {
    return this.ofSubscriptions.finalize(tx, work.subjectId);
  }

  @Due('invoice.fall_due')
  fallDue(tx: Tx, work: DueWork): Promise<void> {
    return this.receivables.fallDue(tx, work);
  }

  @Due('checkout.expire')
  lapse(tx: Tx, work: DueWork): Promise<void> {
    return this.pages.lapse(tx, work);
  }

  @Due('payment.retry')
  ask(tx: Tx, work: DueWork): Promise<void> {
    return this.collection.fellDue(tx, work);
  }
}
