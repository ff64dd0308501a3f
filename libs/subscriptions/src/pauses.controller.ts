import { Requests } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PauseBody, PauseListView, pauseView, ResumeBody, type PauseView } from './pauses.dto.js';
import { Pauses } from './pauses.service.js';

@ApiTags('Subscriptions')
@Controller('subscriptions')
export class PausesController {
  constructor(
    private readonly pauses: Pauses,
    private readonly requests: Requests,
  ) {}

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pause a subscription: nothing is billed or granted until it resumes' })
  pause(@Param('id') id: string, @Body() body: PauseBody): Promise<PauseView> {
    return this.requests[body.dry_run ? 'rehearse' : 'write'](async (tx) =>
      pauseView(await this.pauses.pause(tx, id, body)),
    );
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resume a paused subscription, or withdraw a pause that has not begun' })
  resume(@Param('id') id: string, @Body() body: ResumeBody): Promise<PauseView> {
    return this.requests[body.dry_run ? 'rehearse' : 'write'](async (tx) =>
      pauseView(await this.pauses.resume(tx, id, body)),
    );
  }

  /** The published client expects a list of lists. */
  @Get(':id/pauses')
  @ApiOperation({ summary: 'The pauses of a subscription, newest first' })
  @ApiOkResponse({ type: [PauseListView] })
  list(@Param('id') id: string): Promise<PauseListView[]> {
    return this.requests.read(async (tx) => {
      const items = (await this.pauses.of(tx, id)).map(pauseView);
      return [{ items, total: items.length }];
    });
  }
}
