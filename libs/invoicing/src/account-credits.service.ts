import { accountShare, Decimal, ZERO } from '@drawdown/billing-core';
import { newId, together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { AccountCreditEntry, Invoice } from './invoice.entity.js';
import { Refund } from './refund.entity.js';

/** What the account does for an invoice. */
type AccountSettlement = Pick<Invoice, 'accountCreditApplied' | 'accountCarried'>;

/**
 * Money that customers have with us: what invoices are below zero, taken by the next invoices before any card (MEANING
 * "Invoices"). Not credits of a wallet. Callers hold the customer's lock.
 */
@Injectable()
export class AccountCredits {
  /** Money; below zero what is put off to the next invoice. */
  async balance(tx: Tx, customerId: string, currency: string): Promise<Decimal> {
    await tx.em.flush();
    return together(tx, balancesOf, { customerId, currency });
  }

  /** An invoice is finalized: its excess is given, or the account pays, puts off or collects. */
  async settle(tx: Tx, invoice: Invoice, total: Decimal, excess: Decimal): Promise<AccountSettlement> {
    this.record(tx, invoice, 'given', excess);
    if (!excess.isZero()) await tx.em.flush();
    // Credits are bought with money of their own: the lot comes with a payment.
    if (invoice.type === 'CREDIT' || total.isZero()) return { accountCreditApplied: ZERO, accountCarried: ZERO };
    const balance = await together(tx, balancesOf, invoice);
    const { applied, carried, collected } = accountShare(total, balance, invoice.currency);
    this.record(tx, invoice, 'applied', applied.neg());
    this.record(tx, invoice, 'carried', carried.neg());
    this.record(tx, invoice, 'collected', collected);
    return { accountCreditApplied: applied, accountCarried: carried.minus(collected) };
  }

  /** An invoice is withdrawn: what it took comes back, what it put off is owed no more, what it collected is again. */
  giveBack(tx: Tx, invoice: Invoice): void {
    this.record(tx, invoice, 'returned', invoice.accountCreditApplied.plus(invoice.accountCarried));
  }

  /** Money of the account goes back to the customer. */
  payOut(tx: Tx, refund: Refund): void {
    this.record(tx, refund, 'paid_out', refund.amount.neg(), refund.id);
  }

  /** It didn't: it is the account's again. */
  payBack(tx: Tx, refund: Refund): void {
    this.record(tx, refund, 'paid_back', refund.amount, refund.id);
  }

  private record(
    tx: Tx,
    by: Invoice | Refund,
    kind: AccountCreditEntry['kind'],
    amount: Decimal,
    refundId: string | null = null,
  ): void {
    if (amount.isZero()) return;
    tx.em.create(AccountCreditEntry, {
      id: newId('acct'),
      ...tx.scope,
      customerId: by.customerId,
      currency: by.currency,
      invoiceId: by instanceof Refund ? by.invoiceId : by.id,
      kind,
      refundId,
      amount,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
  }
}

interface Account {
  readonly customerId: string;
  readonly currency: string;
}

async function balancesOf(tx: SetTx, accounts: readonly Account[]): Promise<Decimal[]> {
  const found = await sql<{ customer_id: string; currency: string; balance: string }>`
    select customer_id, currency, sum(amount) balance from account_credit_entry
    where environment_id = ${tx.scope.environmentId}
      and customer_id = any(${accounts.map(({ customerId }) => customerId)}::text[])
    group by customer_id, currency`.execute(tx.db);
  const balances = new Map(found.rows.map((row) => [`${row.customer_id} ${row.currency}`, row.balance]));
  return accounts.map(({ customerId, currency }) => new Decimal(balances.get(`${customerId} ${currency}`) ?? 0));
}
