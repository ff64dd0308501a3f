import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CustomerUsageQuery, type CustomerUsageView } from './customer-usage.dto.js';
import { CustomerUsage } from './customer-usage.service.js';

@ApiTags('Customers')
@Controller('customers/usage')
export class CustomerUsageController {
  constructor(private readonly usage: CustomerUsage) {}

  @Get()
  @ApiOperation({ summary: 'What a customer has used of each feature in the current period, against its limits' })
  summary(@Query() query: CustomerUsageQuery): Promise<CustomerUsageView> {
    return this.usage.summary(query);
  }
}
