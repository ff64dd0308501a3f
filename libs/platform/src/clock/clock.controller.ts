import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requests } from '../http/requests.js';
import { AdvanceClockBody, type AdvancedClockView, type ClockView } from './clock.dto.js';
import { ClockService } from './clock.service.js';

@ApiTags('Clock')
@Controller('clock')
export class ClockController {
  constructor(
    private readonly clock: ClockService,
    private readonly requests: Requests,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The time of the environment' })
  async read(): Promise<ClockView> {
    const { now, standing } = await this.clock.read(await this.requests.verifiedScope());
    return { now: now.toISOString(), standing };
  }

  @Post('advance')
  @HttpCode(200)
  @ApiOperation({ summary: 'Advance the clock of a development environment and do everything due on the way' })
  async advance(@Body() body: AdvanceClockBody): Promise<AdvancedClockView> {
    const { now, happened, happenedTotal } = await this.clock.advance(
      await this.requests.verifiedScope(),
      new Date(body.to),
    );
    return {
      now: now.toISOString(),
      happened: happened.map((one) => ({ ...one, at: one.at.toISOString() })),
      happened_total: happenedTotal,
    };
  }
}
