import { Problem, type Tx } from '@drawdown/platform';
import { changesMoney } from '@drawdown/plans';
import { Injectable } from '@nestjs/common';
import { AddedItems } from './added-items.service.js';
import { changedCommitment, commit, commits, keepCommitment } from './item-commitment.js';
import { ItemChanges } from './item-changes.service.js';
import { isProrated } from './lifecycle.service.js';
import { openPeriodOf } from './period-store.js';
import { LineItem } from './line-item.entity.js';
import type { CreateLineItemBody, EndLineItemBody, UpdateLineItemBody } from './line-items.dto.js';
import { override } from './override.js';
import { successorOf } from './successor.js';
import { isRunning } from './subscription-status.js';
import type { Subscription } from './subscription.entity.js';
import { SubscriptionsService } from './subscriptions.service.js';

/**
 * Line items of a running subscription: added, changed and ended, now or at an instant ahead. Their fees go over by the
 * second when the subscription is prorated, else with the next period.
 */
@Injectable()
export class LineItems {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly added: AddedItems,
    private readonly changes: ItemChanges,
  ) {}

  /** @throws Problem 400 for a price that can't stand beside the others, 404, 409 unless the subscription is running. */
  async add(tx: Tx, subscriptionId: string, body: CreateLineItemBody): Promise<LineItem> {
    const subscription = await this.claim(tx, subscriptionId);
    const at = instantOf(body.start_date, 'start_date', tx.now);
    const endDate = body.end_date ? new Date(body.end_date) : null;
    if (endDate && endDate <= at) throw Problem.invalid('end_date', `must lie after ${at.toISOString()}`);
    const beside = await this.subscriptions.lineItems(tx, subscriptionId);
    const item = await this.added.item(tx, subscription, { body, at, endDate, beside });
    await tx.em.flush();
    await this.happen(tx, subscription, { ended: [], begun: [item], at });
    return item;
  }

  /** Ends the item and begins it anew with other terms; texts alone change in place. @throws Problem 400, 404, 409. */
  async change(tx: Tx, itemId: string, body: UpdateLineItemBody): Promise<LineItem> {
    const { item, subscription } = await this.claimItem(tx, itemId);
    if (body.metadata) tx.em.assign(item, { metadata: body.metadata, updatedAt: tx.now });
    const { commitment = null } = item;
    if (!changesMoney(body) && !body.quantity && !commits(body, commitment)) return item;
    if (item.once) throw Problem.state('a fee that is asked once stays as it is: end it, and add another', 'once');
    const at = instantOf(body.effective_from, 'effective_from', tx.now);
    assertRunsAt(item, at);
    const next = successorOf(tx, item, at);
    override(next, body);
    if (commits(body, commitment)) commit(next, changedCommitment(body, commitment), subscription);
    else keepCommitment(next, item);
    item.endDate = at;
    await tx.em.flush();
    await this.happen(tx, subscription, { ended: [item], begun: [next], at });
    return next;
  }

  /** @throws Problem 400, 404, 409. */
  async end(tx: Tx, itemId: string, body: EndLineItemBody): Promise<LineItem> {
    const { item, subscription } = await this.claimItem(tx, itemId);
    const at = instantOf(body.effective_from ?? body.end_date, 'effective_from', tx.now);
    assertRunsAt(item, at);
    item.endDate = at;
    await tx.em.flush();
    await this.happen(tx, subscription, { ended: [item], begun: [], at });
    return item;
  }

  /** Due work `line_item.change`: everything of the subscription that ends or begins at the instant. */
  async fallDue(tx: Tx, itemId: string, at: Date): Promise<void> {
    const { subscriptionId } = await this.get(tx, itemId);
    const subscription = await this.subscriptions.get(tx, subscriptionId);
    const items = await this.subscriptions.lineItems(tx, subscriptionId);
    const same = (date: Date | null | undefined) => date?.getTime() === at.getTime();
    await this.changes.apply(tx, subscription, {
      ended: items.filter((item) => same(item.endDate) && item.startDate < at && !item.feeUntil),
      begun: items.filter((item) => same(item.startDate) && (!item.endDate || item.endDate > at)),
      at,
      period: await openPeriodOf(tx, subscriptionId),
      prorated: isProrated(subscription),
    });
  }

  private async happen(
    tx: Tx,
    subscription: Subscription,
    { ended, begun, at }: { readonly ended: LineItem[]; readonly begun: LineItem[]; readonly at: Date },
  ): Promise<void> {
    if (at > tx.now) return this.changes.plan(tx, [...begun, ...ended][0]!, at);
    const period = await openPeriodOf(tx, subscription.id);
    await this.changes.apply(tx, subscription, { ended, begun, at, period, prorated: isProrated(subscription) });
  }

  private async claimItem(tx: Tx, itemId: string): Promise<{ item: LineItem; subscription: Subscription }> {
    const { subscriptionId } = await this.get(tx, itemId);
    const subscription = await this.claim(tx, subscriptionId);
    return { item: await this.get(tx, itemId), subscription };
  }

  private async get(tx: Tx, id: string): Promise<LineItem> {
    const where = { environmentId: tx.scope.environmentId, id };
    const item = await tx.em.findOne(LineItem, where, { refresh: true });
    if (!item) throw Problem.notFound('line item', id);
    return item;
  }

  private async claim(tx: Tx, id: string): Promise<Subscription> {
    const subscription = await this.subscriptions.claim(tx, id);
    const { status } = subscription;
    if (!isRunning(status)) throw Problem.state(`the line items of a ${status} subscription can't change`, status);
    return subscription;
  }
}

/** @throws Problem 400 for the past. */
function instantOf(asked: string | null | undefined, field: string, now: Date): Date {
  const at = asked ? new Date(asked) : now;
  if (at < now) throw Problem.invalid(field, `must not lie before ${now.toISOString()}`);
  return at;
}

/** @throws Problem 409 for an item that has ended by then, or not begun. */
function assertRunsAt({ startDate, endDate }: LineItem, at: Date): void {
  if (endDate && endDate <= at) throw Problem.state(`the line item ends at ${endDate.toISOString()}`, 'ended');
  if (startDate > at) throw Problem.state(`the line item begins at ${startDate.toISOString()}`, 'upcoming');
}
