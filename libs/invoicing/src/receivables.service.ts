import { balanceDue, type Decimal, ZERO, text } from '@drawdown/billing-core';
import {
  type DueWork,
  invoiceFellDue,
  invoiceOverpaid,
  invoicePaid,
  invoicePaymentFailed,
  invoiceVoided,
  paymentSucceeded,
} from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { Agenda, EventBus, loaded, Problem, type SetTx, together, type Tx } from '@drawdown/platform';
import { LockMode } from '@mikro-orm/core';
import { Injectable, Logger } from '@nestjs/common';
import { sql } from 'kysely';
import { AccountCredits } from './account-credits.service.js';
import { Invoice } from './invoice.entity.js';
import { INVOICE_MOVES, INVOICE_PAYMENT_MOVES, move } from './lifecycles.js';
import { Payment } from './payment.entity.js';

/** What is owed on finalized invoices: from finalization to the last of the money, or to the withdrawal. */
@Injectable()
export class Receivables {
  private readonly log = new Logger(Receivables.name);

  constructor(
    private readonly customers: CustomersService,
    private readonly accountCredits: AccountCredits,
    private readonly events: EventBus,
    private readonly agenda: Agenda,
  ) {}

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Invoice> {
    const invoice = await loaded(tx, Invoice, id);
    if (!invoice) throw Problem.notFound('invoice', id);
    return invoice;
  }

  /** Locks the customer, then the invoice, and reads it as nobody else can be changing it. @throws Problem 404. */
  async lock(tx: Tx, id: string): Promise<Invoice> {
    const invoice = await this.lockIfKnown(tx, id);
    if (!invoice) throw Problem.notFound('invoice', id);
    return invoice;
  }

  /** As `lock`; null where there is none, or none any more. */
  async lockIfKnown(tx: Tx, id: string): Promise<Invoice | null> {
    await tx.em.flush();
    const customerId = await together(tx, customersOf, id);
    if (!customerId) return null;
    await this.customers.lock(tx, [customerId]);
    return tx.em.findOne(
      Invoice,
      { environmentId: tx.scope.environmentId, id },
      { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
    );
  }

  /** A just finalized invoice is owed from now on; one with nothing due is paid. */
  async open(tx: Tx, invoice: Invoice): Promise<void> {
    const asked = askedOf(invoice);
    if (asked.isZero()) return this.paid(tx, invoice);
    invoice.amountRemaining = asked;
    await this.agenda.schedule(tx, {
      kind: 'invoice.fall_due',
      customerId: invoice.customerId,
      subjectId: invoice.id,
      dueAt: invoice.dueDate!,
    });
  }

  /** Money arrived (never counted before: the caller holds its receipt). What is too much stays visible and alarms. */
  async receive(tx: Tx, invoice: Invoice, paymentId: string, amount: Decimal): Promise<void> {
    if (invoice.status === 'VOIDED') this.revive(invoice);
    const paidBefore = isPaid(invoice);
    const received = invoice.amountPaid.plus(invoice.overpaidAmount).plus(amount);
    const { remaining, overpaid } = balanceDue(askedOf(invoice), received, invoice.currency);
    tx.em.assign(invoice, {
      amountPaid: received.minus(overpaid),
      amountRemaining: remaining,
      overpaidAmount: overpaid,
      updatedAt: tx.now,
    });
    await this.events.publish(tx, paymentSucceeded, {
      ...named(invoice),
      payment_id: paymentId,
      amount: text(amount),
    });
    if (!paidBefore && remaining.isZero()) await this.paid(tx, invoice);
    if (overpaid.gt(ZERO)) await this.overpaid(tx, invoice, paymentId);
  }

  /** A payment was declined; an invoice that other money has paid stays paid. */
  async decline(tx: Tx, invoice: Invoice, paymentId: string, reason: string): Promise<void> {
    if (isPaid(invoice) || invoice.status !== 'FINALIZED') return;
    invoice.paymentStatus = move(INVOICE_PAYMENT_MOVES, invoice.paymentStatus, 'FAILED');
    invoice.updatedAt = tx.now;
    await this.events.publish(tx, invoicePaymentFailed, { ...named(invoice), payment_id: paymentId, reason });
  }

  /** Due work `invoice.fall_due`. */
  async fallDue(tx: Tx, work: DueWork): Promise<void> {
    const invoice = await this.lock(tx, work.subjectId);
    if (invoice.status !== 'FINALIZED' || isPaid(invoice)) return;
    await this.events.publish(tx, invoiceFellDue, named(invoice));
  }

  /** Withdraws an invoice nothing was paid on: its due is dropped. */
  async void(tx: Tx, invoice: Invoice): Promise<void> {
    tx.em.assign(invoice, {
      status: move(INVOICE_MOVES, invoice.status, 'VOIDED'),
      voidedAt: tx.now,
      amountRemaining: ZERO,
      updatedAt: tx.now,
    });
    this.accountCredits.giveBack(tx, invoice);
    await this.agenda.cancel(tx, 'invoice.fall_due', invoice.id);
    await this.events.publish(tx, invoiceVoided, {
      ...named(invoice),
      overdue_remaining: await overdueBeside(tx, invoice),
    });
  }

  /** The finalized invoices of a customer on which something is left to pay, oldest first. */
  unpaidOf(tx: Tx, customerId: string): Promise<Invoice[]> {
    return tx.em.find(
      Invoice,
      { environmentId: tx.scope.environmentId, customerId, status: 'FINALIZED', paidAt: null },
      { orderBy: { createdAt: 'asc', id: 'asc' } },
    );
  }

  private async paid(tx: Tx, invoice: Invoice): Promise<void> {
    tx.em.assign(invoice, {
      paymentStatus: move(INVOICE_PAYMENT_MOVES, invoice.paymentStatus, 'SUCCEEDED'),
      paidAt: tx.now,
      amountRemaining: ZERO,
      updatedAt: tx.now,
    });
    await this.agenda.cancel(tx, 'invoice.fall_due', invoice.id);
    await this.events.publish(tx, invoicePaid, {
      ...named(invoice),
      amount_paid: text(invoice.amountPaid),
      overdue_remaining: await overdueBeside(tx, invoice),
    });
  }

  private async overpaid(tx: Tx, invoice: Invoice, paymentId: string): Promise<void> {
    invoice.paymentStatus = move(INVOICE_PAYMENT_MOVES, invoice.paymentStatus, 'OVERPAID');
    const amount = text(invoice.overpaidAmount);
    this.log.error(`invoice ${invoice.id} is overpaid by ${amount} ${invoice.currency} with payment ${paymentId}`);
    await this.events.publish(tx, invoiceOverpaid, {
      ...named(invoice),
      payment_id: paymentId,
      overpaid_amount: amount,
    });
  }

  private revive(invoice: Invoice): void {
    this.log.warn(`invoice ${invoice.id} was paid after it had been withdrawn: money is the truth`);
    invoice.status = move(INVOICE_MOVES, invoice.status, 'FINALIZED');
    invoice.voidedAt = null;
  }
}

/** Whose the invoices are. */
async function customersOf(tx: SetTx, invoiceIds: readonly string[]): Promise<(string | null)[]> {
  const found = await sql<{ id: string; customer_id: string }>`
    select id, customer_id from invoice
    where environment_id = ${tx.scope.environmentId} and id = any(${invoiceIds}::text[])`.execute(tx.db);
  const customerOf = new Map(found.rows.map((row) => [row.id, row.customer_id]));
  return invoiceIds.map((id) => customerOf.get(id) ?? null);
}

/** Money that is asked for: what is due after the customer's account has paid, put off or collected. */
export const askedOf = ({ total, accountCreditApplied, accountCarried }: Invoice): Decimal =>
  total.minus(accountCreditApplied).minus(accountCarried);

export const isPaid = (invoice: Pick<Invoice, 'paidAt'>): boolean => Boolean(invoice.paidAt);

/** Whether money for the invoice may still be under way. */
export async function hasOpenPayment(tx: Tx, invoice: Pick<Invoice, 'id'>): Promise<boolean> {
  await tx.em.flush();
  const of = { environmentId: tx.scope.environmentId, invoiceId: invoice.id };
  return (await tx.em.count(Payment, { ...of, status: { $in: ['PENDING', 'PROCESSING'] } })) > 0;
}

/** What every event about an invoice says of it. */
export const named = (invoice: Invoice) => ({
  invoice_id: invoice.id,
  customer_id: invoice.customerId,
  subscription_id: invoice.subscriptionId ?? null,
  currency: invoice.currency,
});

/** How many other invoices of the subscription are declined, or unpaid at their due date. */
async function overdueBeside(tx: Tx, invoice: Invoice): Promise<number> {
  await tx.em.flush();
  const found = await sql<{ n: number }>`
    select count(*)::int n from invoice
    where environment_id = ${tx.scope.environmentId} and subscription_id = ${invoice.subscriptionId}
      and status = 'FINALIZED' and paid_at is null and id <> ${invoice.id}
      and (payment_status = 'FAILED' or due_date <= ${tx.now})`.execute(tx.db);
  return found.rows[0]!.n;
}
