import { CustomersModule } from '@drawdown/customers';
import { Module } from '@nestjs/common';
import { SubscriptionsService } from './subscriptions.service.js';

@Module({ imports: [CustomersModule], providers: [SubscriptionsService], exports: [SubscriptionsService] })
export class SubscriptionsModule {}
