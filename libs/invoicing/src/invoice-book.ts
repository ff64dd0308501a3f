import { invoiceMonth, invoiceNumber, text, ZERO } from '@drawdown/billing-core';
import { invoiceCarried, invoiceDrafted, invoiceDropped, invoiceFinalized } from '@drawdown/contracts';
import { EventBus, newId, together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { AccountCredits } from './account-credits.service.js';
import type { InvoiceContent } from './invoice-content.js';
import { Invoice, InvoiceLine } from './invoice.entity.js';
import { INVOICE_MOVES, move } from './lifecycles.js';
import { askedOf, named, Receivables } from './receivables.service.js';

/** What a draft says of itself; its amounts come with finalization. */
export type NewInvoice = Pick<Invoice, 'customerId' | 'type' | 'billingReason' | 'currency'> &
  Partial<
    Pick<
      Invoice,
      | 'subscriptionId'
      | 'kind'
      | 'changeId'
      | 'periodId'
      | 'endedPeriodId'
      | 'sequence'
      | 'periodStart'
      | 'periodEnd'
      | 'description'
      | 'dueDate'
      | 'requestKey'
      | 'metadata'
    >
  >;

/** Records invoices: drafts, their finalization with a gap-free number, and drafts dropped. Callers hold the customer's lock. */
@Injectable()
export class InvoiceBook {
  constructor(
    private readonly receivables: Receivables,
    private readonly accountCredits: AccountCredits,
    private readonly events: EventBus,
  ) {}

  async draft(tx: Tx, draft: NewInvoice): Promise<Invoice> {
    const invoice = tx.em.create(Invoice, { id: newId('inv'), ...draftOf(tx, draft) });
    await this.events.publish(tx, invoiceDrafted, named(invoice));
    return invoice;
  }

  /** Records the lines, gives the number, and opens what is owed. From here on the database refuses changes. */
  async finalize(tx: Tx, invoice: Invoice, content: InvoiceContent, dueDate: Date): Promise<void> {
    await this.recordLines(tx, invoice, content);
    await this.close(tx, invoice, content, dueDate);
  }

  /** As `finalize`, of a draft whose lines are recorded. */
  async close(tx: Tx, invoice: Invoice, content: InvoiceContent, dueDate: Date): Promise<void> {
    const { total, accountCredit } = content;
    const settled = await this.accountCredits.settle(tx, invoice, total, accountCredit);
    tx.em.assign(invoice, {
      subtotal: content.subtotal,
      totalDiscount: content.totalDiscount,
      totalCreditsApplied: content.totalCreditsApplied,
      total,
      accountCreditGiven: accountCredit,
      ...settled,
      status: move(INVOICE_MOVES, invoice.status, 'FINALIZED'),
      number: invoiceNumber(tx.now, await together(tx, nextCounters, null)),
      finalizedAt: tx.now,
      paymentToken: randomBytes(24).toString('base64url'),
      dueDate,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, invoiceFinalized, {
      ...named(invoice),
      invoice_number: invoice.number!,
      total: text(invoice.total),
      amount_due: text(askedOf(invoice)),
    });
    if (invoice.accountCarried.gt(ZERO)) {
      await this.events.publish(tx, invoiceCarried, { ...named(invoice), amount: text(invoice.accountCarried) });
    }
    await this.receivables.open(tx, invoice);
  }

  /** MEANING "Invoices": "An invoice with no lines isn't made". */
  async drop(tx: Tx, invoice: Invoice): Promise<void> {
    await this.events.publish(tx, invoiceDropped, named(invoice));
    tx.em.remove(invoice);
    await tx.em.flush();
  }

  /** Before the invoice itself is finalized: the database takes lines only of a draft. */
  async recordLines(tx: Tx, invoice: Invoice, { lines }: InvoiceContent): Promise<void> {
    for (const [position, line] of lines.entries()) {
      tx.em.create(InvoiceLine, {
        ...line,
        id: newId('inv_line'),
        ...tx.scope,
        invoiceId: invoice.id,
        position,
        customerId: invoice.customerId,
        subscriptionId: invoice.subscriptionId ?? null,
        currency: invoice.currency,
        createdAt: tx.now,
        updatedAt: tx.now,
      });
    }
    await tx.em.flush();
  }
}

/** A draft's row without its id: what a preview shows and a draft records. */
export const draftOf = ({ scope, now }: Tx, draft: NewInvoice) => ({
  subscriptionId: null,
  kind: null,
  changeId: null,
  periodId: null,
  endedPeriodId: null,
  sequence: null,
  periodStart: null,
  periodEnd: null,
  description: null,
  dueDate: null,
  requestKey: null,
  paymentToken: null,
  metadata: {},
  ...draft,
  ...scope,
  status: 'DRAFT' as const,
  paymentStatus: 'PENDING' as const,
  number: null,
  ...NOTHING,
  finalizedAt: null,
  paidAt: null,
  voidedAt: null,
  createdAt: now,
  updatedAt: now,
});

const NOTHING = {
  subtotal: ZERO,
  totalDiscount: ZERO,
  totalCreditsApplied: ZERO,
  total: ZERO,
  accountCreditGiven: ZERO,
  accountCreditApplied: ZERO,
  accountCarried: ZERO,
  amountPaid: ZERO,
  amountRemaining: ZERO,
  overpaidAmount: ZERO,
  refundedAmount: ZERO,
  disputedAmount: ZERO,
};

/** The next numbers of the month, 1 first. Their row stays locked to the end of the transaction: a rollback leaves no gap. */
async function nextCounters(tx: SetTx, asked: readonly null[]): Promise<number[]> {
  const { tenantId, environmentId } = tx.scope;
  const taken = await sql<{ last: number }>`
    insert into invoice_number (environment_id, month, tenant_id, last)
    values (${environmentId}, ${invoiceMonth(tx.now)}, ${tenantId}, ${asked.length})
    on conflict (environment_id, month) do update set last = invoice_number.last + excluded.last
    returning last`.execute(tx.db);
  const { last } = taken.rows[0]!;
  return asked.map((_, n) => last - asked.length + 1 + n);
}
