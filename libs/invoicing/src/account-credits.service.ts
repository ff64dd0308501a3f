import { Decimal, ZERO } from '@drawdown/billing-core';
import { newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { AccountCreditEntry, Invoice } from './invoice.entity.js';

/**
 * Money that customers have with us: what invoices are below zero, taken by the next invoices before any card (MEANING
 * "Invoices"). Not credits of a wallet. Callers hold the customer's lock.
 */
@Injectable()
export class AccountCredits {
  /** Money, never below zero. */
  async balance(tx: Tx, customerId: string, currency: string): Promise<Decimal> {
    await tx.em.flush();
    const found = await sql<{ balance: string }>`
      select coalesce(sum(amount), 0) balance from account_credit_entry
      where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId}
        and currency = ${currency}`.execute(tx.db);
    return new Decimal(found.rows[0]!.balance);
  }

  /** An invoice is finalized: its excess is given, or what there is pays it. @returns what it pays. */
  async settle(tx: Tx, invoice: Invoice, total: Decimal, excess: Decimal): Promise<Decimal> {
    if (excess.gt(ZERO)) this.record(tx, invoice, 'given', excess);
    // Credits are bought with money of their own: the lot comes with a payment.
    if (invoice.type === 'CREDIT' || total.isZero()) return ZERO;
    const applied = Decimal.min(await this.balance(tx, invoice.customerId, invoice.currency), total);
    if (applied.gt(ZERO)) this.record(tx, invoice, 'applied', applied.neg());
    return applied;
  }

  /** An invoice is withdrawn: what it took comes back. */
  giveBack(tx: Tx, invoice: Invoice): void {
    if (invoice.accountCreditApplied.gt(ZERO)) this.record(tx, invoice, 'returned', invoice.accountCreditApplied);
  }

  private record(tx: Tx, invoice: Invoice, kind: AccountCreditEntry['kind'], amount: Decimal): void {
    tx.em.create(AccountCreditEntry, {
      id: newId('acct'),
      ...tx.scope,
      customerId: invoice.customerId,
      currency: invoice.currency,
      invoiceId: invoice.id,
      kind,
      amount,
      createdAt: tx.now,
      updatedAt: tx.now,
    });
  }
}
