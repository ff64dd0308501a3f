import { Optional, PageQuery, PaginationView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { EVENT_STATUSES, type StripeEvent } from './stripe-event.entity.js';

export class StripeEventQuery extends PageQuery {
  @Optional()
  @IsIn(EVENT_STATUSES)
  event_status?: (typeof EVENT_STATUSES)[number];
}

export class StripeEventView {
  id: string;
  tenant_id: string;
  environment_id: string;
  type: string;
  /** What the event is about at Stripe. */
  object_id: string;
  /** `received`, `handled`, `ignored` (somebody else's) or `parked` (given up; can be run again). */
  event_status: string;
  @ApiProperty({ type: 'integer' })
  attempts: number;
  /** Why it was ignored, or why the last try failed. */
  @ApiProperty({ type: String, nullable: true })
  last_error: string | null;
  happened_at: string;
  received_at: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  settled_at: string | null;
}

export class StripeEventListView {
  @ApiProperty({ type: [StripeEventView] })
  items: StripeEventView[];
  pagination: PaginationView;
}

export const stripeEventView = (event: StripeEvent): StripeEventView => ({
  id: event.id,
  tenant_id: event.tenantId,
  environment_id: event.environmentId,
  type: event.type,
  object_id: event.objectId,
  event_status: event.status,
  attempts: event.attempts,
  last_error: event.lastError ?? null,
  happened_at: event.happenedAt.toISOString(),
  received_at: event.receivedAt.toISOString(),
  settled_at: event.settledAt?.toISOString() ?? null,
});
