import { createdWithin, explainRefusal, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { Feature } from './feature.entity.js';
import { featureOf, featureRow, meterOf, type FeatureRow } from './feature-rows.js';
import type { CreateFeatureBody, FeatureSearchQuery, UpdateFeatureBody } from './features.dto.js';
import { Meter } from './meter.entity.js';
import { assertMeter } from './meter.rules.js';
import type { CreateMeterBody } from './meters.dto.js';

/** Features and their meters. */
@Injectable()
export class FeaturesService {
  /** @throws Problem 400 for a meter that makes no sense, 404 for an unknown `meter_id`, 409 for a lookup key in use. */
  async create(tx: Tx, body: CreateFeatureBody): Promise<Feature> {
    const meterId = await this.meterFor(tx, body);
    const feature = tx.em.create(Feature, {
      id: newId('feat'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      name: body.name,
      lookupKey: body.lookup_key ?? null,
      description: body.description ?? null,
      type: body.type,
      meterId,
      unitSingular: body.unit_singular ?? null,
      unitPlural: body.unit_plural ?? null,
      metadata: body.metadata ?? {},
    });
    await explainRefusal(tx.em.flush(), {
      feature_lookup_key: Problem.exists('lookup_key', `${body.lookup_key} belongs to another feature`),
      feature_live_meter: unknownMeter(body.meter_id ?? ''),
    });
    return feature;
  }

  /** In any state: for what happened under it. @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Feature> {
    const feature = await tx.em.findOne(Feature, { environmentId: tx.scope.environmentId, id });
    if (!feature) throw Problem.notFound('feature', id);
    return feature;
  }

  /** @throws Problem 404, also for an archived one. */
  async published(tx: Tx, id: string): Promise<Feature> {
    const feature = await this.get(tx, id);
    if (feature.status !== 'published') throw Problem.notFound('feature', id);
    return feature;
  }

  /** The published ones by id or lookup key, with their meters; by the name each was asked for by. One query. */
  async named(
    tx: Tx,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, { feature: Feature; meter: Meter | null }>> {
    if (names.length === 0) return new Map();
    await tx.em.flush();
    const environmentId = sql`${tx.scope.environmentId}`;
    const found = await sql<FeatureRow & { asked: string }>`
      select n.asked, feature.* from unnest(${[...new Set(names)]}::text[]) n(asked)
      cross join lateral (
        select id from feature
        where environment_id = ${environmentId} and status = 'published' and (id = n.asked or lookup_key = n.asked)
        limit 1) f
      cross join lateral (${featureRow(environmentId, sql`f.id`)}) feature`.execute(tx.db);
    return new Map(found.rows.map((row) => [row.asked, { feature: featureOf(row), meter: meterOf(row) }]));
  }

  /** Those that exist, in any state and order. */
  async find(tx: Tx, ids: readonly string[]): Promise<Feature[]> {
    return ids.length === 0 ? [] : tx.em.find(Feature, { environmentId: tx.scope.environmentId, id: [...ids] });
  }

  /** A published meter. @throws Problem 404. */
  async meter(tx: Tx, id: string): Promise<Meter> {
    const { environmentId } = tx.scope;
    const meter = await tx.em.findOne(Meter, { environmentId, id, status: 'published' });
    if (!meter) throw Problem.notFound('meter', id);
    return meter;
  }

  /** Those that exist, in any state and order. */
  async meters(tx: Tx, ids: readonly string[]): Promise<Meter[]> {
    return ids.length === 0 ? [] : tx.em.find(Meter, { environmentId: tx.scope.environmentId, id: [...ids] });
  }

  search(tx: Tx, query: FeatureSearchQuery): Promise<[Feature[], number]> {
    const { feature_ids: ids, lookup_key: key, lookup_keys: keys, meter_ids: meters, name_contains: part } = query;
    return tx.em.findAndCount(
      Feature,
      {
        environmentId: tx.scope.environmentId,
        status: (query.status ?? 'published') as Feature['status'],
        ...createdWithin(query),
        ...(ids ? { id: ids } : {}),
        ...(key || keys ? { lookupKey: [...(keys ?? []), ...(key ? [key] : [])] } : {}),
        ...(meters ? { meterId: meters } : {}),
        ...(part ? { name: { $ilike: `%${part.replace(/[\\%_]/g, '\\$&')}%` } } : {}),
      },
      pageOptions(query),
    );
  }

  /** @throws Problem 404, 400 for filters of a feature without a meter. */
  async update(tx: Tx, id: string, body: UpdateFeatureBody): Promise<Feature> {
    const feature = await this.published(tx, id);
    if (body.filters) await this.changeFilters(tx, feature, body.filters);
    tx.em.assign(
      feature,
      {
        name: body.name ?? undefined,
        description: body.description,
        unitSingular: body.unit_singular,
        unitPlural: body.unit_plural,
        metadata: body.metadata === null ? {} : body.metadata,
        updatedAt: tx.now,
      },
      { ignoreUndefined: true },
    );
    await tx.em.flush();
    return feature;
  }

  /**
   * Archives it, and its meter unless another feature counts by it. The database refuses while something published
   * uses either. @throws Problem 404, 409 in use.
   */
  async remove(tx: Tx, id: string): Promise<void> {
    const feature = await this.published(tx, id);
    archive(tx, feature);
    await explainRefusal(tx.em.flush(), {
      entitlement_live_feature: inUse(id, 'an entitlement gives it'),
    });
    if (!feature.meterId) return;
    const { environmentId } = tx.scope;
    const others = await tx.em.count(Feature, { environmentId, meterId: feature.meterId, status: 'published' });
    if (others > 0) return;
    archive(tx, await this.meter(tx, feature.meterId));
    await explainRefusal(tx.em.flush(), {
      price_live_meter: inUse(id, 'a price charges its meter'),
      feature_live_meter: inUse(id, 'another feature was just given its meter'),
    });
  }

  private async meterFor(tx: Tx, body: CreateFeatureBody): Promise<string | null> {
    if (body.type !== 'metered') {
      if (body.meter) throw Problem.invalid('meter', `makes no sense for a ${body.type} feature`);
      if (body.meter_id) throw Problem.invalid('meter_id', `makes no sense for a ${body.type} feature`);
      return null;
    }
    if (body.meter && body.meter_id) throw Problem.invalid('meter_id', 'and meter exclude each other');
    if (body.meter) return this.createMeter(tx, body.name, body.meter);
    if (!body.meter_id) throw Problem.invalid('meter', 'or meter_id is required for a metered feature');
    const meters = await this.meters(tx, [body.meter_id]);
    if (meters[0]?.status !== 'published') throw unknownMeter(body.meter_id);
    return body.meter_id;
  }

  private async createMeter(tx: Tx, featureName: string, body: CreateMeterBody): Promise<string> {
    const { type, field = null, multiplier = null, bucket_size = null, group_by = null } = body.aggregation;
    const meter = tx.em.create(Meter, {
      id: newId('meter'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      name: body.name ?? featureName,
      eventName: body.event_name,
      filters: plain(body.filters ?? []),
      aggregation: { type, field, multiplier, bucket_size, group_by },
      resetUsage: body.reset_usage ?? 'BILLING_PERIOD',
    });
    assertMeter(meter);
    await tx.em.flush();
    return meter.id;
  }

  private async changeFilters(tx: Tx, feature: Feature, filters: Meter['filters']): Promise<void> {
    if (!feature.meterId) throw Problem.invalid('filters', `make no sense for a ${feature.type} feature`);
    const meter = await this.meter(tx, feature.meterId);
    meter.filters = plain(filters);
    meter.updatedAt = tx.now;
    assertMeter(meter);
  }
}

function archive(tx: Tx, row: Feature | Meter): void {
  row.status = 'archived';
  row.updatedAt = tx.now;
}

const plain = (filters: Meter['filters']) => filters.map(({ key, values }) => ({ key, values: [...values] }));

const inUse = (id: string, reason: string): Problem =>
  Problem.state(`feature ${id} can't be deleted: ${reason}`, 'published');

const unknownMeter = (id: string): Problem =>
  new Problem('not_found', `meter_id ${id} was not found`, { field: 'meter_id' });
