import { expanded, listView, Requests, SuccessView, type Tx } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Price } from './price.entity.js';
import { CreatePriceBody, CreatePricesBody, EndPriceBody, PriceSearchQuery, UpdatePriceBody } from './prices.dto.js';
import { PricesView, PriceListView, PriceView } from './price-view.dto.js';
import { PricesService } from './prices.service.js';

@ApiTags('Prices')
@Controller('prices')
export class PricesController {
  constructor(
    private readonly prices: PricesService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a price of a plan' })
  create(@Body() body: CreatePriceBody): Promise<PriceView> {
    return this.requests.write(async (tx) => this.view(tx, await this.prices.create(tx, body)));
  }

  @Post('bulk')
  @ApiOperation({ summary: 'Create up to 100 prices, all or none' })
  createAll(@Body() body: CreatePricesBody): Promise<PricesView> {
    return this.requests.write(async (tx) => ({
      items: await this.prices.views(tx, await this.prices.createAll(tx, body.items)),
    }));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search prices' })
  search(@Body() query: PriceSearchQuery): Promise<PriceListView> {
    const withPlans = expanded(query, ['meters', 'plans']).has('plans');
    return this.requests.read(async (tx) => {
      const [prices, total] = await this.prices.search(tx, query);
      return listView(await this.prices.views(tx, prices, { withPlans }), total, query);
    });
  }

  @Get('lookup/:lookup_key')
  @ApiOperation({ summary: 'Read the price that is offered now under a lookup key' })
  lookup(@Param('lookup_key') lookupKey: string): Promise<PriceView> {
    return this.requests.read(async (tx) => this.view(tx, await this.prices.byLookupKey(tx, lookupKey)));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a price' })
  read(@Param('id') id: string): Promise<PriceView> {
    return this.requests.read(async (tx) => this.view(tx, await this.prices.get(tx, id)));
  }

  @Put(':id')
  @ApiOperation({ summary: "Change a price's texts in place; its money as a new version from a date" })
  update(@Param('id') id: string, @Body() body: UpdatePriceBody): Promise<PriceView> {
    return this.requests.write(async (tx) => this.view(tx, await this.prices.update(tx, id, body)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'End a price, now or at a date; subscriptions keep their copies' })
  end(@Param('id') id: string, @Body() body: EndPriceBody): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.prices.end(tx, id, body.end_date);
      return { message: 'price ended' };
    });
  }

  private async view(tx: Tx, price: Price): Promise<PriceView> {
    return (await this.prices.views(tx, [price]))[0]!;
  }
}
