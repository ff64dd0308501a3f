import { Decimal, text } from '@drawdown/billing-core';
import { currentUsage } from '@drawdown/metering';
import { Problem, SingleRead, SingleReads } from '@drawdown/platform';
import { inMoney, readWallet, walletsShown, walletView, type WalletRow } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { WalletBalanceView } from './top-ups.dto.js';

interface BalanceRow extends WalletRow {
  current_usage: string;
  unpaid: string;
}

const unpaid = sql`(
  select coalesce(sum(amount_remaining), 0) from invoice
  where environment_id = w.environment_id and customer_id = w.customer_id and currency = w.currency
    and status = 'FINALIZED')`;

const balanceOfWallet = new SingleRead(['id'], ({ id }, asker) =>
  walletsShown<BalanceRow>(asker, sql`w.id = ${id}`, sql`, ${currentUsage(sql`w`)} current_usage, ${unpaid} unpaid`),
);

/** `GET /wallets/{id}/balance/real-time`: of wallets, usage and invoices at one moment, in one statement. */
@Injectable()
export class WalletBalances {
  constructor(private readonly reads: SingleReads) {}

  /** @throws Problem 404. */
  async realTime(walletId: string): Promise<WalletBalanceView> {
    const [row] = (await this.reads.read(balanceOfWallet, { id: walletId })).rows;
    if (!row) throw Problem.notFound('wallet', walletId);
    const [wallet, balance] = readWallet(row);
    return Object.assign(walletView(wallet, balance), {
      real_time_credit_balance: text(balance.realTimeCreditBalance),
      real_time_balance: text(inMoney(balance.realTimeCreditBalance, wallet)),
      current_period_usage: text(new Decimal(row.current_usage)),
      unpaid_invoices_amount: text(new Decimal(row.unpaid)),
      balance_updated_at: wallet.updatedAt.toISOString(),
    });
  }
}
