import { listView, PageQuery, Requests } from '@drawdown/platform';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Disputes } from './disputes.service.js';
import { RefundDesk } from './refund-desk.js';
import { Refunding } from './refunding.service.js';
import {
  CreateRefundBody,
  DisputeListView,
  DisputeQuery,
  disputeView,
  PayOutBody,
  RefundListView,
  refundView,
  type DisputeView,
  type RefundView,
} from './refunds.dto.js';

/** Money on its way back. Refunds go in two halves, as payments do: what goes to the gateway waits for the commit. */
@ApiTags('Payments')
@Controller()
export class RefundsController {
  constructor(
    private readonly desk: RefundDesk,
    private readonly refunding: Refunding,
    private readonly disputes: Disputes,
    private readonly requests: Requests,
  ) {}

  @Post('payments/:id/refunds')
  @ApiOperation({ summary: 'Give back money of a payment; credits it bought go back with it' })
  async create(@Param('id') paymentId: string, @Body() body: CreateRefundBody): Promise<RefundView> {
    const { id } = await this.requests.write(async (tx) => ({ id: (await this.desk.begin(tx, paymentId, body)).id }));
    await this.refunding.carryOn(this.requests.scope(), id);
    return this.get(id);
  }

  @Get('payments/:id/refunds')
  @ApiOperation({ summary: 'The refunds of a payment' })
  @ApiOkResponse({ type: RefundListView })
  list(@Param('id') paymentId: string, @Query() query: PageQuery): Promise<RefundListView> {
    return this.requests.read(async (tx) => {
      const [refunds, total] = await this.refunding.list(tx, paymentId, query);
      return listView(refunds.map(refundView), total, query);
    });
  }

  @Get('refunds/:id')
  @ApiOperation({ summary: 'Get a refund' })
  get(@Param('id') id: string): Promise<RefundView> {
    return this.requests.read(async (tx) => refundView(await this.refunding.get(tx, id)));
  }

  @Post('customers/:id/account-credit/refunds')
  @ApiOperation({ summary: 'Pay out account credit, by refunds of what the customer has paid by card' })
  async payOut(@Param('id') customerId: string, @Body() body: PayOutBody): Promise<RefundListView> {
    const ids = await this.requests.write(async (tx) =>
      (await this.desk.payOut(tx, customerId, body)).map(({ id }) => id),
    );
    for (const id of ids) await this.refunding.carryOn(this.requests.scope(), id);
    const items = await Promise.all(ids.map((id) => this.get(id)));
    return listView(items, items.length, new PageQuery());
  }

  @Get('disputes')
  @ApiOperation({ summary: 'Money that customers take back at their bank' })
  @ApiOkResponse({ type: DisputeListView })
  listDisputes(@Query() query: DisputeQuery): Promise<DisputeListView> {
    return this.requests.read(async (tx) => {
      const [disputes, total] = await this.disputes.list(tx, query);
      return listView(disputes.map(disputeView), total, query);
    });
  }

  @Get('disputes/:id')
  @ApiOperation({ summary: 'Get a dispute' })
  getDispute(@Param('id') id: string): Promise<DisputeView> {
    return this.requests.read(async (tx) => disputeView(await this.disputes.get(tx, id)));
  }
}
