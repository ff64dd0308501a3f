import {
  RESET_USAGES,
  type Aggregation,
  type AggregationType,
  type Meter as CoreMeter,
  type MeterFilter,
} from '@drawdown/billing-core';
import { archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export type ResetUsage = (typeof RESET_USAGES)[number];

/** As the wire spells it; billing-core's spelling is `coreMeter`. */
export interface StoredAggregation {
  type: AggregationType;
  field: string | null;
  multiplier: string | null;
  bucket_size: NonNullable<Aggregation['bucketSize']> | null;
  group_by: string | null;
}

const MeterSchema = defineEntity({
  name: 'Meter',
  tableName: 'meter',
  properties: {
    ...archivable,
    name: p.string(),
    eventName: p.string(),
    filters: p.json<MeterFilter[]>(),
    aggregation: p.json<StoredAggregation>(),
    resetUsage: p.enum(RESET_USAGES),
  },
});

/** How events become a quantity. Only its filters may change; a line item keeps the copy it was made with. */
export class Meter extends MeterSchema.class {}
MeterSchema.setClass(Meter);

/** The meter as the arithmetic takes it. */
export function coreMeter({ eventName, filters, aggregation, resetUsage }: Meter): CoreMeter {
  const { type, field, multiplier, bucket_size: bucketSize, group_by: groupBy } = aggregation;
  return { eventName, filters, aggregation: { type, field, multiplier, bucketSize, groupBy }, resetUsage };
}
