import { addDuration, paidTimeOf } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { subscriptionCreated } from '@drawdown/contracts';
import { Agenda, createdWithin, EventBus, loaded, newId, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { PlansService } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { AddedItems } from './added-items.service.js';
import { billedItemsOf, type BilledItem } from './billed-items.js';
import { assertCommittable } from './commitment.js';
import { commitItems } from './item-commitment.js';
import { agreedGrant, copyOffer } from './copies.js';
import type { SubscriptionGrant } from './grant.entity.js';
import { Grants } from './grants.service.js';
import { isProrated, Lifecycle, named } from './lifecycle.service.js';
import { LineItem } from './line-item.entity.js';
import { assertPayableAtStart, startsIncomplete } from './payment-behavior.js';
import { newSubscription } from './new-subscription.js';
import { overrideItems, withEntitlements } from './override.js';
import { OwnEntitlements } from './own-entitlements.service.js';
import { Period } from './period.entity.js';
import { PlannedCancellations } from './planned-cancellations.service.js';
import { requestedEnd, requestedStart, requestedTrialDays, requestedTrialEnd } from './requested-time.js';
import { ITEM_ORDER, relationsOf } from './relations.js';
import { matching } from './search-condition.js';
import { isRunning, RUNNING_STATUSES } from './subscription-status.js';
import type { SubscriptionRelations } from './subscription.dto.js';
import { Subscription, timeOf } from './subscription.entity.js';
import type { CreateSubscriptionBody, SubscriptionSearchBody, UpdateSubscriptionBody } from './subscriptions.dto.js';
import { usageChainsOf, usageItemsOf, type UsageItem } from './usage-items.js';

export interface Cancellation {
  readonly type: 'immediate' | 'end_of_period';
  /** Whether what is unbilled is billed. */
  readonly finalInvoice: boolean;
  readonly reason: string | null;
  /** Whether the advance fees of the rest of the period are given back; null leaves it to the subscription. */
  readonly prorated?: boolean | null;
}

@Injectable()
export class SubscriptionsService {
  constructor(
    private readonly customers: CustomersService,
    private readonly plans: PlansService,
    private readonly agenda: Agenda,
    private readonly events: EventBus,
    private readonly lifecycle: Lifecycle,
    private readonly grants: Grants,
    private readonly cancellations: PlannedCancellations,
    private readonly added: AddedItems,
    private readonly entitlements: OwnEntitlements,
  ) {}

  /**
   * Subscribes a customer: takes its lock, copies what the plan offers, and does everything due up to now, so that a
   * past start runs its boundaries in order before this returns.
   * @throws Problem 400 for what the plan doesn't sell or isn't supported yet, 404 for an unknown customer or plan.
   */
  async create(tx: Tx, body: CreateSubscriptionBody): Promise<Subscription> {
    const customer = await this.customers.resolveForUpdate(tx, body);
    const zone = body.customer_timezone ?? customer.timezone;
    const startDate = requestedStart(body, tx.now, zone);
    const offer = await this.plans.offer(tx, body.plan_id, {
      currency: body.currency,
      billingPeriod: body.billing_period,
      billingPeriodCount: body.billing_period_count ?? 1,
      at: startDate,
      trialDays: requestedTrialDays(body),
    });
    const trialDays = body.trial_end ? null : offer.trialDays || null;
    const trialEnd = requestedTrialEnd(body, startDate, zone, offer.trialDays);
    const endDate = requestedEnd(body, startDate);
    const subscription = tx.em.create(Subscription, {
      ...tx.scope,
      ...newSubscription(body, { customerId: customer.id, zone, startDate, trialDays, trialEnd, endDate }),
      id: newId('sub'),
      createdAt: tx.now,
      updatedAt: tx.now,
    });
    assertPayableAtStart(subscription, tx.now);
    const wanted = withEntitlements(offer, body.override_entitlements ?? []);
    const { items, grants } = copyOffer(tx, subscription, wanted, startDate);
    this.entitlements.copy(tx, subscription, wanted);
    for (const grant of body.credit_grants ?? []) grants.push(agreedGrant(tx, subscription, grant));
    overrideItems(items, body.override_line_items ?? []);
    items.push(...(await this.added.items(tx, subscription, body.line_items ?? [], items)));
    assertCommittable(subscription, items);
    await commitItems(items, body.line_item_commitments, subscription);
    await tx.em.flush();
    const waits = subscription.awaitsActivation;
    if (!waits) await this.agree(tx, subscription, grants);
    const status = waits || startDate > tx.now ? 'draft' : statusAtStart(subscription);
    await this.events.publish(tx, subscriptionCreated, { ...named(subscription), status });
    await this.agenda.catchUp(tx, customer.id);
    return subscription;
  }

  /**
   * Starts a draft that waits for it, at `startDate`: its trial and its periods count from there.
   * @throws Problem 400 for a date too far back, or not before its end; 404; 409 unless it is a draft that waits.
   */
  async activate(tx: Tx, id: string, startDate: string | null): Promise<Subscription> {
    const subscription = await this.claim(tx, id);
    const { status, customerTimezone: zone, trialDays, endDate } = subscription;
    if (!subscription.awaitsActivation || status !== 'draft') {
      throw Problem.state(`a subscription that is ${status} starts by itself, or has started`, status);
    }
    const start = requestedStart({ start_date: startDate }, tx.now, zone);
    for (const end of [endDate, trialDays ? null : subscription.trialEnd]) {
      if (end && end <= start) throw Problem.invalid('start_date', `must lie before ${end.toISOString()}`);
    }
    tx.em.assign(subscription, { awaitsActivation: false, startDate: start, updatedAt: tx.now });
    if (trialDays) subscription.trialEnd = addDuration(start, 'DAY', trialDays, zone);
    subscription.billingAnchor = paidTimeOf(timeOf(subscription)).anchor;
    for (const item of await this.lineItems(tx, id)) tx.em.assign(item, { startDate: start, feeFrom: start });
    await tx.em.flush();
    await this.agree(tx, subscription, await this.grants.current(tx, id));
    await this.agenda.catchUp(tx, subscription.customerId);
    return subscription;
  }

  /** Puts on the agenda what a subscription does by itself. */
  private async agree(tx: Tx, subscription: Subscription, grants: readonly SubscriptionGrant[]): Promise<void> {
    const { customerId, id: subjectId, startDate, endDate } = subscription;
    await this.agenda.schedule(tx, { customerId, subjectId, kind: 'subscription.start', dueAt: startDate });
    if (endDate) await this.cancellations.endAt(tx, subscription, endDate);
    await this.grants.begin(tx, subscription, grants);
  }

  /**
   * Cancels at once (the period ends now) or at the end of the current period. `lastPeriod` is the one an immediate
   * cancellation closed; its final invoice is drafted by whoever hears `subscription.cancelled`.
   * @throws Problem 404; 409 when it is cancelled already, or a draft (which has no period) shall end with its period.
   */
  async cancel(
    tx: Tx,
    id: string,
    { type, finalInvoice, reason, prorated }: Cancellation,
  ): Promise<{ subscription: Subscription; lastPeriod: Period | null; effectiveAt: Date }> {
    const subscription = await this.claim(tx, id);
    const cancelProrated = prorated ?? isProrated(subscription);
    tx.em.assign(subscription, { finalInvoice, cancelProrated, cancelReason: reason, updatedAt: tx.now });
    if (type === 'immediate') {
      tx.em.assign(subscription, { cancelAt: null, cancelAtPeriodEnd: false });
      const lastPeriod = await this.lifecycle.end(tx, subscription, tx.now);
      return { subscription, lastPeriod, effectiveAt: tx.now };
    }
    const effectiveAt = await this.cancellations.plan(tx, subscription, endOfPeriod(subscription), type);
    return { subscription, lastPeriod: null, effectiveAt };
  }

  /** Its first invoice is paid, or it asks for nothing: paid time counts, and what has waited for it is given. */
  async complete(tx: Tx, id: string): Promise<void> {
    await this.lifecycle.recover(tx, await this.get(tx, id));
  }

  /** Changes texts, or plans, moves or withdraws a cancellation. @throws Problem 400, 404, 409 when it is cancelled. */
  async update(tx: Tx, id: string, body: UpdateSubscriptionBody): Promise<Subscription> {
    const subscription = await this.claim(tx, id);
    const { lookup_key: lookupKey, metadata, cancel_at: cancelAt, cancel_at_period_end: atPeriodEnd } = body;
    if (lookupKey !== undefined) subscription.lookupKey = lookupKey;
    if (metadata !== undefined) subscription.metadata = metadata ?? {};
    subscription.updatedAt = tx.now;
    if (cancelAt || typeof atPeriodEnd === 'boolean') await this.changeCancellation(tx, subscription, body);
    await tx.em.flush();
    return subscription;
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Subscription> {
    const subscription = await loaded(tx, Subscription, id);
    if (!subscription) throw Problem.notFound('subscription', id);
    return subscription;
  }

  /** Those of the ids that exist. */
  find(tx: Tx, ids: readonly string[]): Promise<Subscription[]> {
    return tx.em.find(Subscription, { environmentId: tx.scope.environmentId, id: { $in: [...ids] } });
  }

  /** Those of a customer that one period follows another in, the one that started first first. */
  running(tx: Tx, customerId: string): Promise<Subscription[]> {
    return tx.em.find(
      Subscription,
      { environmentId: tx.scope.environmentId, customerId, status: { $in: [...RUNNING_STATUSES] } },
      { orderBy: [{ startDate: 'asc' }, { id: 'asc' }] },
    );
  }

  async search(tx: Tx, query: SubscriptionSearchBody): Promise<[Subscription[], number]> {
    const externalId = query.external_customer_id;
    const customer = externalId ? await this.customers.byExternalId(tx, externalId) : null;
    if (externalId && !customer) return [[], 0];
    const where = { environmentId: tx.scope.environmentId, ...matching(query), ...createdWithin(query) };
    const page = pageOptions(query);
    return tx.em.findAndCount(Subscription, customer ? { $and: [where, { customerId: customer.id }] } : where, page);
  }

  /** @throws Problem 404. */
  async period(tx: Tx, periodId: string): Promise<Period> {
    const period = await loaded(tx, Period, periodId);
    if (!period) throw Problem.notFound('period', periodId);
    return period;
  }

  /** All periods there have been, oldest first. */
  periods(tx: Tx, subscriptionId: string): Promise<Period[]> {
    const where = { environmentId: tx.scope.environmentId, subscriptionId };
    return tx.em.find(Period, where, { orderBy: { number: 'asc' } });
  }

  /** All line items, ended ones too, fees first. */
  lineItems(tx: Tx, subscriptionId: string): Promise<LineItem[]> {
    return tx.em.find(LineItem, { environmentId: tx.scope.environmentId, subscriptionId }, { orderBy: ITEM_ORDER });
  }

  /** As `lineItems`, with what invoices need of them. */
  billedItems(tx: Tx, subscriptionId: string): Promise<BilledItem[]> {
    return billedItemsOf(tx, subscriptionId);
  }

  /** What the views show beside the subscriptions themselves, by subscription, in few queries. */
  async relations(
    tx: Tx,
    subscriptions: readonly Subscription[],
    { withLineItems }: { withLineItems: boolean } = { withLineItems: true },
  ): Promise<Map<string, SubscriptionRelations>> {
    const customers = await this.customers.find(tx, distinct(subscriptions.map(({ customerId }) => customerId)));
    const plans = await this.plans.find(tx, distinct(subscriptions.map(({ planId }) => planId)));
    return relationsOf(tx, subscriptions, { customers, plans, withLineItems });
  }

  /** For the hot path, in one query: the usage items of these customers that count at some time in `[from, to]`. */
  usageItems(tx: Tx, customerIds: readonly string[], from: Date, to: Date): Promise<UsageItem[]> {
    return usageItemsOf(tx, customerIds, from, to);
  }

  /** The chains in which usage items stand (`UsageItem.chained`), in one query. */
  usageChains(tx: Tx, items: readonly UsageItem[]): Promise<UsageItem[]> {
    return usageChainsOf(tx, items);
  }

  /** Takes the customer's lock, does what is due for it, and only then reads. @throws Problem 404. */
  async claim(tx: Tx, id: string): Promise<Subscription> {
    const found = await sql<{ customer_id: string }>`
      select customer_id from subscription
      where environment_id = ${tx.scope.environmentId} and id = ${id}`.execute(tx.db);
    const customerId = found.rows[0]?.customer_id;
    if (!customerId) throw Problem.notFound('subscription', id);
    await this.customers.lock(tx, [customerId]);
    await this.agenda.catchUp(tx, customerId);
    // Anew: what was loaded before the lock may have changed.
    const [subscription] = await this.find(tx, [id]);
    return subscription!;
  }

  private async changeCancellation(tx: Tx, subscription: Subscription, body: UpdateSubscriptionBody): Promise<void> {
    const { cancel_at: cancelAt, cancel_at_period_end: atPeriodEnd } = body;
    if (cancelAt && atPeriodEnd) throw Problem.invalid('cancel_at', 'and cancel_at_period_end exclude each other');
    if (subscription.status === 'cancelled') throw Problem.state('the subscription is cancelled', 'cancelled');
    if (!cancelAt && !atPeriodEnd) return this.cancellations.withdraw(tx, subscription);
    const at = cancelAt ? new Date(cancelAt) : endOfPeriod(subscription);
    if (at <= tx.now) throw Problem.invalid('cancel_at', `must lie after ${tx.now.toISOString()}`);
    await this.cancellations.plan(tx, subscription, at, cancelAt ? 'scheduled_date' : 'end_of_period');
  }
}

const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];

const statusAtStart = (subscription: Subscription) =>
  subscription.trialEnd ? 'trialing' : startsIncomplete(subscription) ? 'incomplete' : 'active';

/** @throws Problem 409 when it has no current period. */
function endOfPeriod({ status, currentPeriodEnd }: Subscription): Date {
  if (isRunning(status) && currentPeriodEnd) return currentPeriodEnd;
  throw Problem.state(`a subscription that is ${status} has no current period to end with`, status);
}
