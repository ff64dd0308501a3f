import { ApiProperty } from '@nestjs/swagger';
import { IsInstant } from '../http/validators.js';

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
  @ApiProperty({ type: [HappenedView] })
  happened: HappenedView[];
  /** How much happened in all. */
  happened_total: number;
}
