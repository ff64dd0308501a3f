import { listView, PageQuery, Requests } from '@drawdown/platform';
import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PaymentMethodListView, paymentMethodView, type PaymentMethodView } from './payment-methods.dto.js';
import { PaymentMethodsService } from './payment-methods.service.js';
import { MethodRemoval } from './method-removal.js';

@ApiTags('Customers')
@Controller('customers/:id/payment-methods')
export class PaymentMethodsController {
  constructor(
    private readonly methods: PaymentMethodsService,
    private readonly removal: MethodRemoval,
    private readonly requests: Requests,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The payment methods a customer has saved' })
  @ApiOkResponse({ type: PaymentMethodListView })
  list(@Param('id') customerId: string, @Query() query: PageQuery): Promise<PaymentMethodListView> {
    return this.requests.read(async (tx) => {
      const [methods, total] = await this.methods.list(tx, customerId, query);
      const chosen = await this.methods.defaultOf(tx, customerId);
      return listView(
        methods.map((method) => paymentMethodView(method, method.id === chosen?.id)),
        total,
        query,
      );
    });
  }

  @Post(':method/default')
  @HttpCode(200)
  @ApiOperation({ summary: 'Make a saved payment method the one that is charged' })
  prefer(@Param('id') customerId: string, @Param('method') id: string): Promise<PaymentMethodView> {
    return this.requests.write(async (tx) => paymentMethodView(await this.methods.prefer(tx, customerId, id), true));
  }

  /** Gone at Stripe first: what is shown as removed can surely not be charged. */
  @Delete(':method')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a saved payment method' })
  async remove(@Param('id') customerId: string, @Param('method') id: string): Promise<void> {
    await this.requests.read((tx) => this.methods.saved(tx, customerId, id));
    await this.removal.remove(this.requests.scope(), id);
  }
}
