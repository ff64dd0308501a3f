import { canMove, type Decimal, dueDate, roundMoney, text, ZERO } from '@drawdown/billing-core';
import { purchaseStranded } from '@drawdown/contracts';
import { CustomersService } from '@drawdown/customers';
import { EventBus, newId, Problem, type Tx } from '@drawdown/platform';
import { type Wallet, WalletsService } from '@drawdown/wallets';
import { Injectable, Logger } from '@nestjs/common';
import type { InvoiceContent } from './invoice-content.js';
import { InvoiceBook } from './invoice-book.js';
import { CreditPurchase, type Invoice } from './invoice.entity.js';
import { move, PURCHASE_MOVES } from './lifecycles.js';
import { hasOpenPayment, isPaid, named, Receivables } from './receivables.service.js';

export interface NewPurchase {
  /** Credits bought, above zero, and their price in the wallet's currency, not yet rounded. */
  readonly credits: Decimal;
  readonly money: Decimal;
  readonly priority?: number | null;
  readonly expiresAt?: Date | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  /** Ordered by the wallet itself, not by somebody. */
  readonly automatic?: boolean;
  /** The caller's own key of the purchase, unique in the wallet: one key is one purchase. */
  readonly requestKey?: string | null;
}

/** Credits bought by an invoice of type CREDIT: its payment brings the lot, once; its withdrawal means it never comes. */
@Injectable()
export class CreditPurchases {
  private readonly log = new Logger(CreditPurchases.name);

  constructor(
    private readonly customers: CustomersService,
    private readonly wallets: WalletsService,
    private readonly book: InvoiceBook,
    private readonly receivables: Receivables,
    private readonly events: EventBus,
  ) {}

  /**
   * Makes the finalized invoice whose payment brings the credits; a request key seen before answers the one made then.
   * The caller holds the customer's lock.
   * @throws Problem 400 for credits that cost nothing, 409 for a key used for other credits.
   */
  async order(tx: Tx, wallet: Wallet, purchase: NewPurchase): Promise<Invoice> {
    const ordered = await this.orderedBy(tx, wallet, purchase);
    if (ordered) return this.receivables.get(tx, ordered.invoiceId);
    const price = roundMoney(purchase.money, wallet.currency);
    if (price.lte(ZERO)) throw Problem.invalid('credits', `cost nothing in ${wallet.currency} once rounded`);
    const { timezone } = await this.customers.get(tx, wallet.customerId);
    const invoice = await this.book.draft(tx, {
      customerId: wallet.customerId,
      type: 'CREDIT',
      billingReason: 'MANUAL',
      currency: wallet.currency,
      description: purchase.description ?? null,
      metadata: purchase.metadata ?? {},
    });
    this.remember(tx, wallet, invoice, purchase);
    await this.book.finalize(tx, invoice, contentOf(purchase.credits, price), dueDate(tx.now, null, timezone));
    return invoice;
  }

  /** The money is there: brings the lot. Its key is the invoice, so nothing brings it twice. */
  async fulfil(tx: Tx, invoice: Invoice): Promise<void> {
    const purchase = await this.of(tx, invoice);
    if (!purchase || !canMove(PURCHASE_MOVES, purchase.state, 'granted')) return;
    const wallet = await this.wallets.get(tx, purchase.walletId);
    if (wallet.status === 'closed') return this.strand(tx, invoice, purchase);
    const { lotId } = await this.wallets.addLot(tx, wallet, {
      credits: purchase.credits,
      source: 'purchase',
      priority: purchase.priority ?? null,
      expiresAt: purchase.expiresAt ?? null,
      key: `invoice:${invoice.id}`,
      reason: 'PURCHASED_CREDIT_INVOICED',
      referenceType: 'INVOICE',
      referenceId: invoice.id,
      description: purchase.description ?? null,
      metadata: purchase.metadata,
    });
    tx.em.assign(purchase, {
      state: move(PURCHASE_MOVES, purchase.state, 'granted'),
      lotId,
      updatedAt: tx.now,
    });
  }

  /** The page it was to be paid on was not used: the invoice is withdrawn and the credits never come. */
  async abandon(tx: Tx, invoice: Invoice): Promise<void> {
    const purchase = await this.of(tx, invoice);
    if (!purchase || purchase.state !== 'pending' || invoice.status !== 'FINALIZED' || isPaid(invoice)) return;
    tx.em.assign(purchase, { state: move(PURCHASE_MOVES, purchase.state, 'dropped'), updatedAt: tx.now });
    await this.receivables.void(tx, invoice);
  }

  /**
   * A wallet was closed: what was ordered for it is abandoned, so that nobody pays for credits that can't come.
   * @returns the invoices that are just being paid: abandoned when that comes to nothing.
   */
  async walletClosed(tx: Tx, walletId: string): Promise<string[]> {
    const where = { environmentId: tx.scope.environmentId, walletId, state: 'pending' as const };
    const pending = await tx.em.find(CreditPurchase, where, { orderBy: { id: 'asc' } });
    for (const { invoiceId } of pending) {
      await this.abandonWithoutWallet(tx, await this.receivables.lock(tx, invoiceId));
    }
    return pending.filter(({ state }) => state === 'pending').map(({ invoiceId }) => invoiceId);
  }

  /** Abandons credits for a closed wallet, unless a payment is open or a part was paid: that only a refund undoes. */
  async abandonWithoutWallet(tx: Tx, invoice: Invoice): Promise<void> {
    if (!(await this.isWithoutWallet(tx, invoice)) || invoice.amountPaid.gt(ZERO)) return;
    if (!(await hasOpenPayment(tx, invoice))) await this.abandon(tx, invoice);
  }

  /** Whether the invoice is for credits whose wallet is closed. */
  async isWithoutWallet(tx: Tx, invoice: Invoice): Promise<boolean> {
    const purchase = invoice.type === 'CREDIT' ? await this.of(tx, invoice) : null;
    return purchase !== null && (await this.wallets.get(tx, purchase.walletId)).status === 'closed';
  }

  /** Paid, but the wallet was closed meanwhile: the money is kept in the books and somebody has to give it back. */
  private async strand(tx: Tx, invoice: Invoice, purchase: CreditPurchase): Promise<void> {
    this.log.error(`credits of invoice ${invoice.id} were paid, but wallet ${purchase.walletId} is closed`);
    tx.em.assign(purchase, { state: move(PURCHASE_MOVES, purchase.state, 'stranded'), updatedAt: tx.now });
    await this.events.publish(tx, purchaseStranded, {
      ...named(invoice),
      wallet_id: purchase.walletId,
      credits: text(purchase.credits),
    });
  }

  /** What the wallet itself has ordered and nobody has paid; at most one. */
  pendingAutomatic(tx: Tx, walletId: string): Promise<CreditPurchase | null> {
    const where = { environmentId: tx.scope.environmentId, walletId, automatic: true, state: 'pending' as const };
    return tx.em.findOne(CreditPurchase, where);
  }

  /** When the wallet itself has ordered lately, the newest first; what is pending doesn't count. */
  async automaticOrders(tx: Tx, walletId: string, limit: number): Promise<Date[]> {
    const own = { environmentId: tx.scope.environmentId, walletId, automatic: true };
    const of = { ...own, state: { $ne: 'pending' as const } };
    const orders = await tx.em.find(CreditPurchase, of, { orderBy: { createdAt: 'desc', id: 'desc' }, limit });
    return orders.map(({ createdAt }) => createdAt);
  }

  /** The purchase that an invoice is for; null where it is for something else. */
  of(tx: Tx, invoice: Pick<Invoice, 'id'>): Promise<CreditPurchase | null> {
    return tx.em.findOne(CreditPurchase, { environmentId: tx.scope.environmentId, invoiceId: invoice.id });
  }

  private async orderedBy(
    tx: Tx,
    wallet: Wallet,
    { requestKey, credits }: NewPurchase,
  ): Promise<CreditPurchase | null> {
    if (!requestKey) return null;
    const where = { environmentId: tx.scope.environmentId, walletId: wallet.id, requestKey };
    const ordered = await tx.em.findOne(CreditPurchase, where);
    if (ordered && !ordered.credits.eq(credits)) throw keyReused();
    return ordered;
  }

  private remember(tx: Tx, wallet: Wallet, invoice: Invoice, purchase: NewPurchase): void {
    tx.em.create(CreditPurchase, {
      id: newId('purchase'),
      ...tx.scope,
      invoiceId: invoice.id,
      customerId: wallet.customerId,
      walletId: wallet.id,
      automatic: purchase.automatic ?? false,
      credits: purchase.credits,
      priority: purchase.priority ?? null,
      expiresAt: purchase.expiresAt ?? null,
      description: purchase.description ?? null,
      metadata: purchase.metadata ?? {},
      state: 'pending',
      lotId: null,
      requestKey: purchase.requestKey ?? null,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
  }
}

export const keyReused = (what = 'other credits'): Problem =>
  new Problem('idempotency_conflict', `idempotency_key was used before for ${what}`, {
    field: 'idempotency_key',
  });

function contentOf(credits: Decimal, price: Decimal): InvoiceContent {
  const line = {
    lineItemId: null,
    priceId: null,
    priceType: 'FIXED' as const,
    planId: null,
    planDisplayName: null,
    meterId: null,
    meterDisplayName: null,
    displayName: `${text(credits)} credits`,
    periodStart: null,
    periodEnd: null,
    quantity: credits,
    freeUnits: ZERO,
    gross: price,
    waived: ZERO,
    creditsApplied: ZERO,
    due: price,
    commitment: null,
    metadata: {},
  };
  return {
    lines: [line],
    subtotal: price,
    totalDiscount: ZERO,
    totalCreditsApplied: ZERO,
    total: price,
    accountCredit: ZERO,
  };
}
