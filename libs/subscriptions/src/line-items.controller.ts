import { Requests } from '@drawdown/platform';
import { Body, Controller, Delete, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { lineItemView, type LineItemView } from './line-item.dto.js';
import { CreateLineItemBody, EndLineItemBody, UpdateLineItemBody } from './line-items.dto.js';
import { LineItems } from './line-items.service.js';

@ApiTags('Subscriptions')
@Controller('subscriptions')
export class LineItemsController {
  constructor(
    private readonly items: LineItems,
    private readonly requests: Requests,
  ) {}

  @Post(':id/lineitems')
  @ApiOperation({ summary: 'Add a price to a subscription' })
  add(@Param('id') id: string, @Body() body: CreateLineItemBody): Promise<LineItemView> {
    return this.requests.write(async (tx) => lineItemView(await this.items.add(tx, id, body)));
  }

  @Put('lineitems/:id')
  @ApiOperation({ summary: 'Change quantity or amount of a line item from an instant on: the answer is its successor' })
  change(@Param('id') id: string, @Body() body: UpdateLineItemBody): Promise<LineItemView> {
    return this.requests.write(async (tx) => lineItemView(await this.items.change(tx, id, body)));
  }

  @Delete('lineitems/:id')
  @ApiOperation({ summary: 'End a line item' })
  end(@Param('id') id: string, @Body() body?: EndLineItemBody): Promise<LineItemView> {
    return this.requests.write(async (tx) => lineItemView(await this.items.end(tx, id, body ?? {})));
  }
}
