import {
  accrue,
  accrueUntil,
  Decimal,
  emptyAccrual,
  matches,
  readAccrual,
  sum,
  ZERO,
  type AccrualRule,
  type AccrualState,
  type Span,
  type WindowPeriod,
} from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { coreMeter, type Meter } from '@drawdown/features';
import { Problem, type Tx } from '@drawdown/platform';
import {
  EntitledFeatures,
  SubscriptionsService,
  type AggregatedFeature,
  type Subscription,
} from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { limitWindow } from './limit-window.js';
import {
  featureUsageView,
  type CustomerUsageQuery,
  type CustomerUsageView,
  type FeatureUse,
} from './customer-usage.dto.js';

const CHUNK = 1000;

interface Use {
  readonly quantity: Decimal;
  readonly subscriptionId: string;
  readonly meterId: string;
}

/** What was counted of a meter, and the rule it was counted by; priced at nothing. */
export interface Counted {
  readonly rule: AccrualRule;
  readonly state: AccrualState;
}

interface CountedRow {
  seq: string;
  at: string;
  properties: Record<string, string | number | boolean>;
}

/** What a customer has used of each feature, against what its subscriptions give. */
@Injectable()
export class CustomerUsage {
  constructor(
    private readonly customers: CustomersService,
    private readonly subscriptions: SubscriptionsService,
    private readonly entitled: EntitledFeatures,
  ) {}

  /** @throws Problem 400 when the query names no customer, 404 for an unknown one. */
  async summary(tx: Tx, query: CustomerUsageQuery): Promise<CustomerUsageView> {
    const { customer_id: id, customer_lookup_key: key } = query;
    if (!id && !key) throw Problem.invalid('customer_id', 'or customer_lookup_key is required');
    const customer = await this.customers.resolve(tx, { customer_id: id, external_customer_id: key });
    const running = await this.runningOf(tx, customer.id, query);
    const features = await this.featuresOf(tx, running, query);
    const priced = await this.pricedUse(tx, customer.id);
    const uses: FeatureUse[] = [];
    for (const given of features) uses.push(await this.useOf(tx, customer.id, given, running, priced));
    const [oldest] = running;
    return {
      customer_id: customer.id,
      features: uses.map(featureUsageView),
      pagination: { total: uses.length, limit: uses.length, offset: 0 },
      period: {
        start_time: oldest?.currentPeriodStart?.toISOString() ?? null,
        end_time: oldest?.currentPeriodEnd?.toISOString() ?? null,
        period: oldest?.billingPeriod ?? null,
      },
    };
  }

  private async runningOf(tx: Tx, customerId: string, query: CustomerUsageQuery): Promise<Subscription[]> {
    const running = await this.subscriptions.running(tx, customerId);
    const wanted = query.subscription_ids;
    return wanted ? running.filter(({ id }) => wanted.includes(id)) : running;
  }

  private async featuresOf(tx: Tx, running: Subscription[], query: CustomerUsageQuery): Promise<AggregatedFeature[]> {
    const features = await this.entitled.of(tx, running, query.feature_ids ?? undefined);
    const keys = query.feature_lookup_keys;
    return keys ? features.filter(({ feature }) => feature.lookupKey && keys.includes(feature.lookupKey)) : features;
  }

  private async useOf(
    tx: Tx,
    customerId: string,
    given: AggregatedFeature,
    running: readonly Subscription[],
    priced: readonly Use[],
  ): Promise<FeatureUse> {
    const { meter, sources } = given;
    const giving = running.filter(({ id }) => sources.some((source) => source.subscriptionId === id));
    const reset = given.entitlement.usageResetPeriod as WindowPeriod | null;
    const resets = meter
      ? giving.flatMap((one) => limitWindow(one, meter, reset, tx.now)?.resetsAt?.getTime() ?? [])
      : [];
    return {
      given,
      used: meter ? await this.used(tx, customerId, meter, giving, priced, reset) : ZERO,
      resetsAt: resets.length > 0 ? new Date(Math.min(...resets)) : null,
    };
  }

  /** What was used of a priced meter has been counted as it came; what only has a limit, or one by time, is counted now. */
  private async used(
    tx: Tx,
    customerId: string,
    meter: Meter,
    giving: readonly Subscription[],
    priced: readonly Use[],
    reset: WindowPeriod | null,
  ): Promise<Decimal> {
    const counted = reset ? [] : priced.filter((use) => use.meterId === meter.id);
    if (counted.length > 0) return sum(counted.map(({ quantity }) => quantity));
    const limited = await this.countedOf(tx, customerId, meter, giving, reset);
    return limited ? readAccrual(limited.rule, limited.state).quantity : ZERO;
  }

  /** Counts a meter that only has a limit, in the limit's window of the oldest subscription; null without one. */
  async countedOf(
    tx: Tx,
    customerId: string,
    meter: Meter,
    giving: readonly Subscription[],
    reset: WindowPeriod | null,
  ): Promise<Counted | null> {
    const [oldest] = giving;
    const window = oldest && limitWindow(oldest, meter, reset, tx.now);
    return window ? this.count(tx, customerId, meter, window) : null;
  }

  /** Per subscription and meter, in the current periods; several items that price one meter count it once. */
  private async pricedUse(tx: Tx, customerId: string): Promise<Use[]> {
    const items = await this.subscriptions.usageItems(tx, [customerId], tx.now, tx.now);
    const found = await sql<{ line_item_id: string; period_id: string; quantity: string }>`
      select line_item_id, period_id, quantity from accrual
      where environment_id = ${tx.scope.environmentId} and period_id = any(${items.map((item) => item.period.id)}::text[])`.execute(
      tx.db,
    );
    const quantities = new Map(found.rows.map((row) => [`${row.line_item_id} ${row.period_id}`, row.quantity]));
    const uses = items.map(({ lineItemId, period, subscriptionId, meterId }): [string, Use] => {
      const quantity = new Decimal(quantities.get(`${lineItemId} ${period.id}`) ?? 0);
      return [`${subscriptionId} ${meterId}`, { quantity, subscriptionId, meterId }];
    });
    return [...new Map(uses).values()];
  }

  private async count(tx: Tx, customerId: string, meter: Meter, span: Span): Promise<Counted> {
    const rule: AccrualRule = {
      price: { model: 'FLAT_FEE', amount: ZERO },
      meter: coreMeter(meter),
      allowance: null,
      span,
    };
    let state = emptyAccrual();
    for (let after = '0'; ;) {
      const events = await this.eventsOf(tx, customerId, meter.eventName, span, after);
      for (const event of events) {
        if (!matches(rule.meter, { eventName: meter.eventName, properties: event.properties })) continue;
        const { properties, seq } = event;
        const counted = accrue(rule, state, { at: new Date(event.at), arrival: Number(seq), properties });
        if (!('problem' in counted)) state = counted.state;
      }
      if (events.length < CHUNK) return { rule, state: accrueUntil(rule, state, tx.now).state };
      after = events.at(-1)!.seq;
    }
  }

  private async eventsOf(
    tx: Tx,
    customerId: string,
    eventName: string,
    span: Span,
    after: string,
  ): Promise<CountedRow[]> {
    const found = await sql<CountedRow>`
      select seq, at, properties from usage_event
      where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and event_name = ${eventName}
        and at >= ${span.start} and at < ${span.end} and seq > ${after}::bigint
      order by seq limit ${CHUNK}`.execute(tx.db);
    return found.rows;
  }
}
