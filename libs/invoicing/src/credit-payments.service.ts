import { burn, emptyCover, text } from '@drawdown/billing-core';
import { Problem, type Tx } from '@drawdown/platform';
import { FeeCredits, WalletsService } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import type { Invoice } from './invoice.entity.js';
import type { Payment } from './payment.entity.js';

/** Invoices that somebody pays with credits, after their finalization: from wallets that allow fees, all or nothing. */
@Injectable()
export class CreditPayments {
  constructor(
    private readonly credits: FeeCredits,
    private readonly wallets: WalletsService,
  ) {}

  /**
   * Takes the credits; of one wallet only where the payment names it. The caller holds the customer's lock.
   * @throws Problem 409 when there are too few.
   */
  async take(tx: Tx, payment: Payment, invoice: Invoice): Promise<void> {
    const walletId = payment.paymentMethodId ?? null;
    const lots = (await this.credits.lots(tx, invoice.customerId, invoice.currency)).filter(
      (lot) => walletId === null || lot.walletId === walletId,
    );
    const [first] = lots;
    const paid = first && burn(emptyCover(), payment.amount, lots, first.rate);
    if (!paid || paid.cover.shortfall.gt(0)) {
      const available = text(paid?.cover.covered ?? payment.amount.times(0));
      throw new Problem('invalid_state', `credits that may pay invoices are worth ${available} ${invoice.currency}`, {
        field: 'amount',
        available,
      });
    }
    await this.wallets.post(
      tx,
      paid.draws.map(({ lotId, credits }) => ({
        lotId,
        credits: credits.neg(),
        kind: 'debit' as const,
        cause: { type: 'request' as const, id: payment.id },
        key: `payment:${payment.id}:${lotId}`,
        note: { reason: 'INVOICE_PAYMENT' as const, referenceType: 'INVOICE' as const, referenceId: invoice.id },
      })),
    );
  }
}
