import {
  IsMetadata,
  IsText,
  IsTexts,
  NotYet,
  Optional,
  OwnedView,
  PaginationView,
  ownedView,
  Part,
  Parts,
  SearchQuery,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { featureTypes, type Feature, type FeatureType } from './feature.entity.js';
import type { Meter } from './meter.entity.js';
import { CreateMeterBody, MeterFilterBody, meterView, MeterView } from './meters.dto.js';

/** What can be said of a feature when it is made and changed later. */
class FeatureTexts {
  @Optional()
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  @Optional()
  @IsString()
  @MaxLength(50)
  unit_singular?: string | null;

  @Optional()
  @IsString()
  @MaxLength(50)
  unit_plural?: string | null;

  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  alert_settings?: object | null;
}

export class CreateFeatureBody extends FeatureTexts {
  @IsText()
  name: string;

  @IsIn(featureTypes)
  type: FeatureType;

  /** Your own name for it, unique among the published features. */
  @Optional()
  @IsText()
  lookup_key?: string | null;

  /** The meter of another feature; instead of `meter`. */
  @Optional()
  @IsText()
  meter_id?: string | null;

  /** A new meter for a metered feature. */
  @Optional()
  @Part(() => CreateMeterBody)
  meter?: CreateMeterBody | null;
}

export class UpdateFeatureBody extends FeatureTexts {
  @Optional()
  @IsText()
  name?: string | null;

  /** The meter's new filters; line items that exist keep those they were made with. */
  @Optional()
  @Parts(() => MeterFilterBody, { max: 20 })
  filters?: MeterFilterBody[] | null;
}

export class FeatureSearchQuery extends SearchQuery {
  @Optional()
  @IsTexts()
  feature_ids?: string[] | null;

  @Optional()
  @IsString()
  @MaxLength(255)
  lookup_key?: string | null;

  @Optional()
  @IsTexts()
  lookup_keys?: string[] | null;

  @Optional()
  @IsTexts()
  meter_ids?: string[] | null;

  /** Part of the name, in upper or lower case. */
  @Optional()
  @IsString()
  @MaxLength(255)
  name_contains?: string | null;
}

export class FeatureView extends OwnedView {
  name: string;
  lookup_key: string | null;
  description: string | null;
  type: string;
  meter_id: string | null;
  @ApiProperty({ type: MeterView, nullable: true })
  meter: MeterView | null;
  unit_singular: string | null;
  unit_plural: string | null;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  alert_settings: object | null;
}

export class FeatureListView {
  @ApiProperty({ type: [FeatureView] })
  items: FeatureView[];
  pagination: PaginationView;
}

export const featureView = (feature: Feature, meter: Meter | null): FeatureView => ({
  ...ownedView(feature),
  name: feature.name,
  lookup_key: feature.lookupKey ?? null,
  description: feature.description ?? null,
  type: feature.type,
  meter_id: feature.meterId ?? null,
  meter: meter && meterView(meter),
  unit_singular: feature.unitSingular ?? null,
  unit_plural: feature.unitPlural ?? null,
  metadata: feature.metadata,
  alert_settings: null,
});
