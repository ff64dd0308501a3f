import { invoiceCommsTriggered } from '@drawdown/contracts';
import { Agenda, EventBus, Problem, type Tx } from '@drawdown/platform';
import { FeeCredits } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { CreditPurchases } from './credit-purchases.service.js';
import type { Invoice } from './invoice.entity.js';
import type { UpdateInvoiceBody } from './invoice-desk.dto.js';
import { OneOffInvoices } from './one-off-invoices.service.js';
import { hasOpenPayment, isPaid, named, Receivables } from './receivables.service.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';

/** What people do to an invoice by hand. Each takes the customer's lock and the invoice's. */
@Injectable()
export class InvoiceDesk {
  constructor(
    private readonly receivables: Receivables,
    private readonly ofSubscriptions: SubscriptionInvoices,
    private readonly oneOffs: OneOffInvoices,
    private readonly purchases: CreditPurchases,
    private readonly feeCredits: FeeCredits,
    private readonly agenda: Agenda,
    private readonly events: EventBus,
  ) {}

  /** @returns null when the draft had nothing to bill and is gone. @throws Problem 404, 409 for what is no draft. */
  async finalize(tx: Tx, id: string): Promise<string | null> {
    const invoice = await this.draft(tx, id);
    if (invoice.subscriptionId) await this.ofSubscriptions.finalize(tx, id);
    else await this.oneOffs.finalize(tx, invoice);
    return invoice.number ?? null;
  }

  /** A draft. What it says is computed whenever it is read, so there is nothing to compute. @throws Problem 404, 409. */
  async draft(tx: Tx, id: string): Promise<Invoice> {
    const invoice = await this.receivables.lock(tx, id);
    if (invoice.status !== 'DRAFT') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
    return invoice;
  }

  /**
   * MEANING "Void": finalized, nothing paid; its due is dropped, burnt usage stays burnt, its period is not billed again.
   * Credits it was to buy never come. @throws Problem 404, 409 with the state.
   */
  async void(tx: Tx, id: string): Promise<void> {
    const invoice = await this.receivables.lock(tx, id);
    if (invoice.status !== 'FINALIZED') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
    if (invoice.amountPaid.gt(0) || invoice.overpaidAmount.gt(0)) {
      throw Problem.state('something was paid on the invoice: it can only be refunded', invoice.paymentStatus);
    }
    if (invoice.accountCreditGiven.gt(0)) {
      throw Problem.state('the invoice gave account credit, which may be used by now: it stays', invoice.status);
    }
    if (await hasOpenPayment(tx, invoice)) {
      throw Problem.state('a payment of the invoice is open, and may still bring money', 'in_progress');
    }
    if (invoice.type === 'CREDIT') await this.purchases.abandon(tx, invoice);
    else await this.receivables.void(tx, invoice);
    await this.feeCredits.giveBack(tx, invoice);
  }

  /** @throws Problem 400 for a due date that is not ahead, 404, 409 when nothing is left to fall due. */
  async update(tx: Tx, id: string, { due_date, metadata }: UpdateInvoiceBody): Promise<void> {
    const invoice = await this.receivables.lock(tx, id);
    if (metadata) invoice.metadata = metadata;
    if (due_date) await this.postpone(tx, invoice, new Date(due_date));
    invoice.updatedAt = tx.now;
  }

  /** Tells whoever sends invoices to send this one. @throws Problem 404, 409 for a draft. */
  async triggerComms(tx: Tx, id: string): Promise<void> {
    const invoice = await this.receivables.lock(tx, id);
    if (invoice.status === 'DRAFT') throw Problem.state('a draft is not sent to anybody', invoice.status);
    await this.events.publish(tx, invoiceCommsTriggered, { ...named(invoice), invoice_number: invoice.number! });
  }

  private async postpone(tx: Tx, invoice: Invoice, dueDate: Date): Promise<void> {
    if (dueDate <= tx.now) throw Problem.invalid('due_date', `must lie after ${tx.now.toISOString()}`);
    if (invoice.status === 'VOIDED' || isPaid(invoice)) {
      throw Problem.state('nothing is left to fall due on the invoice', invoice.paymentStatus);
    }
    invoice.dueDate = dueDate;
    if (invoice.status === 'DRAFT') return;
    await this.agenda.schedule(tx, {
      kind: 'invoice.fall_due',
      customerId: invoice.customerId,
      subjectId: invoice.id,
      dueAt: dueDate,
    });
  }
}
