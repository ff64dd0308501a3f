import { chargeable, Decimal, purchase, text } from '@drawdown/billing-core';
import type { CheckoutRequest } from '@drawdown/contracts';
import { type Customer, CustomersService } from '@drawdown/customers';
import { Agenda, newId, Problem, type Tx } from '@drawdown/platform';
import { WalletsService } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { newPayment, processable } from './charge-desk.js';
import type { CreateCheckoutSessionBody } from './checkout.dto.js';
import { CreditPurchases } from './credit-purchases.service.js';
import type { Invoice } from './invoice.entity.js';
import { type CheckoutMode, CheckoutSession, Payment } from './payment.entity.js';
import { isPaid, Receivables } from './receivables.service.js';

/** How long a hosted page may be used, by the environment's clock: as long as Stripe keeps one open. */
const PAGE_LIFE_MS = 24 * 3_600_000;

type ModeField = 'customer_id' | 'external_customer_id' | 'wallet_id' | 'credits' | 'invoice_id';
const FIELDS_OF: Record<CheckoutMode, readonly ModeField[]> = {
  setup: ['customer_id', 'external_customer_id'],
  top_up: ['wallet_id', 'credits'],
  invoice: ['invoice_id'],
};

/** Decides about hosted pages, and commits the session before its page is opened. */
@Injectable()
export class CheckoutDesk {
  constructor(
    private readonly customers: CustomersService,
    private readonly wallets: WalletsService,
    private readonly purchases: CreditPurchases,
    private readonly receivables: Receivables,
    private readonly agenda: Agenda,
  ) {}

  /**
   * Makes the session, with its payment where money is asked for. An invoice whose page is open already answers that
   * one; one whose card is being charged has none.
   * @throws Problem 400 for an amount that can't be charged, 404, 409 when the invoice is not to be paid now.
   */
  async begin(tx: Tx, body: CreateCheckoutSessionBody): Promise<CheckoutSession> {
    assertFieldsOfMode(body);
    switch (body.mode) {
      case 'setup':
        return this.session(tx, body, await this.customers.resolveForUpdate(tx, body), null, null);
      case 'top_up':
        return this.payFor(tx, body, await this.order(tx, body.wallet_id!, new Decimal(body.credits!)), 'credits');
      case 'invoice': {
        const invoice = await this.receivables.lock(tx, body.invoice_id!);
        return (await this.openPageOf(tx, invoice)) ?? this.payFor(tx, body, invoice, 'invoice_id');
      }
    }
  }

  /**
   * The page on which a payment that was made is paid.
   * @throws Problem 400 for an amount that can't be charged, 409 as `begin`, and while another payment is open.
   */
  async pay(tx: Tx, payment: Payment, invoice: Invoice): Promise<CheckoutSession> {
    payment.amount = await this.payableByPage(tx, invoice, 'amount');
    await processable(tx, payment);
    const body = { mode: 'invoice' as const, invoice_id: invoice.id, ...payment.returnUrls! };
    return this.session(tx, body, await this.customers.get(tx, invoice.customerId), payment, invoice);
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<CheckoutSession> {
    const session = await tx.em.findOne(CheckoutSession, { environmentId: tx.scope.environmentId, id });
    if (!session) throw Problem.notFound('checkout session', id);
    return session;
  }

  /** Whether what the page asks for is still wanted: it may have been paid or withdrawn while the page was being opened. */
  async isWanted(tx: Tx, { invoiceId }: CheckoutSession): Promise<boolean> {
    if (!invoiceId) return true;
    const invoice = await this.receivables.get(tx, invoiceId);
    return invoice.status === 'FINALIZED' && !isPaid(invoice) && !(await this.purchases.isWithoutWallet(tx, invoice));
  }

  private async order(tx: Tx, walletId: string, credits: Decimal): Promise<Invoice> {
    const { customerId } = await this.wallets.get(tx, walletId);
    await this.customers.lock(tx, [customerId]);
    const wallet = await this.wallets.get(tx, walletId);
    if (wallet.status !== 'active') throw Problem.state(`wallet ${wallet.id} is ${wallet.status}`, wallet.status);
    return this.purchases.order(tx, wallet, purchase({ credits, money: null }, wallet.topupConversionRate));
  }

  /** The page on which the invoice can be paid just now. @throws Problem 409 while a card is being charged for it. */
  async openPageOf(tx: Tx, invoice: Invoice): Promise<CheckoutSession | null> {
    const scope = { environmentId: tx.scope.environmentId };
    const payment = await tx.em.findOne(
      Payment,
      { ...scope, invoiceId: invoice.id, status: { $in: ['PENDING', 'PROCESSING'] } },
      { refresh: true },
    );
    if (!payment) return null;
    if (payment.methodType === 'CARD') {
      throw Problem.state(
        'a saved card is being charged for this invoice, and its outcome is not known yet',
        payment.status,
      );
    }
    return tx.em.findOneOrFail(CheckoutSession, { ...scope, paymentId: payment.id });
  }

  private async payFor(
    tx: Tx,
    body: CreateCheckoutSessionBody,
    invoice: Invoice,
    field: 'credits' | 'invoice_id',
  ): Promise<CheckoutSession> {
    const amount = await this.payableByPage(tx, invoice, field);
    const payment = await newPayment(tx, invoice, 'PAYMENT_LINK', amount);
    return this.session(tx, body, await this.customers.get(tx, invoice.customerId), payment, invoice);
  }

  private async payableByPage(tx: Tx, invoice: Invoice, field: string): Promise<Decimal> {
    if (invoice.status !== 'FINALIZED') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
    if (isPaid(invoice)) throw Problem.state('nothing is left to pay on the invoice', invoice.paymentStatus);
    if (await this.purchases.isWithoutWallet(tx, invoice)) {
      throw Problem.state('the wallet of the credits is closed: they can not come any more', 'wallet_closed');
    }
    const due = chargeable(invoice.amountRemaining, invoice.currency);
    if ('refused' in due) throw Problem.invalid(field, `can't be paid by card: ${due.reason}`);
    return due.amount;
  }

  private async session(
    tx: Tx,
    body: CreateCheckoutSessionBody,
    customer: Customer,
    payment: Payment | null,
    invoice: Invoice | null,
  ): Promise<CheckoutSession> {
    const id = newId('checkout');
    const session = tx.em.create(CheckoutSession, {
      id,
      ...tx.scope,
      customerId: customer.id,
      mode: body.mode,
      invoiceId: invoice?.id ?? null,
      paymentId: payment?.id ?? null,
      status: 'created',
      request: requestOf(tx, id, body, customer, payment && invoice ? { payment, invoice } : null),
      gatewaySessionId: null,
      url: null,
      expiresAt: new Date(tx.now.getTime() + PAGE_LIFE_MS),
      settledAt: null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    await tx.em.flush();
    await this.agenda.schedule(tx, {
      kind: 'checkout.expire',
      customerId: customer.id,
      subjectId: session.id,
      dueAt: session.expiresAt,
    });
    return session;
  }
}

function assertFieldsOfMode(body: CreateCheckoutSessionBody): void {
  const foreign = Object.values(FIELDS_OF)
    .flat()
    .find((field) => !FIELDS_OF[body.mode].includes(field) && body[field] !== undefined && body[field] !== null);
  if (foreign) throw Problem.invalid(foreign, `does not go with mode ${body.mode}`);
}

function requestOf(
  { scope }: Tx,
  sessionId: string,
  body: CreateCheckoutSessionBody,
  customer: Customer,
  paid: { payment: Payment; invoice: Invoice } | null,
): CheckoutRequest {
  return {
    ...scope,
    sessionId,
    mode: paid ? 'payment' : 'setup',
    customerId: customer.id,
    customerName: customer.name ?? null,
    customerEmail: customer.email ?? null,
    payment: paid && {
      paymentId: paid.payment.id,
      invoiceId: paid.invoice.id,
      amount: text(paid.payment.amount),
      currency: paid.payment.currency,
      description: paid.invoice.description ?? `Invoice ${paid.invoice.number}`,
    },
    ...(paid?.payment.saveMethod ? { saveMethod: true } : {}),
    successUrl: body.success_url,
    cancelUrl: body.cancel_url,
  };
}
