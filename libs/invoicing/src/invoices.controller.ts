import { Decimal } from '@drawdown/billing-core';
import { listView, newId, Problem, Requests, type Tx } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChargeDesk, refusalOf } from './charge-desk.js';
import { Collection } from './collection.service.js';
import { customerInvoicesSummaryView, type CustomerInvoicesSummaryView } from './customer-summary.dto.js';
import { InvoiceDesk } from './invoice-desk.js';
import {
  CreateInvoiceBody,
  RecalculateInvoiceQuery,
  RecordPaymentBody,
  UpdateInvoiceBody,
} from './invoice-desk.dto.js';
import {
  GetInvoiceQuery,
  InvoiceListView,
  InvoiceSearchBody,
  MessageView,
  PreviewInvoiceBody,
  type InvoiceView,
} from './invoices.dto.js';
import { InvoicesService } from './invoices.service.js';
import { LineBreakdowns } from './line-breakdowns.service.js';
import { OneOffInvoices } from './one-off-invoices.service.js';
import { PaymentDesk } from './payment-desk.js';

@ApiTags('Invoices')
@Controller()
export class InvoicesController {
  constructor(
    private readonly invoices: InvoicesService,
    private readonly desk: InvoiceDesk,
    private readonly breakdowns: LineBreakdowns,
    private readonly oneOffs: OneOffInvoices,
    private readonly payments: PaymentDesk,
    private readonly charges: ChargeDesk,
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
  get(@Param('id') id: string, @Query() query: GetInvoiceQuery): Promise<InvoiceView> {
    return this.requests.read(async (tx) => this.breakdowns.added(tx, await this.invoices.get(tx, id), query));
  }

  @Post('invoices/:id/finalize')
  @HttpCode(200)
  @ApiOperation({ summary: 'Finalize a draft now, without waiting for late usage' })
  finalize(@Param('id') id: string): Promise<MessageView> {
    return this.requests.write(async (tx) => {
      const number = await this.desk.finalize(tx, id);
      return { message: number ? `finalized as ${number}` : 'the draft had nothing to bill and is gone' };
    });
  }

  @Post('invoices')
  @ApiOperation({ summary: 'Write a one-off invoice, and finalize it unless it is to be a draft' })
  create(@Body() body: CreateInvoiceBody): Promise<InvoiceView> {
    return this.requests.write(async (tx) => {
      const { id } = await this.oneOffs.create(tx, body);
      await tx.em.flush();
      return this.invoices.get(tx, id);
    });
  }

  @Put('invoices/:id')
  @ApiOperation({ summary: "Change an invoice's due date and metadata" })
  update(@Param('id') id: string, @Body() body: UpdateInvoiceBody): Promise<InvoiceView> {
    return this.requests.write(async (tx) => {
      await this.desk.update(tx, id, body);
      return this.invoices.get(tx, id);
    });
  }

  @Post('invoices/:id/recalculate')
  @HttpCode(200)
  @ApiOperation({ summary: 'A draft with its lines as they are now, which is what reading it answers too' })
  recalculate(@Param('id') id: string, @Query() query: RecalculateInvoiceQuery): Promise<InvoiceView> {
    return this.requests.write(async (tx) => {
      await this.desk.draft(tx, id);
      if (query.finalize === 'true') await this.desk.finalize(tx, id);
      return this.invoices.get(tx, id);
    });
  }

  @Post('invoices/:id/void')
  @HttpCode(200)
  @ApiOperation({ summary: 'Withdraw a finalized invoice on which nothing was paid' })
  void(@Param('id') id: string): Promise<MessageView> {
    return this.requests.write(async (tx) => {
      await this.desk.void(tx, id);
      return { message: 'the invoice is void' };
    });
  }

  @Post('invoices/:id/comms/trigger')
  @HttpCode(200)
  @ApiOperation({ summary: 'Publish the event by which the customer is sent the invoice' })
  triggerComms(@Param('id') id: string): Promise<MessageView> {
    return this.requests.write(async (tx) => {
      await this.desk.triggerComms(tx, id);
      return { message: 'invoice.comms_triggered was published' };
    });
  }

  @Put('invoices/:id/payment')
  @ApiOperation({ summary: 'Record money that came another way, all that is left or a part of it' })
  recordPayment(@Param('id') id: string, @Body() body: RecordPaymentBody): Promise<InvoiceView> {
    return this.requests.write(async (tx) => {
      await this.payments.record(tx, id, body.amount ? new Decimal(body.amount) : null);
      await tx.em.flush();
      return this.invoices.get(tx, id);
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
    const begun = await this.charges.begin(tx, invoiceId, { key: newId('by_hand'), byHand: true });
    if ('refused' in begun) throw refusalOf(begun);
    return begun;
  }
}
