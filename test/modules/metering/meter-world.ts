import { Decimal, text } from '@drawdown/billing-core';
import { Accrual } from '@drawdown/metering';
import type { Modules } from '../../support/modules.js';

export interface Metered {
  readonly aggregation: object;
  readonly filters?: object[];
  readonly reset?: 'BILLING_PERIOD' | 'NEVER';
  /** What is said of the price beside its meter; FLAT_FEE without a model. */
  readonly price: object;
  readonly limit?: number;
  readonly window?: string;
}

interface Terms {
  /** The clock is moved there first. */
  readonly start?: string;
  /** A start in the past. */
  readonly since?: string;
  readonly credits?: string;
  readonly currency?: string;
  readonly zone?: string;
  readonly interval?: object;
  readonly cycle?: 'calendar' | 'anniversary';
}

/** Customers on plans of their own, made of meters of every kind. */
export class MeterWorld {
  private made = 0;

  constructor(readonly modules: Modules) {}

  async post<T = { id: string }>(path: string, body: object): Promise<T> {
    const answer = await this.modules.api.post(path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body as T;
  }

  /** A plan that sells these meters, their names in order. */
  async plan(meters: readonly Metered[], terms: Terms = {}): Promise<{ planId: string; eventNames: string[] }> {
    const plan = await this.post('/plans', { name: 'Metered' });
    const eventNames: string[] = [];
    for (const one of meters) eventNames.push(await this.sell(plan.id, one, terms));
    return { planId: plan.id, eventNames };
  }

  /** A customer on such a plan. */
  async subscriber(meters: readonly Metered[], terms: Terms = {}): Promise<MeteredCustomer> {
    if (terms.start) await this.modules.advanceTo(terms.start);
    const { planId, eventNames } = await this.plan(meters, terms);
    const externalId = `customer-${++this.made}`;
    const { id } = await this.post('/customers', { external_id: externalId, timezone: terms.zone ?? 'UTC' });
    const currency = terms.currency ?? 'usd';
    if (terms.credits) {
      await this.post('/wallets', { customer_id: id, currency, initial_credits_to_load: terms.credits });
    }
    const subscription = await this.post('/subscriptions', {
      customer_id: id,
      plan_id: planId,
      currency,
      billing_cycle: terms.cycle ?? 'anniversary',
      ...(terms.since ? { start_date: terms.since } : {}),
      ...interval(terms),
    });
    return new MeteredCustomer(this, { externalId, id, subscriptionId: subscription.id, planId }, eventNames);
  }

  private async sell(planId: string, one: Metered, terms: Terms): Promise<string> {
    const eventName = `event-${++this.made}`;
    const feature = await this.post<{ id: string; meter_id: string }>('/features', {
      name: eventName,
      type: 'metered',
      meter: {
        event_name: eventName,
        aggregation: one.aggregation,
        filters: one.filters ?? [],
        reset_usage: one.reset ?? 'BILLING_PERIOD',
      },
    });
    await this.post('/prices', {
      type: 'USAGE',
      billing_model: 'FLAT_FEE',
      ...interval(terms),
      currency: terms.currency ?? 'usd',
      entity_type: 'PLAN',
      entity_id: planId,
      meter_id: feature.meter_id,
      ...one.price,
    });
    if (one.limit !== undefined) {
      await this.post('/entitlements', {
        plan_id: planId,
        feature_id: feature.id,
        usage_limit: one.limit,
        usage_reset_period: one.window ?? null,
      });
    }
    return eventName;
  }
}

const interval = (terms: Terms) => terms.interval ?? { billing_period: 'MONTHLY' };

export class MeteredCustomer {
  constructor(
    private readonly world: MeterWorld,
    readonly ids: { externalId: string; id: string; subscriptionId: string; planId: string },
    readonly eventNames: readonly string[],
  ) {}

  /** @param meter its place in the plan. @param now moves the clock there first. */
  async report(
    meter: number,
    properties: object,
    timestamp: string,
    now?: string,
  ): Promise<{ credits_burned: string }> {
    if (now) await this.world.modules.advanceTo(now);
    return this.world.post('/events', {
      event_name: this.eventNames[meter],
      external_customer_id: this.ids.externalId,
      timestamp,
      properties,
    });
  }

  /** In batches of 100, in the order given. */
  async reportAll(
    events: readonly { meter: number; id: string; timestamp: string; properties: object }[],
  ): Promise<void> {
    for (let from = 0; from < events.length; from += 100) {
      await this.world.post('/events/bulk', {
        events: events.slice(from, from + 100).map(({ meter, id, timestamp, properties }) => ({
          event_id: `${this.ids.externalId}-${id}`,
          event_name: this.eventNames[meter],
          external_customer_id: this.ids.externalId,
          timestamp,
          properties,
        })),
      });
    }
  }

  /** In the order of their periods; amounts as text. */
  async accruals(): Promise<Record<string, unknown>[]> {
    const found = await this.world.modules.run((tx) => tx.em.find(Accrual, { customerId: this.ids.id }));
    const ordered = found.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
    return ordered.map((one) => ({
      quantity: text(one.quantity),
      free: text(one.free),
      accrued: text(one.accrued),
      credits: text(one.credits),
      shortfall: text(one.shortfall),
      carried: one.state.carried,
    }));
  }

  /** What its wallet can spend now. */
  async credits(): Promise<string> {
    const answer = await this.world.modules.api.get(`/customers/wallets?lookup_key=${this.ids.externalId}`);
    const [wallet] = answer.body as { credits_available_breakdown: Record<string, string> }[];
    const { free, purchased } = wallet!.credits_available_breakdown;
    return text(new Decimal(free!).plus(purchased!));
  }
}
