import { Decimal, draftInvoice, dueDate, roundMoney, ZERO } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { InvoiceContent, LineContent } from './invoice-content.js';
import { InvoiceBook } from './invoice-book.js';
import { Invoice, InvoiceLine } from './invoice.entity.js';
import type { CreateInvoiceBody, OneOffLineBody } from './invoice-desk.dto.js';

/** Invoices that somebody writes: their lines are said, not computed, so a draft of them holds its lines. */
@Injectable()
export class OneOffInvoices {
  constructor(
    private readonly customers: CustomersService,
    private readonly book: InvoiceBook,
  ) {}

  /** @throws Problem 400 for amounts that don't add up, 404, 409 for a key used for another invoice. */
  async create(tx: Tx, body: CreateInvoiceBody): Promise<Invoice> {
    await this.customers.lock(tx, [body.customer_id]);
    await this.customers.get(tx, body.customer_id);
    const content = contentOf(body);
    const made = await this.madeUnder(tx, body, content);
    if (made) return made;
    assertTimes(tx, body);
    const invoice = await this.book.draft(tx, {
      customerId: body.customer_id,
      type: 'ONE_OFF',
      billingReason: 'MANUAL',
      currency: body.currency,
      description: body.description ?? null,
      periodStart: instantOf(body.period_start),
      periodEnd: instantOf(body.period_end),
      dueDate: instantOf(body.due_date),
      requestKey: body.idempotency_key ?? null,
      metadata: body.metadata ?? {},
    });
    await this.book.recordLines(tx, invoice, content);
    if (body.invoice_status !== 'DRAFT') await this.close(tx, invoice, content);
    return invoice;
  }

  /** The caller holds the invoice's lock. */
  async finalize(tx: Tx, invoice: Invoice): Promise<void> {
    const of = { environmentId: tx.scope.environmentId, invoiceId: invoice.id };
    const lines = await tx.em.find(InvoiceLine, of, { orderBy: { position: 'asc' } });
    await this.close(tx, invoice, summed(lines, invoice.currency));
  }

  private async close(tx: Tx, invoice: Invoice, content: InvoiceContent): Promise<void> {
    const { timezone } = await this.customers.get(tx, invoice.customerId);
    await this.book.close(tx, invoice, content, invoice.dueDate ?? dueDate(tx.now, null, timezone));
  }

  private async madeUnder(tx: Tx, body: CreateInvoiceBody, content: InvoiceContent): Promise<Invoice | null> {
    if (!body.idempotency_key) return null;
    const where = { environmentId: tx.scope.environmentId, requestKey: body.idempotency_key };
    const made = await tx.em.findOne(Invoice, where);
    if (!made) return null;
    const same = made.customerId === body.customer_id && made.currency === body.currency;
    if (!same || (made.status !== 'DRAFT' && !made.total.eq(content.total))) {
      throw new Problem('idempotency_conflict', 'idempotency_key was used before for another invoice', {
        field: 'idempotency_key',
      });
    }
    return made;
  }
}

function contentOf(body: CreateInvoiceBody): InvoiceContent {
  body.line_items.forEach(({ amount }, place) => {
    if (!roundMoney(new Decimal(amount), body.currency).eq(amount)) {
      throw Problem.invalid(`line_items[${place}].amount`, `must be whole minor units of ${body.currency}`);
    }
  });
  const content = summed(body.line_items.map(lineOf), body.currency);
  for (const field of ['subtotal', 'total', 'amount_due'] as const) {
    if (!content.total.eq(body[field]) || content.accountCredit.gt(ZERO)) {
      throw Problem.invalid(
        field,
        `must be the sum of the lines, ${content.total.minus(content.accountCredit).toFixed()}`,
      );
    }
  }
  return content;
}

const lineOf = (line: OneOffLineBody): LineContent => ({
  lineItemId: null,
  priceId: null,
  priceType: 'FIXED',
  planId: null,
  planDisplayName: null,
  meterId: null,
  meterDisplayName: null,
  displayName: line.display_name,
  periodStart: instantOf(line.period_start),
  periodEnd: instantOf(line.period_end),
  quantity: new Decimal(line.quantity),
  freeUnits: ZERO,
  gross: new Decimal(line.amount),
  waived: ZERO,
  creditsApplied: ZERO,
  due: new Decimal(line.amount),
  commitment: null,
  metadata: line.metadata ?? {},
});

/** Lines with their sums. */
export function summed(lines: readonly LineContent[], currency: string): InvoiceContent {
  const drafted = draftInvoice(
    lines.map((line, place) => ({ ...line, key: String(place), credits: line.creditsApplied })),
    currency,
  );
  return { ...drafted, lines };
}

function assertTimes(tx: Tx, { due_date, period_start, period_end }: CreateInvoiceBody): void {
  if (due_date && new Date(due_date) <= tx.now) {
    throw Problem.invalid('due_date', `must lie after ${tx.now.toISOString()}`);
  }
  if (Boolean(period_start) !== Boolean(period_end)) {
    throw Problem.invalid(period_start ? 'period_end' : 'period_start', 'must be given with the other end');
  }
  if (period_start && period_end && new Date(period_start) > new Date(period_end)) {
    throw Problem.invalid('period_end', 'must not lie before period_start');
  }
}

const instantOf = (at: string | null | undefined): Date | null => (at ? new Date(at) : null);
