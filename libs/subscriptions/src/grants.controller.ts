import { CustomersService } from '@drawdown/customers';
import { listView, Requests, type Tx } from '@drawdown/platform';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { applicationView, CreditGrantApplicationListView } from './grants.dto.js';
import { Grants } from './grants.service.js';
import { SubscriptionsService } from './subscriptions.service.js';

@ApiTags('Credit grants')
@Controller()
export class UpcomingGrantsController {
  constructor(
    private readonly grants: Grants,
    private readonly subscriptions: SubscriptionsService,
    private readonly customers: CustomersService,
    private readonly requests: Requests,
  ) {}

  @Get('subscriptions/:id/grants/upcoming')
  @ApiOperation({ summary: 'The credits a subscription is going to get, the next first' })
  @ApiOkResponse({ type: CreditGrantApplicationListView })
  ofSubscription(@Param('id') id: string): Promise<CreditGrantApplicationListView> {
    return this.requests.read(async (tx) => {
      await this.subscriptions.get(tx, id);
      return this.list(tx, { subscriptionId: id });
    });
  }

  @Get('customers/:id/grants/upcoming')
  @ApiOperation({ summary: 'The credits a customer is going to get, the next first' })
  @ApiOkResponse({ type: CreditGrantApplicationListView })
  ofCustomer(@Param('id') id: string): Promise<CreditGrantApplicationListView> {
    return this.requests.read(async (tx) => {
      await this.customers.get(tx, id);
      return this.list(tx, { customerId: id });
    });
  }

  private async list(
    tx: Tx,
    of: { subscriptionId: string } | { customerId: string },
  ): Promise<CreditGrantApplicationListView> {
    const upcoming = await this.grants.upcoming(tx, of);
    const views = upcoming.map(({ application, grant }) => applicationView(application, grant));
    return listView(views, views.length, { limit: Math.max(views.length, 1) });
  }
}
