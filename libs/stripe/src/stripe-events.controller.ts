import { listView, pageOptions, Problem, Requests, type Tx } from '@drawdown/platform';
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { StripeEvent } from './stripe-event.entity.js';
import { StripeEventListView, StripeEventQuery, stripeEventView, type StripeEventView } from './stripe-events.dto.js';
import { StripeInbox } from './stripe-inbox.js';

@ApiTags('Webhooks')
@Controller('stripe/events')
export class StripeEventsController {
  constructor(
    private readonly inbox: StripeInbox,
    private readonly requests: Requests,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The events Stripe told, and what became of them' })
  @ApiOkResponse({ type: StripeEventListView })
  list(@Query() query: StripeEventQuery): Promise<StripeEventListView> {
    return this.requests.read(async (tx) => {
      const { limit, offset } = pageOptions(query);
      const direction = query.order === 'asc' ? 'asc' : 'desc';
      const [events, total] = await tx.em.findAndCount(
        StripeEvent,
        {
          environmentId: tx.scope.environmentId,
          ...(query.event_status ? { status: query.event_status } : {}),
          ...receivedWithin(query),
        },
        { limit, offset, orderBy: [{ receivedAt: direction }, { id: direction }] },
      );
      return listView(events.map(stripeEventView), total, query);
    });
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Run a parked event again' })
  retry(@Param('id') id: string): Promise<StripeEventView> {
    return this.requests.write(async (tx) => {
      await this.inbox.retry(tx, id);
      return stripeEventView(await found(tx, id));
    });
  }
}

async function found(tx: Tx, id: string): Promise<StripeEvent> {
  const event = await tx.em.findOne(StripeEvent, { environmentId: tx.scope.environmentId, id });
  if (!event) throw Problem.notFound('Stripe event', id);
  return event;
}

/** Here `start_time` and `end_time` bound the time of arrival. */
function receivedWithin({ start_time: from, end_time: to }: StripeEventQuery): object {
  if (!from && !to) return {};
  return { receivedAt: { ...(from ? { $gte: new Date(from) } : {}), ...(to ? { $lt: new Date(to) } : {}) } };
}
