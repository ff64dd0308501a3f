import { listView, Requests } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  CreateCustomerBody,
  CustomerListView,
  CustomerSearchBody,
  customerView,
  UpdateCustomerBody,
  UpdateCustomerTarget,
  type CustomerView,
} from './customers.dto.js';
import { CustomersService } from './customers.service.js';

@ApiTags('Customers')
@Controller('customers')
export class CustomersController {
  constructor(
    private readonly customers: CustomersService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a customer' })
  create(@Body() body: CreateCustomerBody): Promise<CustomerView> {
    return this.requests.write(async (tx) => customerView(await this.customers.create(tx, body)));
  }

  @Put()
  @ApiOperation({ summary: 'Change the customer that the query names by id or external id' })
  update(@Query() target: UpdateCustomerTarget, @Body() body: UpdateCustomerBody): Promise<CustomerView> {
    const reference = { customer_id: target.id, external_customer_id: target.external_customer_id };
    return this.requests.write(async (tx) => customerView(await this.customers.update(tx, reference, body)));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search customers' })
  @ApiOkResponse({ type: CustomerListView })
  search(@Body() query: CustomerSearchBody): Promise<CustomerListView> {
    return this.requests.read(async (tx) => {
      const [found, total] = await this.customers.search(tx, query);
      return listView(found.map(customerView), total, query);
    });
  }

  @Get('external/:external_id')
  @ApiOperation({ summary: 'Get a customer by your own id of it' })
  getByExternalId(@Param('external_id') externalId: string): Promise<CustomerView> {
    return this.requests.read(async (tx) =>
      customerView(await this.customers.resolve(tx, { external_customer_id: externalId })),
    );
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a customer' })
  get(@Param('id') id: string): Promise<CustomerView> {
    return this.requests.read(async (tx) => customerView(await this.customers.get(tx, id)));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Archive a customer that nothing needs any more' })
  async delete(@Param('id') id: string): Promise<void> {
    await this.requests.write((tx) => this.customers.delete(tx, id));
  }
}
