import { IsInstant, IsMetadata, IsWhole, Optional, OwnedView, ownedView } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { Pause, PAUSE_MODES } from './pause.entity.js';

/** Ten years: a longer pause is a cancellation. */
const LONGEST_PAUSE_DAYS = 3650;

export class PauseBody {
  /** `immediate`, at `pause_start` (`scheduled`), or with the end of the current period (`period_end`). */
  @IsIn(PAUSE_MODES)
  pause_mode: Pause['mode'];

  @Optional()
  @IsInstant()
  pause_start?: string | null;

  /** Resumes by itself at this instant; without it and `pause_days`, when it is told to. */
  @Optional()
  @IsInstant()
  pause_end?: string | null;

  @Optional()
  @IsWhole({ min: 1, max: LONGEST_PAUSE_DAYS })
  pause_days?: number | null;

  @Optional()
  @IsString()
  @MaxLength(1000)
  reason?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  /** Answers what would happen, and does nothing. */
  @Optional()
  @IsBoolean()
  dry_run?: boolean | null;
}

export class ResumeBody {
  /** Default `immediate`; when it is to resume later is said by the pause. */
  @Optional()
  @IsIn(['immediate'])
  resume_mode?: 'immediate' | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  /** Answers what would happen, and does nothing. */
  @Optional()
  @IsBoolean()
  dry_run?: boolean | null;
}

export class PauseView extends OwnedView {
  subscription_id: string;
  pause_mode: string;
  /** `scheduled`, `active`, `completed` or `cancelled`. */
  pause_status: string;
  pause_start: string;
  pause_end: string | null;
  resumed_at: string | null;
  resume_mode: string | null;
  /** The period it cut short, as that was to be. */
  original_period_start: string | null;
  original_period_end: string | null;
  reason: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
}

export class PauseListView {
  @ApiProperty({ type: [PauseView] })
  items: PauseView[];
  total: number;
}

export const pauseView = (pause: Pause): PauseView => ({
  ...ownedView(pause),
  status: 'published',
  subscription_id: pause.subscriptionId,
  pause_mode: pause.mode,
  pause_status: pause.status,
  pause_start: pause.startAt.toISOString(),
  pause_end: pause.endAt?.toISOString() ?? null,
  resumed_at: pause.resumedAt?.toISOString() ?? null,
  resume_mode: pause.resumedAt ? (+pause.resumedAt === +(pause.endAt ?? 0) ? 'auto' : 'immediate') : null,
  original_period_start: pause.periodStart?.toISOString() ?? null,
  original_period_end: pause.periodEnd?.toISOString() ?? null,
  reason: pause.reason ?? null,
  metadata: pause.metadata,
});
