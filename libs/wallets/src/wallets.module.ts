import { CustomersModule } from '@drawdown/customers';
import { Module } from '@nestjs/common';
import { DebitsService } from './debits.service.js';
import { Debts } from './debts.service.js';
import { FeeCredits } from './fee-credits.service.js';
import { HoldsService } from './holds.service.js';
import { AutoTopups } from './auto-topups.service.js';
import { CreditReversals } from './reversals.service.js';
import { WalletLifecycle } from './wallet-lifecycle.service.js';
import { WalletReads } from './wallet-reads.js';
import { WalletTransactions } from './wallet-transactions.service.js';
import { WalletWatch } from './wallet-watch.service.js';
import { WalletsController } from './wallets.controller.js';
import { WalletsJobs } from './wallets.jobs.js';
import { WalletsListener } from './wallets.listener.js';
import { WalletsService } from './wallets.service.js';

/** Wallets, lots and the ledger. */
@Module({
  imports: [CustomersModule],
  controllers: [WalletsController],
  providers: [
    WalletsService,
    WalletLifecycle,
    WalletReads,
    WalletTransactions,
    DebitsService,
    Debts,
    CreditReversals,
    HoldsService,
    FeeCredits,
    WalletWatch,
    AutoTopups,
    WalletsListener,
    WalletsJobs,
  ],
  exports: [WalletsService, HoldsService, FeeCredits, CreditReversals, AutoTopups, WalletLifecycle, WalletTransactions],
})
export class WalletsModule {}
