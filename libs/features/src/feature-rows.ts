import { sql, type RawBuilder } from 'kysely';
import type { Feature } from './feature.entity.js';
import type { Meter } from './meter.entity.js';

/** A feature with its meter as statements of other modules answer it, also as JSON: its instants are text either way. */
export interface FeatureRow {
  feature_id: string;
  feature_tenant_id: string;
  feature_environment_id: string;
  feature_status: Feature['status'];
  feature_name: string;
  lookup_key: string | null;
  description: string | null;
  feature_type: Feature['type'];
  unit_singular: string | null;
  unit_plural: string | null;
  feature_metadata: Record<string, string>;
  feature_created_at: string;
  feature_updated_at: string;
  /** Null, as all that follow, for a feature that isn't metered. */
  meter_id: string | null;
  meter_status: Meter['status'];
  meter_name: string;
  event_name: string;
  filters: Meter['filters'];
  aggregation: Meter['aggregation'];
  reset_usage: Meter['resetUsage'];
  meter_created_at: string;
  meter_updated_at: string;
}

/** The feature of this id, in any state, with its meter: one row, a look-up of each. */
export const featureRow = (environmentId: RawBuilder<unknown>, id: RawBuilder<unknown>): RawBuilder<FeatureRow> => sql`
  select f.id feature_id, f.tenant_id feature_tenant_id, f.environment_id feature_environment_id,
         f.status feature_status, f.name feature_name, f.lookup_key, f.description, f.type feature_type,
         f.unit_singular, f.unit_plural, f.metadata feature_metadata, f.created_at feature_created_at,
         f.updated_at feature_updated_at, m.id meter_id, m.status meter_status, m.name meter_name, m.event_name,
         m.filters, m.aggregation, m.reset_usage, m.created_at meter_created_at, m.updated_at meter_updated_at
  from (select * from feature where id = ${id} and environment_id = ${environmentId} offset 0) f
  left join lateral (select * from meter where id = f.meter_id and environment_id = f.environment_id offset 0) m on true`;

export const featureOf = (row: FeatureRow): Feature => ({
  id: row.feature_id,
  tenantId: row.feature_tenant_id,
  environmentId: row.feature_environment_id,
  status: row.feature_status,
  name: row.feature_name,
  lookupKey: row.lookup_key,
  description: row.description,
  type: row.feature_type,
  meterId: row.meter_id,
  unitSingular: row.unit_singular,
  unitPlural: row.unit_plural,
  metadata: row.feature_metadata,
  createdAt: new Date(row.feature_created_at),
  updatedAt: new Date(row.feature_updated_at),
});

export const meterOf = (row: FeatureRow): Meter | null =>
  row.meter_id === null
    ? null
    : {
        id: row.meter_id,
        tenantId: row.feature_tenant_id,
        environmentId: row.feature_environment_id,
        status: row.meter_status,
        name: row.meter_name,
        eventName: row.event_name,
        filters: row.filters,
        aggregation: row.aggregation,
        resetUsage: row.reset_usage,
        createdAt: new Date(row.meter_created_at),
        updatedAt: new Date(row.meter_updated_at),
      };
