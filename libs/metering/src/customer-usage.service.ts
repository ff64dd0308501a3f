import { Decimal, readAccrual, sum, ZERO, type WindowPeriod } from '@drawdown/billing-core';
import { Problem, Requests, SingleRead, SingleReads, type Asker, type Tx } from '@drawdown/platform';
import {
  entitledBy,
  entitledRowsOfCustomer,
  usageItemRowsIn,
  usageItemsFrom,
  type AggregatedFeature,
  type Entitled,
  type EntitledRow,
  type UsageItemRow,
} from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import {
  featureUsageView,
  type CustomerUsageQuery,
  type CustomerUsageView,
  type FeatureUse,
} from './customer-usage.dto.js';
import { limitWindow } from './limit-window.js';
import { countUse, limitOf, type Counted } from './limited-use.js';

/** Null where there is none. */
interface StandingRow {
  customer_id: string;
  given: EntitledRow[] | null;
  items: (UsageItemRow & { quantity: string | null })[] | null;
}

interface Use {
  readonly quantity: Decimal;
  readonly meterId: string;
}

/** How a customer stands at `now`. */
interface Standing extends Entitled {
  readonly customerId: string;
  /** Of priced meters, per subscription. */
  readonly priced: readonly Use[];
  readonly now: Date;
}

type Given<Name extends string> = Readonly<Record<Name, RawBuilder<unknown>>>;

/** A published customer, what its running subscriptions give, and what was used of what they price. */
const standingRow = ({ id, externalId }: Given<'id' | 'externalId'>, { environmentId, now }: Asker) => sql<StandingRow>`
  select c.id customer_id,
         (select json_agg(g) from (${entitledRowsOfCustomer(environmentId, sql`c.id`)}) g) given,
         (select json_agg(u) from (
            select i.*, (
              select quantity::text from accrual where line_item_id = i.line_item_id and period_id = i.period_id) quantity
            from (${usageItemRowsIn(environmentId, sql`c.id`, now, now)}) i) u) items
  from customer c
  where c.environment_id = ${environmentId} and c.status = 'published' and c.id = coalesce(${id}::text, (
    select named.id from customer named
    where named.environment_id = ${environmentId} and named.external_id = ${externalId} and named.status = 'published'))`;

const standingOfCustomer = new SingleRead(['id', 'externalId'], standingRow);

/** What a customer has used of each feature, against what its subscriptions give. */
@Injectable()
export class CustomerUsage {
  constructor(
    private readonly reads: SingleReads,
    private readonly requests: Requests,
  ) {}

  /**
   * One statement, unless a meter only has a limit: its events are counted in a transaction, at one moment with the rest.
   * @throws Problem 400 when the query names no customer, 404 for an unknown one.
   */
  async summary(query: CustomerUsageQuery): Promise<CustomerUsageView> {
    const name = nameOf(query);
    const { rows, now } = await this.reads.read(standingOfCustomer, name);
    const standing = standingFrom(rows[0], now, query);
    const toCount = standing.features.some(
      (given) => isToCount(given, standing) && limitOf(given, standing.subscriptions, now),
    );
    return toCount ? this.requests.read((tx) => summaryIn(tx, query)) : summaryOf(standing, new Map());
  }
}

async function summaryIn(tx: Tx, query: CustomerUsageQuery): Promise<CustomerUsageView> {
  const { id, externalId } = nameOf(query);
  const asker: Asker = { environmentId: sql`${tx.scope.environmentId}`, now: sql`${tx.now}` };
  const { rows } = await standingRow({ id: sql`${id}`, externalId: sql`${externalId}` }, asker).execute(tx.db);
  const standing = standingFrom(rows[0], tx.now, query);
  const counted = new Map<string, Counted>();
  for (const given of standing.features) {
    const limit = isToCount(given, standing) ? limitOf(given, standing.subscriptions, tx.now) : null;
    if (limit) counted.set(given.feature.id, await countUse(tx, standing.customerId, limit));
  }
  return summaryOf(standing, counted);
}

/** @throws Problem 400. */
function nameOf({ customer_id: id, customer_lookup_key: key }: CustomerUsageQuery) {
  if (!id && !key) throw Problem.invalid('customer_id', 'or customer_lookup_key is required');
  return { id: id || null, externalId: key ?? null };
}

/** Narrowed to what the query asks for. @throws Problem 404 where there is no row. */
function standingFrom(row: StandingRow | undefined, now: Date, query: CustomerUsageQuery): Standing {
  if (!row) throw Problem.notFound('customer', (query.customer_id || query.customer_lookup_key)!);
  const { subscription_ids: ids, feature_ids: featureIds, feature_lookup_keys: keys } = query;
  const given = (row.given ?? []).filter(({ subscription_id: id }) => !ids || ids.includes(id));
  const { subscriptions, features } = entitledBy(given, featureIds ?? undefined);
  return {
    customerId: row.customer_id,
    subscriptions,
    features: keys ? features.filter(({ feature }) => feature.lookupKey && keys.includes(feature.lookupKey)) : features,
    priced: pricedUse(row.items ?? [], now),
    now,
  };
}

/** Per subscription and meter, in the current periods; several items that price one meter count it once. */
function pricedUse(rows: NonNullable<StandingRow['items']>, now: Date): Use[] {
  const quantities = new Map(rows.map((row) => [`${row.line_item_id} ${row.period_id}`, row.quantity]));
  const uses = usageItemsFrom(rows, now, now).map(({ lineItemId, period, subscriptionId, meterId }): [string, Use] => {
    const quantity = new Decimal(quantities.get(`${lineItemId} ${period.id}`) ?? 0);
    return [`${subscriptionId} ${meterId}`, { quantity, meterId }];
  });
  return [...new Map(uses).values()];
}

/** What was used of a priced meter has been counted as it came; what only has a limit, or one by time, is counted now. */
const isToCount = ({ meter, entitlement }: AggregatedFeature, { priced }: Standing): boolean =>
  meter !== null && (entitlement.usageResetPeriod !== null || !priced.some((use) => use.meterId === meter.id));

function summaryOf(standing: Standing, counted: ReadonlyMap<string, Counted>): CustomerUsageView {
  const [oldest] = standing.subscriptions;
  const features = standing.features.map((given) => featureUsageView(useOf(given, standing, counted)));
  return {
    customer_id: standing.customerId,
    features,
    pagination: { total: features.length, limit: features.length, offset: 0 },
    period: {
      start_time: oldest?.currentPeriodStart?.toISOString() ?? null,
      end_time: oldest?.currentPeriodEnd?.toISOString() ?? null,
      period: oldest?.billingPeriod ?? null,
    },
  };
}

function useOf(given: AggregatedFeature, standing: Standing, counted: ReadonlyMap<string, Counted>): FeatureUse {
  const { meter, sources, entitlement } = given;
  const giving = standing.subscriptions.filter(({ id }) => sources.some((source) => source.subscriptionId === id));
  const reset = entitlement.usageResetPeriod as WindowPeriod | null;
  const resets = meter
    ? giving.flatMap((one) => limitWindow(one, meter, reset, standing.now)?.resetsAt?.getTime() ?? [])
    : [];
  return {
    given,
    used: usedOf(given, standing, counted),
    resetsAt: resets.length > 0 ? new Date(Math.min(...resets)) : null,
  };
}

function usedOf(given: AggregatedFeature, standing: Standing, counted: ReadonlyMap<string, Counted>): Decimal {
  const { meter, feature } = given;
  if (!meter) return ZERO;
  if (isToCount(given, standing)) {
    const found = counted.get(feature.id);
    return found ? readAccrual(found.rule, found.state).quantity : ZERO;
  }
  return sum(standing.priced.filter((use) => use.meterId === meter.id).map(({ quantity }) => quantity));
}
