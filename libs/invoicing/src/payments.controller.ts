import { listView, Requests, SuccessView } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CheckoutDesk } from './checkout-desk.js';
import { checkoutSessionView, CreateCheckoutSessionBody, type CheckoutSessionView } from './checkout.dto.js';
import { HostedPages } from './hosted-pages.service.js';
import { Collection } from './collection.service.js';
import { PaymentDesk, type BegunPayment } from './payment-desk.js';
import { CreatePaymentBody, UpdatePaymentBody } from './payment-desk.dto.js';
import { PaymentListView, PaymentQuery, type PaymentView } from './payments.dto.js';
import { PaymentsService } from './payments.service.js';

@ApiTags('Payments')
@Controller()
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly desk: PaymentDesk,
    private readonly collection: Collection,
    private readonly checkout: CheckoutDesk,
    private readonly pages: HostedPages,
    private readonly requests: Requests,
  ) {}

  @Get('payments')
  @ApiOperation({ summary: 'List payments' })
  @ApiOkResponse({ type: PaymentListView })
  list(@Query() query: PaymentQuery): Promise<PaymentListView> {
    return this.requests.read(async (tx) => listView(...(await this.payments.list(tx, query)), query));
  }

  /** Two halves, as of a hosted page: what goes to the gateway waits for the commit. */
  @Post('payments')
  @ApiOperation({ summary: 'Collect an invoice: charge the saved card, open a hosted page, or record money' })
  async create(@Body() body: CreatePaymentBody): Promise<PaymentView> {
    return this.carriedOn(await this.requests.write((tx) => this.desk.begin(tx, body)));
  }

  @Post('payments/:id/process')
  @HttpCode(200)
  @ApiOperation({ summary: 'Process a payment that was only made, or charge a card again' })
  async process(@Param('id') id: string): Promise<PaymentView> {
    return this.carriedOn(await this.requests.write((tx) => this.desk.process(tx, id)));
  }

  @Put('payments/:id')
  @ApiOperation({ summary: 'Change the metadata of a payment, or end one that was only made' })
  update(@Param('id') id: string, @Body() body: UpdatePaymentBody): Promise<PaymentView> {
    return this.requests.write(async (tx) => {
      await this.desk.update(tx, id, body);
      await tx.em.flush();
      return this.payments.get(tx, id);
    });
  }

  @Delete('payments/:id')
  @ApiOperation({ summary: 'Delete a payment that was only made, or failed' })
  @ApiOkResponse({ type: SuccessView })
  remove(@Param('id') id: string): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.desk.remove(tx, id);
      return { message: 'the payment is deleted' };
    });
  }

  @Get('payments/:id')
  @ApiOperation({ summary: 'Get a payment with its attempts' })
  get(@Param('id') id: string): Promise<PaymentView> {
    return this.requests.read((tx) => this.payments.get(tx, id));
  }

  /** Two halves, because the page is opened outside any transaction; a repeat under one key opens the same page. */
  @Post('checkout/sessions')
  @ApiOperation({ summary: 'Open a hosted page: buy credits, save a card, or pay an invoice' })
  async openCheckout(@Body() body: CreateCheckoutSessionBody): Promise<CheckoutSessionView> {
    const { id } = await this.requests.write(async (tx) => ({ id: (await this.checkout.begin(tx, body)).id }));
    return checkoutSessionView(await this.pages.open(this.requests.scope(), id));
  }

  @Get('checkout/sessions/:id')
  @ApiOperation({ summary: 'Get a hosted page; while it is open the gateway is asked' })
  async getCheckout(@Param('id') id: string): Promise<CheckoutSessionView> {
    return checkoutSessionView(await this.pages.read(this.requests.scope(), id));
  }

  private async carriedOn({ attemptId, sessionId, paymentId }: BegunPayment): Promise<PaymentView> {
    if (attemptId) await this.collection.carryOn(this.requests.scope(), attemptId);
    if (sessionId) await this.pages.open(this.requests.scope(), sessionId);
    return this.requests.read((tx) => this.payments.get(tx, paymentId));
  }
}
