import { Requests } from '@drawdown/platform';
import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  DunningPolicyBody,
  dunningPolicyView,
  dunningView,
  type DunningPolicyView,
  type DunningView,
} from './dunning.dto.js';
import { DunningPolicies } from './dunning-policy.service.js';
import { Dunnings } from './dunning.service.js';

@ApiTags('Dunning')
@Controller()
export class DunningController {
  constructor(
    private readonly policies: DunningPolicies,
    private readonly dunnings: Dunnings,
    private readonly requests: Requests,
  ) {}

  @Get('settings/dunning')
  @ApiOperation({ summary: 'When unpaid invoices are charged again, and what happens when that brought nothing' })
  policy(): Promise<DunningPolicyView> {
    return this.requests.read(async (tx) => dunningPolicyView(await this.policies.get(tx)));
  }

  @Put('settings/dunning')
  @ApiOperation({
    summary: 'Set the schedule of the environment; what is being dunned goes on by the one it began with',
  })
  setPolicy(@Body() { retry_days, ending }: DunningPolicyBody): Promise<DunningPolicyView> {
    return this.requests.write(async (tx) =>
      dunningPolicyView(await this.policies.set(tx, { retryDays: retry_days, ending })),
    );
  }

  @Get('invoices/:id/dunning')
  @ApiOperation({ summary: 'How an invoice that was declined, or is overdue, is asked for again' })
  of(@Param('id') id: string): Promise<DunningView> {
    return this.requests.read(async (tx) => dunningView(await this.dunnings.get(tx, id)));
  }
}
