import { archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const featureTypes = ['metered', 'boolean', 'static'] as const;
export type FeatureType = (typeof featureTypes)[number];

const FeatureSchema = defineEntity({
  name: 'Feature',
  tableName: 'feature',
  properties: {
    ...archivable,
    name: p.string(),
    lookupKey: p.string().nullable(),
    description: p.string().nullable(),
    type: p.enum(featureTypes),
    meterId: p.string().nullable(),
    unitSingular: p.string().nullable(),
    unitPlural: p.string().nullable(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** Something a plan can give: counted by a meter, on or off, or a fixed value. */
export class Feature extends FeatureSchema.class {}
FeatureSchema.setClass(Feature);
