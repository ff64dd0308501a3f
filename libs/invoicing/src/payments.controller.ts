import { listView, Requests } from '@drawdown/platform';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CheckoutDesk } from './checkout-desk.js';
import { checkoutSessionView, CreateCheckoutSessionBody, type CheckoutSessionView } from './checkout.dto.js';
import { HostedPages } from './hosted-pages.service.js';
import { Collection } from './collection.service.js';
import { PaymentDesk } from './payment-desk.js';
import { CreatePaymentBody } from './payment-desk.dto.js';
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
    const begun = await this.requests.write((tx) => this.desk.begin(tx, body));
    if (begun.attemptId) await this.collection.carryOn(this.requests.scope(), begun.attemptId);
    if (begun.sessionId) await this.pages.open(this.requests.scope(), begun.sessionId);
    return this.requests.read((tx) => this.payments.get(tx, begun.paymentId));
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
}
