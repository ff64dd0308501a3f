import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, Max, Min } from 'class-validator';
import type { DunningRules } from './dunning-policy.service.js';
import { DUNNING_ENDINGS, type Dunning, type DunningEnding } from './dunning.entity.js';
import { DUNNING_STATES, type DunningState } from './lifecycles.js';

/** Beyond a year nobody is asked for anything any more. */
const LONGEST_DAYS = 365;
const MOST_STEPS = 20;

export class DunningPolicyBody {
  /** Days after the decline, or after the due date, on which payment is tried again. */
  @ApiProperty({ type: [Number], example: [1, 3, 5, 7] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_STEPS)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(LONGEST_DAYS, { each: true })
  retry_days: number[];

  /** After the last of them: the subscription stays past due, is cancelled, or paused until it is paid. */
  @IsIn(DUNNING_ENDINGS)
  ending: DunningEnding;
}

export class DunningPolicyView {
  @ApiProperty({ type: [Number] })
  retry_days: number[];
  @ApiProperty({ enum: DUNNING_ENDINGS })
  ending: DunningEnding;
}

export const dunningPolicyView = ({ retryDays, ending }: DunningRules): DunningPolicyView => ({
  retry_days: [...retryDays],
  ending,
});

export class DunningView {
  id: string;
  invoice_id: string;
  customer_id: string;
  @ApiProperty({ type: String, nullable: true })
  subscription_id: string | null;
  @ApiProperty({ enum: DUNNING_STATES })
  state: DunningState;
  /** When payment is tried again. */
  @ApiProperty({ type: [String] })
  steps: string[];
  /** How many of them have been. */
  steps_taken: number;
  @ApiProperty({ enum: DUNNING_ENDINGS })
  ending: DunningEnding;
  started_at: string;
  @ApiProperty({ type: String, nullable: true })
  ended_at: string | null;
}

export const dunningView = (dunning: Dunning): DunningView => ({
  id: dunning.id,
  invoice_id: dunning.invoiceId,
  customer_id: dunning.customerId,
  subscription_id: dunning.subscriptionId ?? null,
  state: dunning.state,
  steps: dunning.steps,
  steps_taken: dunning.stepsTaken,
  ending: dunning.ending,
  started_at: dunning.createdAt.toISOString(),
  ended_at: dunning.endedAt?.toISOString() ?? null,
});
