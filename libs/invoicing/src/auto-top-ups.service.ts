import { Decimal, decideTopUp, ZERO } from '@drawdown/billing-core';
import type { autoTopUpFellDue, autoTopUpOrdered, PayloadOf } from '@drawdown/contracts';
import { type Scope, Transactions, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { AutoTopups, stateOf, topUpRule, type Wallet, WalletsService } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import type { ChargeRefusal, Refused } from './charge-desk.js';
import { Collection } from './collection.service.js';
import { CreditPurchases } from './credit-purchases.service.js';
import type { CreditPurchase, Invoice } from './invoice.entity.js';
import { hasOpenPayment, Receivables } from './receivables.service.js';

/** Refusals that count as failures: only the customer can change them. */
const HOPELESS: readonly ChargeRefusal[] = ['no_saved_method', 'declined_for_good', 'below_minimum', 'above_maximum'];

/**
 * Credits that wallets buy by themselves (MEANING "Credits bought"): an invoice for credits on the one money path, one
 * unpaid at a time per wallet. What was declined is tried again as the same invoice, which can be paid by hand meanwhile.
 */
@Injectable()
export class AutoTopUps {
  constructor(
    private readonly wallets: WalletsService,
    private readonly topups: AutoTopups,
    private readonly purchases: CreditPurchases,
    private readonly receivables: Receivables,
    private readonly subscriptions: SubscriptionsService,
    private readonly collection: Collection,
    private readonly transactions: Transactions,
  ) {}

  /** The balance calls for credits: orders them, has an unpaid order charged again, or waits. */
  async consider(tx: Tx, due: PayloadOf<typeof autoTopUpFellDue>): Promise<void> {
    const wallet = await this.wallets.get(tx, due.wallet_id);
    const rule = topUpRule(wallet);
    if (!rule) return;
    const state = stateOf(wallet);
    const known = {
      balance: new Decimal(due.balance),
      open: state.status === 'in_progress',
      trialing: await this.isInTrial(tx, wallet),
      boughtAt: await this.purchases.automaticOrders(tx, wallet.id, rule.dailyCap),
      declinedAt: state.declined_at.map((at) => new Date(at)),
    };
    const decision = decideTopUp(rule, known, tx.now);
    if (!decision.due) return this.topups.waits(tx, wallet, decision.reason, decision.retryAt);
    const { credits, money } = decision;
    const before = await this.orderedBefore(tx, wallet, credits);
    const order = { credits, money, automatic: true, description: 'Automatic top-up' };
    const { id: invoiceId } = before ?? (await this.purchases.order(tx, wallet, order));
    await this.topups.ordered(tx, wallet, { invoiceId, credits, retry: before !== null });
  }

  /** An unpaid order is not wanted any more. Where money may be under way it stays. */
  async withdraw(tx: Tx, invoiceId: string): Promise<void> {
    const invoice = await this.receivables.lock(tx, invoiceId);
    if (!(await mayBePaid(tx, invoice))) await this.purchases.abandon(tx, invoice);
  }

  async paid(tx: Tx, invoiceId: string): Promise<void> {
    const wallet = await this.orderingWallet(tx, invoiceId);
    if (wallet) await this.topups.bought(tx, wallet);
  }

  async voided(tx: Tx, invoiceId: string): Promise<void> {
    const wallet = await this.orderingWallet(tx, invoiceId);
    if (wallet) await this.topups.withdrawn(tx, wallet);
  }

  async declined(tx: Tx, invoiceId: string, reason: string): Promise<void> {
    const wallet = await this.orderingWallet(tx, invoiceId);
    if (wallet) await this.topups.failed(tx, wallet, reason);
  }

  /**
   * After the commit. A first charge is that of the finalized invoice; each retry is a cause of its own. Where a payment
   * is open already its outcome tells what becomes of the order.
   */
  async charge(scope: Scope, order: PayloadOf<typeof autoTopUpOrdered>, eventId: string): Promise<void> {
    if (await this.transactions.run(scope, (tx) => hasOpenPayment(tx, { id: order.invoice_id }))) return;
    const cause = { key: order.retry ? eventId : 'finalized', byHand: false };
    const refused = await this.collection.collect(scope, order.invoice_id, cause);
    if (refused) await this.notCharged(scope, order.invoice_id, refused);
  }

  /** No attempt was made, so no decline tells of it: it counts as one, once. */
  async notCharged(scope: Scope, invoiceId: string, { refused, reason }: Refused): Promise<void> {
    if (!HOPELESS.includes(refused)) return;
    await this.transactions.run(scope, async (tx) => {
      await this.receivables.lock(tx, invoiceId);
      const wallet = await this.orderingWallet(tx, invoiceId);
      if (wallet && stateOf(wallet).status === 'in_progress') await this.topups.failed(tx, wallet, reason);
    });
  }

  /** The unpaid order, as long as it is for as many credits as are wanted now; another is withdrawn. */
  private async orderedBefore(tx: Tx, { id }: Wallet, credits: Decimal): Promise<Invoice | null> {
    const pending = await this.purchases.pendingAutomatic(tx, id);
    if (!pending) return null;
    const invoice = await this.receivables.lock(tx, pending.invoiceId);
    if (pending.credits.eq(credits) || (await mayBePaid(tx, invoice))) return invoice;
    await this.purchases.abandon(tx, invoice);
    return isPending(pending) ? invoice : null;
  }

  /** The wallet that has ordered this invoice and waits for it. */
  private async orderingWallet(tx: Tx, invoiceId: string): Promise<Wallet | null> {
    const purchase = await this.purchases.of(tx, { id: invoiceId });
    if (!purchase?.automatic) return null;
    const wallet = await this.wallets.get(tx, purchase.walletId);
    return stateOf(wallet).invoice_id === invoiceId ? wallet : null;
  }

  /** MEANING "Credits bought": "not in a trial": all that runs in the currency is one. */
  private async isInTrial(tx: Tx, { customerId, currency }: Wallet): Promise<boolean> {
    const running = await this.subscriptions.running(tx, customerId);
    const own = running.filter((subscription) => subscription.currency === currency);
    return own.length > 0 && own.every(({ status }) => status === 'trialing');
  }
}

const isPending = ({ state }: CreditPurchase): boolean => state === 'pending';

const mayBePaid = async (tx: Tx, invoice: Invoice): Promise<boolean> =>
  invoice.amountPaid.gt(ZERO) || (await hasOpenPayment(tx, invoice));
