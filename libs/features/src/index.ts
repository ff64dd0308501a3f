export { Feature, featureTypes, type FeatureType } from './feature.entity.js';
export { featureOf, featureRow, meterOf, type FeatureRow } from './feature-rows.js';
export { featureView, FeatureView } from './features.dto.js';
export { FeaturesModule } from './features.module.js';
export { FeaturesService } from './features.service.js';
export { coreMeter, Meter, type StoredAggregation } from './meter.entity.js';
export { meterView, MeterView } from './meters.dto.js';
