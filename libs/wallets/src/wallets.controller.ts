import { listView, Problem, Requests, type ListView, type Tx } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DebitsService } from './debits.service.js';
import { WalletLifecycle } from './wallet-lifecycle.service.js';
import { WalletReads } from './wallet-reads.js';
import {
  WalletTransactionQuery,
  WalletTransactionSearchBody,
  type WalletTransactionView,
} from './wallet-transactions.dto.js';
import { WalletTransactions } from './wallet-transactions.service.js';
import type { Wallet } from './wallet.entity.js';
import {
  CreateWalletBody,
  CustomerWalletsQuery,
  DebitWalletBody,
  UpdateWalletBody,
  walletView,
  WalletSearchBody,
  type WalletView,
} from './wallets.dto.js';
import { WalletsService } from './wallets.service.js';

@ApiTags('Wallets')
@Controller()
export class WalletsController {
  constructor(
    private readonly wallets: WalletsService,
    private readonly lifecycle: WalletLifecycle,
    private readonly debits: DebitsService,
    private readonly transactions: WalletTransactions,
    private readonly reads: WalletReads,
    private readonly requests: Requests,
  ) {}

  @Post('wallets')
  @HttpCode(200)
  @ApiOperation({ summary: 'Create a wallet, or complete the one a grant has opened' })
  create(@Body() body: CreateWalletBody): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.lifecycle.create(tx, body)));
  }

  @Post('wallets/search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search wallets' })
  search(@Body() query: WalletSearchBody): Promise<ListView<WalletView>> {
    return this.requests.read(async (tx) => {
      const [wallets, total] = await this.wallets.search(tx, query);
      return listView(await this.views(tx, wallets), total, query);
    });
  }

  @Post('wallets/transactions/search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search the ledger of all wallets' })
  searchTransactions(@Body() query: WalletTransactionSearchBody): Promise<ListView<WalletTransactionView>> {
    return this.requests.read(async (tx) => listView(...(await this.transactions.search(tx, query)), query));
  }

  @Get('wallets/:id')
  @ApiOperation({ summary: 'Get a wallet' })
  get(@Param('id') id: string): Promise<WalletView> {
    return this.reads.get(id);
  }

  @Put('wallets/:id')
  @ApiOperation({ summary: 'Change the settings of a wallet' })
  update(@Param('id') id: string, @Body() body: UpdateWalletBody): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.lifecycle.update(tx, id, body)));
  }

  @Get('wallets/:id/transactions')
  @ApiOperation({ summary: 'The ledger of a wallet' })
  listTransactions(
    @Param('id') id: string,
    @Query() query: WalletTransactionQuery,
  ): Promise<ListView<WalletTransactionView>> {
    return this.requests.read(async (tx) => listView(...(await this.transactions.search(tx, query, id)), query));
  }

  @Post('wallets/:id/debit')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take credits out of a wallet' })
  debit(@Param('id') id: string, @Body() body: DebitWalletBody): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.debits.debit(tx, id, body)));
  }

  @Post('wallets/:id/freeze')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let no credits out of a wallet until it is unfrozen' })
  freeze(@Param('id') id: string): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.lifecycle.freeze(tx, id)));
  }

  @Post('wallets/:id/unfreeze')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let credits out of a frozen wallet again' })
  unfreeze(@Param('id') id: string): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.lifecycle.unfreeze(tx, id)));
  }

  @Post('wallets/:id/terminate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Write off what is left and close a wallet' })
  terminate(@Param('id') id: string): Promise<WalletView> {
    return this.requests.write(async (tx) => this.view(tx, await this.lifecycle.terminate(tx, id)));
  }

  @Get('customers/wallets')
  @ApiOperation({ summary: 'The wallets of a customer, by our id or its own' })
  ofCustomer(@Query() query: CustomerWalletsQuery): Promise<WalletView[]> {
    if (!query.id && !query.lookup_key) throw Problem.invalid('id', 'or lookup_key is required');
    return this.reads.ofCustomer({ id: query.id, externalId: query.lookup_key });
  }

  @Get('customers/:id/wallets')
  @ApiOperation({ summary: 'The wallets of a customer' })
  ofCustomerById(@Param('id') id: string): Promise<WalletView[]> {
    return this.reads.ofCustomer({ id });
  }

  private async view(tx: Tx, wallet: Wallet): Promise<WalletView> {
    return walletView(wallet, await this.wallets.balance(tx, wallet));
  }

  private async views(tx: Tx, wallets: Wallet[]): Promise<WalletView[]> {
    const balances = await this.wallets.balances(tx, wallets);
    return wallets.map((wallet) => walletView(wallet, balances.get(wallet.id)!));
  }
}
