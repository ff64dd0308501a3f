import { Requests, type Tx } from '@drawdown/platform';
import { type Wallet, walletView, type WalletView, WalletsService, WalletTransactions } from '@drawdown/wallets';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { TopUpWalletBody, WalletBalanceQuery, type TopUpWalletView, type WalletBalanceView } from './top-ups.dto.js';
import { TopUps } from './top-ups.service.js';
import { WalletBalances } from './wallet-balances.service.js';

/** The routes of wallets whose answers need invoices. */
@ApiTags('Wallets')
@Controller('wallets')
export class TopUpsController {
  constructor(
    private readonly topUps: TopUps,
    private readonly wallets: WalletsService,
    private readonly transactions: WalletTransactions,
    private readonly balances: WalletBalances,
    private readonly requests: Requests,
  ) {}

  @Get(':id/balance/real-time')
  @ApiOperation({ summary: 'What can be spent from a wallet now' })
  balance(@Param('id') id: string, @Query() _query: WalletBalanceQuery): Promise<WalletBalanceView> {
    return this.balances.realTime(id);
  }

  @Post(':id/top-up')
  @HttpCode(200)
  @ApiOperation({ summary: 'Add credits: free, bought outside, or by an invoice' })
  topUp(@Param('id') id: string, @Body() body: TopUpWalletBody): Promise<TopUpWalletView> {
    return this.requests.write(async (tx) => {
      const { entryId, invoiceId } = await this.topUps.topUp(tx, id, body);
      const [[transaction]] = entryId ? await this.transactions.search(tx, { id: entryId }) : [[]];
      return {
        wallet: await this.view(tx, await this.wallets.get(tx, id)),
        wallet_transaction: transaction ?? null,
        invoice_id: invoiceId,
      };
    });
  }

  private async view(tx: Tx, wallet: Wallet): Promise<WalletView> {
    return walletView(wallet, await this.wallets.balance(tx, wallet));
  }
}
