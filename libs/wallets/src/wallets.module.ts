import { CustomersModule } from '@drawdown/customers';
import { Module } from '@nestjs/common';
import { WalletsService } from './wallets.service.js';

@Module({
  imports: [CustomersModule],
  providers: [WalletsService],
  exports: [WalletsService],
})
export class WalletsModule {}
