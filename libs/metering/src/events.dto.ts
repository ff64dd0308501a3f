import { IsInstant, IsWhole, Optional } from '@drawdown/platform';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsObject, IsString, MaxLength } from 'class-validator';
import { MAX_BULK_EVENTS, type IngestResult } from './incoming-event.js';
import { UNBILLED_REASONS, type UnbilledReason, type UsageEvent } from './usage-event.entity.js';

/** What is reported. Checked by a compiled schema (`incoming-event.ts`), not by decorators: this is the hot path. */
export class IngestEventBody {
  @ApiProperty({ maxLength: 255 })
  event_name: string;

  /** Your id of the customer; or `customer_id`, ours. */
  @ApiPropertyOptional({ maxLength: 255 })
  external_customer_id?: string;

  @ApiPropertyOptional({ maxLength: 255 })
  customer_id?: string;

  /** Makes the event idempotent: unique in the environment, for ever. Generated when left out. */
  @ApiPropertyOptional({ maxLength: 255 })
  event_id?: string;

  /** RFC 3339 with an offset; default now. At most 5 minutes ahead and 400 days back. */
  @ApiPropertyOptional({ format: 'date-time' })
  timestamp?: string;

  @ApiPropertyOptional({ maxLength: 255 })
  source?: string;

  /** At most 100 texts (4,096 bytes), numbers or booleans. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  properties?: Record<string, string>;
}

export class BulkIngestBody {
  /** All are taken, or none. */
  @ApiProperty({ type: [IngestEventBody], minItems: 1, maxItems: MAX_BULK_EVENTS })
  events: IngestEventBody[];
}

export class IngestResultView implements IngestResult {
  event_id: string;
  @ApiProperty({ enum: ['accepted', 'duplicate'] })
  status: 'accepted' | 'duplicate';
  /** Exact decimal as text, by this request: 0 for a duplicate, below zero when a correction returned credits. */
  credits_burned: string;
  /** A duplicate whose content is another than the stored one; that one stays. */
  differs: boolean;
  /** Why an accepted event was not billed; null when it was. */
  @ApiProperty({ enum: UNBILLED_REASONS, nullable: true })
  reason: UnbilledReason | null;
}

export class IngestedView extends IngestResultView {
  message: string;
}

export class BulkIngestedView {
  message: string;
  /** One per event, in their order. */
  @ApiProperty({ type: [IngestResultView] })
  results: readonly IngestResultView[];
}

/** `POST /events/query`: by time of the event, newest first unless `asc`. */
export class EventsQueryBody {
  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  customer_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  event_name?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  event_id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  source?: string;

  /** Name to accepted values: every named property must have one of its values. */
  @Optional()
  @IsObject()
  property_filters?: Record<string, string[]>;

  @Optional()
  @IsInstant()
  start_time?: string;

  /** Exclusive. */
  @Optional()
  @IsInstant()
  end_time?: string;

  /** Default 50. */
  @Optional()
  @IsWhole({ min: 1, max: 1000 })
  page_size?: number;

  @Optional()
  @IsWhole({ min: 0, max: 1_000_000 })
  offset?: number;

  /** The `iter_first_key` of an answer: what comes before it in the list. */
  @Optional()
  @IsString()
  @MaxLength(100)
  iter_first_key?: string;

  /** The `iter_last_key` of an answer: what comes after it in the list. */
  @Optional()
  @IsString()
  @MaxLength(100)
  iter_last_key?: string;

  @Optional()
  @IsIn(['timestamp'])
  sort?: string;

  @Optional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';
}

export class EventView {
  id: string;
  event_name: string;
  customer_id: string | null;
  external_customer_id: string | null;
  environment_id: string;
  /** The time it counts by. */
  timestamp: string;
  source: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true })
  properties: Record<string, string | number | boolean>;
}

export class EventsView {
  @ApiProperty({ type: [EventView] })
  events: EventView[];
  has_more: boolean;
  iter_first_key: string | null;
  iter_last_key: string | null;
  offset: number;
  total_count: number;
}

export const eventView = (event: UsageEvent): EventView => ({
  id: event.eventId,
  event_name: event.eventName,
  customer_id: event.customerId ?? null,
  external_customer_id: event.externalCustomerId ?? null,
  environment_id: event.environmentId,
  timestamp: event.at.toISOString(),
  source: event.source ?? null,
  properties: event.properties,
});
