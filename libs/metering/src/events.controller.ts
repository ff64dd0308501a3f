import { requestContext, Requests } from '@drawdown/platform';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { EventLog } from './event-log.service.js';
import { EVENT_KEY } from './event-store.js';
import {
  BulkIngestBody,
  EventsQueryBody,
  IngestEventBody,
  type BulkIngestedView,
  type EventsView,
  type IngestedView,
} from './events.dto.js';
import { eventPath, parseBulk, parseEvent, type IngestRequest, type IngestResult } from './incoming-event.js';
import { IngestionService } from './ingestion.service.js';
import { repeatedOnRace } from './repeated-on-race.js';

@ApiTags('Events')
@Controller('events')
export class EventsController {
  constructor(
    private readonly ingestion: IngestionService,
    private readonly log: EventLog,
    private readonly requests: Requests,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Report an event: stored, priced and its credits burnt when the answer comes' })
  @ApiBody({ type: IngestEventBody })
  async ingest(@Body() body: unknown): Promise<IngestedView> {
    const [result] = await this.take({ events: [parseEvent(body)], path: () => '' });
    return { message: 'Event accepted for processing', ...result! };
  }

  @Post('bulk')
  @HttpCode(202)
  @ApiOperation({ summary: 'Report up to 1,000 events, all or none' })
  @ApiBody({ type: BulkIngestBody })
  async ingestBulk(@Body() body: unknown): Promise<BulkIngestedView> {
    const results = await this.take({ events: parseBulk(body), path: eventPath });
    return { message: 'Events accepted for processing', results };
  }

  @Post('query')
  @HttpCode(200)
  @ApiOperation({ summary: 'List events as they were reported' })
  query(@Body() query: EventsQueryBody): Promise<EventsView> {
    return this.requests.read((tx) => this.log.query(tx, query));
  }

  /** Events are idempotent by their own ids; one without an id is so by the request's key, answer and effect together. */
  private take(request: IngestRequest): Promise<readonly IngestResult[]> {
    if (requestContext.getStore()?.idempotency) {
      return repeatedOnRace(EVENT_KEY, () => this.requests.write((tx) => this.ingestion.ingestIn(tx, request)));
    }
    return this.ingestion.ingest(this.requests.scope(), request);
  }
}
