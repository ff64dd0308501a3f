import { creditsOfMoney, type Decimal, moneyOfCredits, text, ZERO } from '@drawdown/billing-core';
import { Problem, type Tx } from '@drawdown/platform';
import { CreditReversals } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { CreditPurchase, type Invoice } from './invoice.entity.js';
import { askedOf } from './receivables.service.js';

/** Money of a purchase that goes back, by what: `refund:…` and `dispute:…` are the keys under which its credits do. */
interface MoneyBack {
  readonly key: string;
  readonly amount: Decimal;
}

/**
 * What becomes of bought credits when their money goes back (MEANING "Credits bought, and unpaid bills"). Called before the
 * invoice counts the money as gone; of an invoice that bought no credits nothing happens. Callers hold the customer's lock.
 */
@Injectable()
export class PurchaseReversals {
  constructor(private readonly reversals: CreditReversals) {}

  /**
   * We give money back: its credits leave their lot. @returns them.
   * @throws Problem 409 when too many of them were spent or are held, with what can be given back.
   */
  async takeBack(tx: Tx, invoice: Invoice, { key, amount }: MoneyBack): Promise<Decimal> {
    const bought = await boughtBy(tx, invoice);
    if (!bought) return ZERO;
    const before = goneFrom(invoice);
    const credits = creditsOfMoney(bought, before, amount);
    if (credits.isZero()) return ZERO;
    const left = await this.reversals.refundable(tx, bought.lotId);
    if (credits.gt(left)) {
      throw new Problem('invalid_state', `only ${text(left)} of the bought credits are still there and not held`, {
        field: 'amount',
        refundable_credits: text(left),
        refundable_amount: text(moneyOfCredits(bought, before, left, invoice.currency)),
      });
    }
    await this.reversals.refund(tx, { lotId: bought.lotId, credits, key, note: noteOf(invoice) });
    return credits;
  }

  /** Money was taken from us and is gone: its credits leave their lot, those that were spent are owed. @returns all of them. */
  async lose(tx: Tx, invoice: Invoice, { key, amount }: MoneyBack): Promise<Decimal> {
    const bought = await boughtBy(tx, invoice);
    if (!bought) return ZERO;
    const credits = creditsOfMoney(bought, goneFrom(invoice), amount);
    await this.loseCredits(tx, invoice, key, credits);
    return credits;
  }

  /** Money was taken and may come back: what is left of its credits leaves the lot, nothing is owed yet. */
  async setAside(tx: Tx, invoice: Invoice, { key, amount }: MoneyBack): Promise<{ credits: Decimal; aside: Decimal }> {
    const bought = await boughtBy(tx, invoice);
    if (!bought) return { credits: ZERO, aside: ZERO };
    const credits = creditsOfMoney(bought, goneFrom(invoice), amount);
    const left = await this.reversals.refundable(tx, bought.lotId);
    const aside = left.lt(credits) ? left : credits;
    await this.loseCredits(tx, invoice, key, aside);
    return { credits, aside };
  }

  /** Credits whose money is gone for good. */
  async loseCredits(tx: Tx, invoice: Invoice, key: string, credits: Decimal): Promise<void> {
    const bought = await boughtBy(tx, invoice);
    if (!bought || credits.lte(ZERO)) return;
    await this.reversals.lose(tx, { lotId: bought.lotId, credits, key, note: noteOf(invoice) });
  }

  /** The money came back, or never went. */
  async restore(tx: Tx, key: string): Promise<void> {
    await this.reversals.restore(tx, key);
  }
}

/** What of the invoice's money is on its way back, or back. */
const goneFrom = ({ refundedAmount, disputedAmount }: Invoice): Decimal => refundedAmount.plus(disputedAmount);

/** The credits an invoice has brought; null when it brought none. */
async function boughtBy(tx: Tx, invoice: Invoice) {
  if (invoice.type !== 'CREDIT') return null;
  const of = { environmentId: tx.scope.environmentId, invoiceId: invoice.id, state: 'granted' as const };
  const purchase = await tx.em.findOne(CreditPurchase, of, { refresh: true });
  if (!purchase?.lotId) return null;
  const { credits, lotId } = purchase;
  return { credits, lotId, price: askedOf(invoice), overpaid: invoice.overpaidAmount };
}

const noteOf = (invoice: Invoice) => ({ referenceType: 'INVOICE' as const, referenceId: invoice.id });
