import {
  AGGREGATION_TYPES,
  BUCKET_SIZES,
  RESET_USAGES,
  type AggregationType,
  type BucketSize,
} from '@drawdown/billing-core';
import { IsAmount, IsText, IsTexts, Optional, Part, Parts } from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { Meter, ResetUsage } from './meter.entity.js';

export class MeterFilterBody {
  /** The property of the event. */
  @IsText()
  key: string;

  /** The event counts when its property is one of these. */
  @IsTexts({ min: 1, max: 100 })
  values: string[];
}

export class AggregationBody {
  @IsIn(AGGREGATION_TYPES)
  type: AggregationType;

  /** The property that is aggregated; every type but COUNT needs one. */
  @Optional()
  @IsText()
  field?: string | null;

  /** SUM_WITH_MULTIPLIER: each value counts so many times. */
  @Optional()
  @IsAmount({ above: '0' })
  multiplier?: string | null;

  /** MAX and SUM: values are aggregated within this time; buckets are priced one by one and added. */
  @Optional()
  @IsIn(BUCKET_SIZES)
  bucket_size?: BucketSize | null;

  /** In buckets: aggregated per value of this property, and the groups added. */
  @Optional()
  @IsText()
  group_by?: string | null;
}

export class CreateMeterBody {
  /** Default: the feature's name. */
  @Optional()
  @IsText()
  name?: string | null;

  @IsText()
  event_name: string;

  @Part(() => AggregationBody)
  aggregation: AggregationBody;

  /** All of them must match; none: every event of the name counts. */
  @Optional()
  @Parts(() => MeterFilterBody, { max: 20 })
  filters?: MeterFilterBody[] | null;

  /** Default: BILLING_PERIOD. */
  @Optional()
  @IsIn(RESET_USAGES)
  reset_usage?: ResetUsage | null;
}

export class MeterFilterView {
  key: string;
  values: string[];
}

export class AggregationView {
  type: string;
  field: string | null;
  multiplier: string | null;
  bucket_size: string | null;
  group_by: string | null;
}

export class MeterView {
  id: string;
  tenant_id: string;
  name: string;
  event_name: string;
  aggregation: AggregationView;
  @ApiProperty({ type: [MeterFilterView] })
  filters: MeterFilterView[];
  reset_usage: string;
  status: string;
  created_at: string;
  updated_at: string;
}

export const meterView = (meter: Meter): MeterView => ({
  id: meter.id,
  tenant_id: meter.tenantId,
  name: meter.name,
  event_name: meter.eventName,
  aggregation: { ...meter.aggregation },
  filters: meter.filters.map(({ key, values }) => ({ key, values: [...values] })),
  reset_usage: meter.resetUsage,
  status: meter.status,
  created_at: meter.createdAt.toISOString(),
  updated_at: meter.updatedAt.toISOString(),
});
