import { PageQuery, Problem, Requests } from '@drawdown/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Optional, IsText } from '@drawdown/platform';
import { IsIn } from 'class-validator';
import { Schedules } from './schedules.service.js';
import {
  CancelScheduleBody,
  type CancelScheduleView,
  type ScheduleListView,
  scheduleView,
  type ScheduleView,
} from './subscription-changes.dto.js';
import { SubscriptionsService } from './subscriptions.service.js';

class ScheduleQuery extends PageQuery {
  @Optional()
  @IsIn(['true', 'false'])
  pending_only?: 'true' | 'false';

  @Optional()
  @IsText()
  subscription_id?: string;
}

/** Plan changes and cancellations that wait. The published client says `/v1` twice in these routes; both ways lead here. */
@ApiTags('Subscriptions')
@Controller()
export class SchedulesController {
  constructor(
    private readonly schedules: Schedules,
    private readonly subscriptions: SubscriptionsService,
    private readonly requests: Requests,
  ) {}

  @Get(['subscriptions/:id/schedules', 'v1/subscriptions/:id/schedules'])
  @ApiOperation({ summary: 'The planned changes of a subscription, newest first, those that are over too' })
  ofSubscription(@Param('id') id: string): Promise<ScheduleListView> {
    return this.requests.read(async (tx) => {
      await this.subscriptions.get(tx, id);
      const [found, count] = await this.schedules.find(tx, { subscriptionId: id });
      return { count, schedules: found.map((schedule) => scheduleView(schedule, tx.now)) };
    });
  }

  @Get(['subscription-schedules', 'v1/subscription-schedules'])
  @ApiOperation({ summary: 'Planned changes of all subscriptions, newest first' })
  all(@Query() query: ScheduleQuery): Promise<ScheduleListView> {
    return this.requests.read(async (tx) => {
      const of = {
        pendingOnly: query.pending_only === 'true',
        ...(query.subscription_id ? { subscriptionId: query.subscription_id } : {}),
      };
      const page = { limit: query.limit ?? 50, offset: query.offset ?? 0 };
      const [found, count] = await this.schedules.find(tx, of, page);
      return { count, schedules: found.map((schedule) => scheduleView(schedule, tx.now)) };
    });
  }

  @Get(['subscription-schedules/:id', 'v1/subscription-schedules/:id'])
  @ApiOperation({ summary: 'One planned change' })
  get(@Param('id') id: string): Promise<ScheduleView> {
    return this.requests.read(async (tx) => scheduleView(await this.schedules.get(tx, id), tx.now));
  }

  @Post(['subscriptions/schedules/:id/cancel', 'v1/subscriptions/schedules/:id/cancel'])
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel a planned change' })
  cancel(@Param('id') id: string, @Body() body?: CancelScheduleBody): Promise<CancelScheduleView> {
    return this.requests.write(async (tx) => {
      if (body?.schedule_id && body.schedule_id !== id) throw Problem.invalid('schedule_id', 'differs from the path');
      const { type } = await this.schedules.get(tx, id);
      if ((body?.schedule_type ?? type) !== type) throw Problem.invalid('schedule_type', `is ${type}`);
      const { status } = await this.schedules.cancel(tx, id);
      return { status, message: 'the planned change is cancelled' };
    });
  }
}
