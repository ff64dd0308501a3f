import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requests } from '../http/requests.js';
import { IsInstant } from '../http/validators.js';
import { ClockService } from './clock.service.js';

export class AdvanceClockBody {
  /** The instant to advance to, RFC 3339 with an offset. */
  @IsInstant()
  to: string;
}

export class ClockView {
  now: string;
  /** False while the clock is real time; true once it has been advanced and stands still between calls. */
  standing: boolean;
}

export class HappenedView {
  at: string;
  event: string;
  id: string;
}

export class AdvancedClockView {
  now: string;
  /** What happened on the way, in order: the first 1,000 of it. Advance in smaller steps to see all. */
  happened: HappenedView[];
  /** How much happened in all. */
  happened_total: number;
}

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
