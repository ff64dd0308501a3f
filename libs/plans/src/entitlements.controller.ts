import { expanded, listView, Requests, SuccessView, type Tx } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Entitlement } from './entitlement.entity.js';
import {
  CreateEntitlementBody,
  CreateEntitlementsBody,
  EntitlementSearchQuery,
  EntitlementsView,
  EntitlementListView,
  EntitlementView,
  UpdateEntitlementBody,
} from './entitlements.dto.js';
import { EntitlementsService } from './entitlements.service.js';

@ApiTags('Entitlements')
@Controller('entitlements')
export class EntitlementsController {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Give a feature with a plan' })
  create(@Body() body: CreateEntitlementBody): Promise<EntitlementView> {
    return this.requests.write(async (tx) => this.view(tx, await this.entitlements.create(tx, body)));
  }

  @Post('bulk')
  @ApiOperation({ summary: 'Create up to 100 entitlements, all or none' })
  createAll(@Body() body: CreateEntitlementsBody): Promise<EntitlementsView> {
    return this.requests.write(async (tx) => ({
      items: await this.entitlements.views(tx, await this.entitlements.createAll(tx, body.items)),
    }));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search entitlements' })
  search(@Body() query: EntitlementSearchQuery): Promise<EntitlementListView> {
    const withPlans = expanded(query, ['features', 'meters', 'plans']).has('plans');
    return this.requests.read(async (tx) => {
      const [entitlements, total] = await this.entitlements.search(tx, query);
      return listView(await this.entitlements.views(tx, entitlements, { withPlans }), total, query);
    });
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an entitlement' })
  read(@Param('id') id: string): Promise<EntitlementView> {
    return this.requests.read(async (tx) => this.view(tx, await this.entitlements.get(tx, id)));
  }

  @Put(':id')
  @ApiOperation({ summary: 'Change what is given' })
  update(@Param('id') id: string, @Body() body: UpdateEntitlementBody): Promise<EntitlementView> {
    return this.requests.write(async (tx) => this.view(tx, await this.entitlements.update(tx, id, body)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Archive an entitlement: the plan gives the feature no more' })
  remove(@Param('id') id: string): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.entitlements.remove(tx, id);
      return { message: 'entitlement deleted' };
    });
  }

  private async view(tx: Tx, entitlement: Entitlement): Promise<EntitlementView> {
    return (await this.entitlements.views(tx, [entitlement]))[0]!;
  }
}
