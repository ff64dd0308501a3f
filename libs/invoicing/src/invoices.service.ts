import { Decimal } from '@drawdown/billing-core';
import { type Customer, CustomersService } from '@drawdown/customers';
import { createdWithin, expanded, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { BillComposer } from './bill-composer.js';
import type { InvoiceContent } from './invoice-content.js';
import type { CurrencySummary } from './customer-summary.dto.js';
import { FeePayments } from './fee-payments.service.js';
import { draftOf } from './invoice-book.js';
import { Invoice, InvoiceLine } from './invoice.entity.js';
import { summed } from './one-off-invoices.service.js';
import { PaymentLinks } from './payment-links.service.js';
import { previewedStep } from './previewed-step.js';
import { type InvoiceSearchBody, invoiceView, type InvoiceView, type PreviewInvoiceBody } from './invoices.dto.js';

interface Shown {
  /** Without the lines a draft's amounts are not known. */
  readonly lines: boolean;
  readonly customers: boolean;
}

/** Invoices as they are read. A draft is composed anew each time; what was finalized is read as it was recorded. */
@Injectable()
export class InvoicesService {
  constructor(
    private readonly customers: CustomersService,
    private readonly subscriptions: SubscriptionsService,
    private readonly composer: BillComposer,
    private readonly fees: FeePayments,
    private readonly links: PaymentLinks,
  ) {}

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<InvoiceView> {
    const invoice = await tx.em.findOne(Invoice, { environmentId: tx.scope.environmentId, id });
    if (!invoice) throw Problem.notFound('invoice', id);
    return this.view(tx, invoice);
  }

  /** The newest invoice of a subscription, as far as this transaction has come. */
  latestOf(tx: Tx, subscriptionId: string): Promise<InvoiceView | null> {
    return this.newest(tx, { subscriptionId });
  }

  /** The invoice of the period in which a subscription ended. */
  finalOf(tx: Tx, periodId: string): Promise<InvoiceView | null> {
    return this.newest(tx, { periodId, kind: 'final' });
  }

  /** What a change at `at` has billed: itself, or the first period of another interval. */
  async changeOf(tx: Tx, subscriptionId: string, at: Date): Promise<InvoiceView | null> {
    const of = { subscriptionId, periodStart: at };
    return (await this.newest(tx, { ...of, kind: 'change' })) ?? this.newest(tx, { ...of, kind: 'cycle' });
  }

  async search(tx: Tx, query: InvoiceSearchBody): Promise<[InvoiceView[], number]> {
    const parts = expanded(query, ['customer', 'line_items']);
    const customerId = await this.searchedCustomer(tx, query);
    if (customerId === null) return [[], 0];
    const where = {
      environmentId: tx.scope.environmentId,
      ...conditions(query),
      ...(customerId ? { customerId } : {}),
    };
    const [found, total] = await tx.em.findAndCount(Invoice, where, {
      ...pageOptions(query),
      orderBy: byAge(query.order ?? 'desc'),
    });
    const shown = { lines: !query.skip_line_items, customers: parts.has('customer') };
    return [await this.views(tx, found, shown), total];
  }

  /**
   * What the invoice at the end of a period (the current one, unless the request names another) would say if that were
   * now. Nothing is written. @throws Problem 400, 404, 409.
   */
  async preview(tx: Tx, { subscription_id: id, period_start, period_end }: PreviewInvoiceBody): Promise<InvoiceView> {
    const asked = {
      start: period_start ? new Date(period_start) : null,
      end: period_end ? new Date(period_end) : null,
    };
    const subscription = await this.subscriptions.get(tx, id);
    const step = previewedStep(subscription, await this.subscriptions.periods(tx, id), asked);
    const { customerId, currency, billingPeriod } = step.subscription;
    const { start, end } = step.next ?? step.ended;
    const facts = draftOf(tx, {
      customerId,
      subscriptionId: step.subscription.id,
      type: 'SUBSCRIPTION',
      billingReason: step.next ? 'SUBSCRIPTION_CYCLE' : 'SUBSCRIPTION_UPDATE',
      currency,
      sequence: step.sequence,
      periodStart: start,
      periodEnd: end,
    });
    const content = await this.composer.compose(tx, step, { settle: false, withLate: step.current });
    return invoiceView(
      { id: null, ...facts },
      {
        content: await this.fees.shown(tx, facts, content),
        customer: await this.customers.get(tx, customerId),
        billingPeriod,
      },
    );
  }

  /** Per currency, from finalized invoices; money that drafts would ask is not owed yet. @throws Problem 404. */
  async summary(tx: Tx, customerId: string): Promise<CurrencySummary[]> {
    await this.customers.get(tx, customerId);
    const found = await sql<CurrencySummary>`
      select i.currency, count(*)::int total_count,
             count(*) filter (where i.amount_remaining > 0)::int unpaid_count,
             count(*) filter (where i.amount_remaining > 0 and i.due_date <= ${tx.now})::int overdue_count,
             sum(i.total) total_revenue, sum(i.amount_remaining) total_unpaid,
             coalesce(sum(i.amount_remaining) filter (where i.due_date <= ${tx.now}), 0) total_overdue,
             coalesce(sum(l.usage) filter (where i.amount_remaining > 0), 0) unpaid_usage,
             coalesce(sum(l.fixed) filter (where i.amount_remaining > 0), 0) unpaid_fixed,
             (select coalesce(sum(e.amount), 0) from account_credit_entry e
              where e.environment_id = ${tx.scope.environmentId} and e.customer_id = ${customerId}
                and e.currency = i.currency) account_credit
      from invoice i
      cross join lateral (
        select sum(due) filter (where price_type = 'USAGE') usage, sum(due) filter (where price_type = 'FIXED') fixed
        from invoice_line l where l.environment_id = i.environment_id and l.invoice_id = i.id) l
      where i.environment_id = ${tx.scope.environmentId} and i.customer_id = ${customerId} and i.status = 'FINALIZED'
      group by i.currency order by count(*) desc, i.currency`.execute(tx.db);
    return found.rows;
  }

  private async newest(
    tx: Tx,
    where: Partial<Pick<Invoice, 'subscriptionId' | 'periodId' | 'periodStart' | 'kind'>>,
  ): Promise<InvoiceView | null> {
    const [newest] = await tx.em.find(
      Invoice,
      { environmentId: tx.scope.environmentId, ...where },
      { orderBy: byAge('desc'), limit: 1 },
    );
    return newest ? this.view(tx, newest) : null;
  }

  private async view(tx: Tx, invoice: Invoice): Promise<InvoiceView> {
    return (await this.views(tx, [invoice], { lines: true, customers: true }))[0]!;
  }

  private async views(tx: Tx, invoices: readonly Invoice[], shown: Shown): Promise<InvoiceView[]> {
    const contents = shown.lines ? await this.contents(tx, invoices) : new Map<string, InvoiceContent>();
    const customers = shown.customers ? await this.customersOf(tx, invoices) : new Map<string, Customer>();
    const periods = await this.billingPeriods(tx, invoices);
    return invoices.map((invoice) =>
      invoiceView(invoice, {
        content: contents.get(invoice.id) ?? null,
        customer: customers.get(invoice.customerId) ?? null,
        billingPeriod: periods.get(invoice.subscriptionId ?? '') ?? null,
        paymentUrl: this.links.of(invoice),
      }),
    );
  }

  private async contents(tx: Tx, invoices: readonly Invoice[]): Promise<Map<string, InvoiceContent>> {
    const lines = await tx.em.find(
      InvoiceLine,
      { environmentId: tx.scope.environmentId, invoiceId: { $in: invoices.map(({ id }) => id) } },
      { orderBy: { position: 'asc' } },
    );
    const recorded = Map.groupBy(lines, (line) => line.invoiceId);
    const contents = new Map<string, InvoiceContent>();
    for (const invoice of invoices) {
      contents.set(invoice.id, await this.contentOf(tx, invoice, recorded.get(invoice.id) ?? []));
    }
    return contents;
  }

  /** A subscription's draft is composed; what somebody wrote, or what is finalized, stands in its lines. */
  private async contentOf(tx: Tx, invoice: Invoice, lines: readonly InvoiceLine[]): Promise<InvoiceContent> {
    if (invoice.status !== 'DRAFT') return { ...totalsOf(invoice), lines };
    if (!invoice.subscriptionId) return summed(lines, invoice.currency);
    const content = await this.composer.compose(tx, await this.composer.stepOf(tx, invoice), { settle: false });
    return this.fees.shown(tx, invoice, content);
  }

  private async customersOf(tx: Tx, invoices: readonly Invoice[]): Promise<Map<string, Customer>> {
    const found = await this.customers.find(tx, [...new Set(invoices.map(({ customerId }) => customerId))]);
    return new Map(found.map((customer) => [customer.id, customer]));
  }

  private async billingPeriods(tx: Tx, invoices: readonly Invoice[]): Promise<Map<string, string>> {
    const ids = new Set(invoices.flatMap(({ subscriptionId }) => (subscriptionId ? [subscriptionId] : [])));
    const found = await this.subscriptions.find(tx, [...ids]);
    return new Map(found.map(({ id, billingPeriod }) => [id, billingPeriod]));
  }

  /** Undefined when the search names none, null when it names an unknown one. */
  private async searchedCustomer(tx: Tx, query: InvoiceSearchBody): Promise<string | null | undefined> {
    if (query.customer_id) return query.customer_id;
    if (!query.external_customer_id) return undefined;
    return (await this.customers.byExternalId(tx, query.external_customer_id))?.id ?? null;
  }
}

/** Invoices made at one instant (a past start makes many) in the order of their periods. */
const byAge = (order: 'asc' | 'desc') => [{ createdAt: order }, { sequence: order }, { id: order }];

const totalsOf = ({ subtotal, totalDiscount, totalCreditsApplied, total, accountCreditGiven }: Invoice) => ({
  subtotal,
  totalDiscount,
  totalCreditsApplied,
  total,
  accountCredit: accountCreditGiven,
});

/** What a search asks for, as an ORM condition. */
function conditions(query: InvoiceSearchBody): object {
  const within = (from?: string | null, to?: string | null) => ({
    ...(from ? { $gte: new Date(from) } : {}),
    ...(to ? { $lte: new Date(to) } : {}),
  });
  const some = (values?: readonly string[] | null) => (values?.length ? { $in: values } : undefined);
  const above = (value?: string | null) => (value ? { $gt: new Decimal(value) } : undefined);
  const asked = {
    subscriptionId: query.subscription_id || undefined,
    id: some(query.invoice_ids),
    type: query.invoice_type || undefined,
    status: some(query.invoice_status),
    paymentStatus: some(query.payment_status),
    total: above(query.amount_due_gt),
    amountRemaining: above(query.amount_remaining_gt),
    periodStart: within(query.period_start_gte, query.period_start_lte),
    periodEnd: within(query.period_end_gte, query.period_end_lte),
  };
  const set = Object.entries(asked).filter(([, value]) => value && Object.keys(value).length > 0);
  return { ...Object.fromEntries(set), ...createdWithin(query) };
}
