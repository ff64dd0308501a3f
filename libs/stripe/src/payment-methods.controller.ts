import { listView, PageQuery, Requests } from '@drawdown/platform';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PaymentMethodListView, paymentMethodView } from './payment-methods.dto.js';
import { PaymentMethodsService } from './payment-methods.service.js';

@ApiTags('Customers')
@Controller('customers/:id/payment-methods')
export class PaymentMethodsController {
  constructor(
    private readonly methods: PaymentMethodsService,
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
}
