import { type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { LineItem } from './line-item.entity.js';
import type { Period } from './period.entity.js';
import type { Subscription } from './subscription.entity.js';
import type { CreateSubscriptionBody, SubscriptionSearchBody } from './subscriptions.dto.js';
import type { SubscriptionRelations } from './subscription.view.js';
import type { UsageItem } from './usage-items.js';

export interface Cancellation {
  readonly type: 'immediate' | 'end_of_period';
  readonly finalInvoice: boolean;
  readonly reason: string | null;
}

@Injectable()
export class SubscriptionsService {
  /**
   * Subscribes a customer: takes its lock, copies what the plan offers, and does everything due up to now, so that a
   * past start runs its boundaries in order before this returns.
   * @throws Problem 400 for what the plan doesn't sell or isn't supported yet, 404 for an unknown customer or plan.
   */
  async create(_tx: Tx, _body: CreateSubscriptionBody): Promise<Subscription> {
    throw new Error('being written');
  }

  /**
   * Cancels at once (the period ends now) or at the end of the current period. `lastPeriod` is the one an immediate
   * cancellation closed; its final invoice is drafted by whoever hears `subscription.cancelled`.
   * @throws Problem 404; 409 when it is cancelled already, or a draft (which has no period) shall end with its period.
   */
  async cancel(
    _tx: Tx,
    _id: string,
    _cancellation: Cancellation,
  ): Promise<{ subscription: Subscription; lastPeriod: Period | null; effectiveAt: Date }> {
    throw new Error('being written');
  }

  /** @throws Problem 404. */
  async get(_tx: Tx, _id: string): Promise<Subscription> {
    throw new Error('being written');
  }

  /** Those of the ids that exist. */
  async find(_tx: Tx, _ids: readonly string[]): Promise<Subscription[]> {
    throw new Error('being written');
  }

  async search(_tx: Tx, _query: SubscriptionSearchBody): Promise<[Subscription[], number]> {
    throw new Error('being written');
  }

  /** @throws Problem 404. */
  async period(_tx: Tx, _periodId: string): Promise<Period> {
    throw new Error('being written');
  }

  /** The open period; null for a draft or after a cancellation. */
  async currentPeriod(_tx: Tx, _subscriptionId: string): Promise<Period | null> {
    throw new Error('being written');
  }

  /** All line items, ended ones too, in the order they were made. */
  async lineItems(_tx: Tx, _subscriptionId: string): Promise<LineItem[]> {
    throw new Error('being written');
  }

  /** What `subscriptionView` shows beside the rows themselves, for each of the subscriptions, in few queries. */
  async relations(_tx: Tx, _subscriptions: readonly Subscription[]): Promise<Map<string, SubscriptionRelations>> {
    throw new Error('being written');
  }

  /** For the hot path, in one query: the usage items of these customers in every period that meets `[from, to]`. */
  async usageItems(_tx: Tx, _customerIds: readonly string[], _from: Date, _to: Date): Promise<UsageItem[]> {
    throw new Error('being written');
  }
}
