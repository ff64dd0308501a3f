import { type PaidFee, payFees, roundMoney, sum } from '@drawdown/billing-core';
import type { Tx } from '@drawdown/platform';
import { FeeCredits } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import type { InvoiceContent, LineContent } from './invoice-content.js';
import type { Invoice } from './invoice.entity.js';

type Payer = Pick<Invoice, 'customerId' | 'currency'>;

/** Fees that credits pay at finalization (MEANING "Lots, burn order, balances"); drafts and previews show what would be. */
@Injectable()
export class FeePayments {
  constructor(private readonly credits: FeeCredits) {}

  /** The content as it would be, were the invoice finalized now. Nothing is drawn. */
  async shown(tx: Tx, payer: Payer, content: InvoiceContent): Promise<InvoiceContent> {
    return applied(content, await this.decide(tx, payer, content), payer.currency);
  }

  /** Draws the credits. @returns the content to record. */
  async pay(tx: Tx, invoice: Invoice, content: InvoiceContent): Promise<InvoiceContent> {
    const paid = await this.decide(tx, invoice, content);
    await this.credits.pay(
      tx,
      invoice.id,
      paid.map((fee) => ({ ...fee, lineItemId: content.lines[Number(fee.key)]!.lineItemId ?? null })),
    );
    return applied(content, paid, invoice.currency);
  }

  private async decide(tx: Tx, { customerId, currency }: Payer, content: InvoiceContent): Promise<PaidFee[]> {
    const fees = content.lines.flatMap((line, place) =>
      line.priceType === 'FIXED' ? [{ key: String(place), due: line.due, span: spanOf(line) }] : [],
    );
    if (fees.length === 0 || content.total.isZero()) return [];
    return payFees(fees, await this.credits.lots(tx, customerId, currency), content.total);
  }
}

const spanOf = ({ periodStart, periodEnd }: LineContent) =>
  periodStart && periodEnd ? { start: periodStart, end: periodEnd } : null;

/** Due is rounded from the exact rest, as everywhere; the credits shown are the difference. */
function applied(content: InvoiceContent, paid: readonly PaidFee[], currency: string): InvoiceContent {
  if (paid.length === 0) return content;
  const byPlace = new Map(paid.map(({ key, covered }) => [Number(key), covered]));
  const lines = content.lines.map((line, place) => {
    const covered = byPlace.get(place);
    if (!covered) return line;
    const due = roundMoney(line.due.minus(covered), currency);
    return { ...line, due, creditsApplied: line.gross.minus(line.waived).minus(due) };
  });
  const drawn = sum(lines.map(({ creditsApplied }) => creditsApplied)).minus(content.totalCreditsApplied);
  return {
    ...content,
    lines,
    totalCreditsApplied: content.totalCreditsApplied.plus(drawn),
    total: content.total.minus(drawn),
  };
}
