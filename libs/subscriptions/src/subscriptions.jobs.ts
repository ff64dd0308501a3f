import type { DueWork } from '@drawdown/contracts';
import { Due, loaded, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Grants } from './grants.service.js';
import { Lifecycle } from './lifecycle.service.js';
import { LineItems } from './line-items.service.js';
import { Pauses } from './pauses.service.js';
import { PlanChanges } from './plan-changes.service.js';
import { PriceSync } from './price-sync.service.js';
import { Subscription } from './subscription.entity.js';

/**
 * What falls due for subscriptions. The subject is the subscription, of `grant.give` the application,
 * of `plan.change` the schedule, of `line_item.change` the line item.
 */
@Injectable()
export class SubscriptionsJobs {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly grants: Grants,
    private readonly planChanges: PlanChanges,
    private readonly items: LineItems,
    private readonly pauses: Pauses,
    private readonly sync: PriceSync,
  ) {}

  @Due('subscription.start')
  async start(tx: Tx, work: DueWork): Promise<void> {
    await this.lifecycle.start(tx, await subject(tx, work));
  }

  @Due('subscription.cancel')
  async cancel(tx: Tx, work: DueWork): Promise<void> {
    await this.lifecycle.end(tx, await subject(tx, work), work.dueAt);
  }

  @Due('subscription.pause')
  async pause(tx: Tx, work: DueWork): Promise<void> {
    await this.pauses.begin(tx, await subject(tx, work), work.dueAt);
  }

  @Due('subscription.resume')
  async resume(tx: Tx, work: DueWork): Promise<void> {
    await this.pauses.end(tx, await subject(tx, work), work.dueAt);
  }

  @Due('plan.change')
  async changePlan(tx: Tx, work: DueWork): Promise<void> {
    await this.planChanges.fallDue(tx, work.subjectId, work.dueAt);
  }

  @Due('line_item.change')
  async changeItems(tx: Tx, work: DueWork): Promise<void> {
    await this.items.fallDue(tx, work.subjectId, work.dueAt);
  }

  @Due('price.sync')
  async syncPrices(tx: Tx, work: DueWork): Promise<void> {
    await this.sync.fallDue(tx, await subject(tx, work), work.dueAt);
  }

  @Due('period.close')
  async closePeriod(tx: Tx, work: DueWork): Promise<void> {
    await this.lifecycle.close(tx, await subject(tx, work), work.dueAt);
  }

  @Due('period.open')
  async openPeriod(tx: Tx, work: DueWork): Promise<void> {
    await this.lifecycle.open(tx, await subject(tx, work), work.dueAt);
  }

  @Due('grant.give')
  async giveGrant(tx: Tx, work: DueWork): Promise<void> {
    await this.grants.fallDue(tx, work.subjectId);
  }
}

/** Work falls with its subject: there is none without. */
const subject = async (tx: Tx, work: DueWork): Promise<Subscription> =>
  (await loaded(tx, Subscription, work.subjectId))!;
