import { burnOrder, type FeeLot, type PaidFee, sum, text } from '@drawdown/billing-core';
import { creditsReturned } from '@drawdown/contracts';
import { EventBus, rowsOf, together, type SetTx, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { LedgerEntry } from './ledger-entry.entity.js';
import { type LotRow, lotState } from './lot-row.js';
import { WalletsService } from './wallets.service.js';

/** What credits pay of one line of an invoice. */
export interface PaidInvoiceFee extends PaidFee {
  readonly lineItemId: string | null;
}

interface FeeLotRow extends LotRow {
  customer_id: string;
  currency: string;
  id: string;
}

/** Credits that pay fees, from wallets that allow FIXED or ALL. Callers hold the customer's lock. */
@Injectable()
export class FeeCredits {
  constructor(
    private readonly wallets: WalletsService,
    private readonly events: EventBus,
  ) {}

  /** The lots that may pay fees now, in burn order. */
  async lots(tx: Tx, customerId: string, currency: string): Promise<FeeLot[]> {
    await tx.em.flush();
    const rows = await together(tx, feeLotsOf, customerId);
    return burnOrder(rows.filter((row) => row.currency === currency).map(feeLot));
  }

  /** Draws what was decided; a line of an invoice is paid once. */
  async pay(tx: Tx, invoiceId: string, paid: readonly PaidInvoiceFee[]): Promise<void> {
    await this.wallets.post(
      tx,
      paid.flatMap(({ key, lineItemId, draws }) =>
        draws.map(({ lotId, credits }) => ({
          lotId,
          credits: credits.neg(),
          kind: 'fee' as const,
          cause: { type: 'invoice' as const, id: invoiceId, ...(lineItemId ? { lineItemId } : {}) },
          key: `fee:${invoiceId}:${key}:${lotId}`,
          note: { referenceType: 'INVOICE' as const, referenceId: invoiceId },
        })),
      ),
    );
  }

  /** The invoice is withdrawn: what it drew returns to its lots, and pays what usage is still short of. */
  async giveBack(tx: Tx, invoice: { readonly id: string; readonly customerId: string; readonly currency: string }) {
    const drawn = await tx.em.find(LedgerEntry, {
      environmentId: tx.scope.environmentId,
      causeType: 'invoice',
      causeId: invoice.id,
      kind: 'fee',
    });
    if (drawn.length === 0) return;
    await this.wallets.post(
      tx,
      drawn.map(({ id, lotId, credits, lineItemId }) => ({
        lotId,
        credits: credits.neg(),
        kind: 'fee_return',
        cause: { type: 'invoice', id: invoice.id, ...(lineItemId ? { lineItemId } : {}) },
        key: `fee_return:${id}`,
        note: { referenceType: 'INVOICE', referenceId: invoice.id },
      })),
    );
    await this.events.publish(tx, creditsReturned, {
      invoice_id: invoice.id,
      customer_id: invoice.customerId,
      currency: invoice.currency,
      credits: text(sum(drawn.map(({ credits }) => credits.neg()))),
    });
  }
}

/** Of all currencies. */
async function feeLotsOf(tx: SetTx, customerIds: readonly string[]): Promise<FeeLotRow[][]> {
  const found = await sql<FeeLotRow>`
    select w.customer_id, w.currency, l.id, l.wallet_id, l.priority, l.source, l.effective_at, l.expires_at, l.created_at,
           l.remaining, l.held, w.conversion_rate
    from wallet w join lot l on l.wallet_id = w.id and not l.exhausted
    where w.environment_id = ${tx.scope.environmentId} and w.customer_id = any(${customerIds}::text[])
      and w.status = 'active' and w.allowed_price_types && '{ALL,FIXED}' and l.remaining > l.held
      and l.written_off_at is null and l.effective_at <= ${tx.now}
      and (l.expires_at is null or l.expires_at > ${tx.now})`.execute(tx.db);
  return rowsOf(customerIds, found.rows, (row) => row.customer_id);
}

const feeLot = (row: FeeLotRow): FeeLot => ({ ...lotState(row.id, row), grant: row.source === 'grant' });
