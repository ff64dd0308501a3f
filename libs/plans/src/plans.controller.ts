import { expanded, listView, PageQuery, Requests, SuccessView, type Tx } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { creditGrantView, CreditGrantListView } from './credit-grants.dto.js';
import { CreditGrantsService } from './credit-grants.service.js';
import { EntitlementSearchQuery } from './entitlements.dto.js';
import { EntitlementsService } from './entitlements.service.js';
import type { Plan } from './plan.entity.js';
import {
  ClonePlanBody,
  CreatePlanBody,
  planEntitlementsView,
  PlanEntitlementsView,
  planParts,
  PlanSearchQuery,
  planView,
  PlanListView,
  PlanView,
  UpdatePlanBody,
  type PlanPart,
} from './plans.dto.js';
import { PlanCopies } from './plan-copies.service.js';
import { PlansService } from './plans.service.js';
import { PricesService } from './prices.service.js';

const everyPart: ReadonlySet<PlanPart> = new Set(planParts);

@ApiTags('Plans')
@Controller('plans')
export class PlansController {
  constructor(
    private readonly plans: PlansService,
    private readonly copies: PlanCopies,
    private readonly prices: PricesService,
    private readonly entitlements: EntitlementsService,
    private readonly creditGrants: CreditGrantsService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a plan' })
  create(@Body() body: CreatePlanBody): Promise<PlanView> {
    return this.requests.write(async (tx) => this.view(tx, await this.plans.create(tx, body)));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search plans' })
  search(@Body() query: PlanSearchQuery): Promise<PlanListView> {
    const parts = expanded(query, planParts);
    return this.requests.read(async (tx) => {
      const [plans, total] = await this.plans.search(tx, query);
      return listView(await this.views(tx, plans, parts), total, query);
    });
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a plan with its prices, entitlements and credit grants' })
  read(@Param('id') id: string): Promise<PlanView> {
    return this.requests.read(async (tx) => this.view(tx, await this.plans.published(tx, id)));
  }

  @Put(':id')
  @ApiOperation({ summary: "Change a plan's texts" })
  update(@Param('id') id: string, @Body() body: UpdatePlanBody): Promise<PlanView> {
    return this.requests.write(async (tx) => this.view(tx, await this.plans.update(tx, id, body)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Archive a plan with all it is made of; refused while it has subscriptions' })
  remove(@Param('id') id: string): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.plans.remove(tx, id);
      return { message: 'plan deleted' };
    });
  }

  @Post(':id/clone')
  @ApiOperation({ summary: 'Make a new plan with the prices, entitlements and credit grants of this one' })
  clone(@Param('id') id: string, @Body() body: ClonePlanBody): Promise<PlanView> {
    return this.requests.write(async (tx) => this.view(tx, await this.copies.clone(tx, id, body)));
  }

  @Get(':id/entitlements')
  @ApiOperation({ summary: "List a plan's entitlements" })
  listEntitlements(@Param('id') id: string, @Query() query: PageQuery): Promise<PlanEntitlementsView> {
    return this.requests.read(async (tx) => {
      await this.plans.published(tx, id);
      const [entitlements, total] = await this.entitlements.search(tx, ofPlan(id, query));
      return planEntitlementsView(listView(await this.entitlements.views(tx, entitlements), total, query));
    });
  }

  @Get(':id/creditgrants')
  @ApiOperation({ summary: "List a plan's credit grants" })
  listCreditGrants(@Param('id') id: string, @Query() query: PageQuery): Promise<CreditGrantListView> {
    return this.requests.read(async (tx) => {
      await this.plans.published(tx, id);
      const [grants, total] = await this.creditGrants.pageOfPlan(tx, id, query);
      return listView(grants.map(creditGrantView), total, query);
    });
  }

  private async view(tx: Tx, plan: Plan): Promise<PlanView> {
    return (await this.views(tx, [plan], everyPart))[0]!;
  }

  private async views(tx: Tx, plans: readonly Plan[], parts: ReadonlySet<PlanPart>): Promise<PlanView[]> {
    const ids = plans.map((plan) => plan.id);
    const prices = parts.has('prices') && (await this.prices.views(tx, await this.prices.ofPlans(tx, ids)));
    const entitlements =
      parts.has('entitlements') && (await this.entitlements.views(tx, await this.entitlements.ofPlans(tx, ids)));
    const grants = parts.has('creditgrants') && (await this.creditGrants.ofPlans(tx, ids)).map(creditGrantView);
    return plans.map((plan) =>
      planView(plan, {
        prices: prices ? prices.filter((price) => price.entity_id === plan.id) : undefined,
        entitlements: entitlements ? entitlements.filter((one) => one.plan_id === plan.id) : undefined,
        creditGrants: grants ? grants.filter((grant) => grant.plan_id === plan.id) : undefined,
      }),
    );
  }
}

const ofPlan = (id: string, query: PageQuery): EntitlementSearchQuery =>
  Object.assign(new EntitlementSearchQuery(), query, { plan_ids: [id] });
