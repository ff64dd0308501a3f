import { Requests, SuccessView } from '@drawdown/platform';
import { Body, Controller, Delete, Get, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  CreateCreditGrantBody,
  creditGrantView,
  CreditGrantView,
  EndCreditGrantBody,
  UpdateCreditGrantBody,
} from './credit-grants.dto.js';
import { CreditGrantsService } from './credit-grants.service.js';

@ApiTags('Credit grants')
@Controller('creditgrants')
export class CreditGrantsController {
  constructor(
    private readonly creditGrants: CreditGrantsService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Give credits with a plan, once or again and again' })
  create(@Body() body: CreateCreditGrantBody): Promise<CreditGrantView> {
    return this.requests.write(async (tx) => creditGrantView(await this.creditGrants.create(tx, body)));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a credit grant' })
  read(@Param('id') id: string): Promise<CreditGrantView> {
    return this.requests.read(async (tx) => creditGrantView(await this.creditGrants.get(tx, id)));
  }

  @Put(':id')
  @ApiOperation({ summary: "Change a credit grant's name or metadata" })
  update(@Param('id') id: string, @Body() body: UpdateCreditGrantBody): Promise<CreditGrantView> {
    return this.requests.write(async (tx) => creditGrantView(await this.creditGrants.update(tx, id, body)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'End a credit grant, now or at a date; subscriptions keep their copies' })
  end(@Param('id') id: string, @Body() body: EndCreditGrantBody): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.creditGrants.end(tx, id, body.effective_date);
      return { message: 'credit grant ended' };
    });
  }
}
