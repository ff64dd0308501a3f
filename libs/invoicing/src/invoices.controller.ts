import { listView, newId, Problem, Requests, type Tx } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChargeDesk } from './charge-desk.js';
import { Collection } from './collection.service.js';
import { customerInvoicesSummaryView, type CustomerInvoicesSummaryView } from './customer-summary.dto.js';
import {
  GetInvoiceQuery,
  InvoiceListView,
  InvoiceSearchBody,
  MessageView,
  PreviewInvoiceBody,
  type InvoiceView,
} from './invoices.dto.js';
import { InvoicesService } from './invoices.service.js';
import { Receivables } from './receivables.service.js';
import { SubscriptionInvoices } from './subscription-invoices.service.js';

@ApiTags('Invoices')
@Controller()
export class InvoicesController {
  constructor(
    private readonly invoices: InvoicesService,
    private readonly ofSubscriptions: SubscriptionInvoices,
    private readonly receivables: Receivables,
    private readonly desk: ChargeDesk,
    private readonly collection: Collection,
    private readonly requests: Requests,
  ) {}

  @Post('invoices/search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search invoices' })
  @ApiOkResponse({ type: InvoiceListView })
  search(@Body() query: InvoiceSearchBody): Promise<InvoiceListView> {
    return this.requests.read(async (tx) => listView(...(await this.invoices.search(tx, query)), query));
  }

  @Post('invoices/preview')
  @HttpCode(200)
  @ApiOperation({ summary: 'What the invoice at the end of the current period would say now; nothing is written' })
  preview(@Body() body: PreviewInvoiceBody): Promise<InvoiceView> {
    return this.requests.read((tx) => this.invoices.preview(tx, body));
  }

  @Get('invoices/:id')
  @ApiOperation({ summary: 'Get an invoice; a draft with its lines as they are now' })
  get(@Param('id') id: string, @Query() _query: GetInvoiceQuery): Promise<InvoiceView> {
    return this.requests.read((tx) => this.invoices.get(tx, id));
  }

  @Post('invoices/:id/finalize')
  @HttpCode(200)
  @ApiOperation({ summary: 'Finalize a draft now, without waiting for late usage' })
  finalize(@Param('id') id: string): Promise<MessageView> {
    return this.requests.write(async (tx) => {
      const invoice = await this.receivables.lock(tx, id);
      if (invoice.status !== 'DRAFT') throw Problem.state(`the invoice is ${invoice.status}`, invoice.status);
      await this.ofSubscriptions.finalize(tx, id);
      return {
        message: invoice.number ? `finalized as ${invoice.number}` : 'the draft had nothing to bill and is gone',
      };
    });
  }

  @Post('invoices/:id/payment/attempt')
  @HttpCode(200)
  @ApiOperation({ summary: "Charge the customer's saved card now" })
  async attemptPayment(@Param('id') id: string): Promise<MessageView> {
    const { attemptId } = await this.requests.write((tx) => this.begin(tx, id));
    const attempt = await this.collection.carryOn(this.requests.scope(), attemptId);
    switch (attempt.state) {
      case 'succeeded':
        return { message: 'the payment succeeded' };
      case 'failed':
      case 'requires_customer':
        throw new Problem('invalid_operation', `the payment was declined: ${attempt.errorMessage}`, {
          decline_code: attempt.errorCode,
        });
      case 'processing':
        return { message: 'the payment is being processed' };
      case 'created':
      case 'sent':
      case 'unknown':
        return { message: 'the outcome of the payment is not known yet; nothing else is charged until it is' };
    }
  }

  @Get('customers/:id/invoices/summary')
  @ApiOperation({ summary: "A customer's finalized invoices, per currency" })
  summary(@Param('id') id: string): Promise<CustomerInvoicesSummaryView> {
    return this.requests.read(async (tx) => customerInvoicesSummaryView(id, await this.invoices.summary(tx, id)));
  }

  private async begin(tx: Tx, invoiceId: string): Promise<{ attemptId: string }> {
    const begun = await this.desk.begin(tx, invoiceId, { key: newId('by_hand'), byHand: true });
    if (!('refused' in begun)) return begun;
    const { refused, reason } = begun;
    if (refused === 'not_finalized' || refused === 'paid' || refused === 'page_open')
      throw Problem.state(reason, refused);
    throw new Problem('invalid_operation', reason, { reason: refused });
  }
}
