import { itemsChanged } from '@drawdown/contracts';
import { Agenda, EventBus, newId, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { named } from './lifecycle.service.js';
import { familyOf, LineItem } from './line-item.entity.js';
import type { Period } from './period.entity.js';
import type { Subscription } from './subscription.entity.js';

interface ItemChange {
  readonly ended: readonly LineItem[];
  readonly begun: readonly LineItem[];
  readonly at: Date;
  /** The open period in which fees go over; null where the change opens one of its own, and in a pause. */
  readonly period: Period | null;
  readonly prorated: boolean;
}

/** Line items that end and begin at one instant (MEANING "Periods": "the change instant belongs to the new side only"). */
@Injectable()
export class ItemChanges {
  constructor(
    private readonly agenda: Agenda,
    private readonly events: EventBus,
  ) {}

  /** Without proration what ended is paid for to the end of its period, and what began from there on. */
  async apply(tx: Tx, subscription: Subscription, change: ItemChange): Promise<void> {
    const { ended, begun, at, period, prorated } = change;
    const inside = period?.kind === 'paid' && at < period.endAt;
    const feeTurn = inside && !prorated ? period.endAt : at;
    const paid = inside && prorated ? await paidAhead(tx, subscription, ended, at) : [];
    for (const item of paid) tx.em.assign(item, { feeUntil: at, updatedAt: tx.now });
    for (const item of ended) {
      const feeUntil = item.once ? (item.feeUntil ?? null) : period ? feeTurn : null;
      tx.em.assign(item, { endDate: at, feeUntil, updatedAt: tx.now });
    }
    for (const item of begun) {
      const charged = item.once && inside && prorated;
      tx.em.assign(item, { startDate: at, feeFrom: feeTurn, feeUntil: charged ? at : null });
    }
    for (const { id } of [...ended, ...begun]) await this.agenda.cancel(tx, 'line_item.change', id);
    for (const { id, customerId, endDate } of begun) {
      if (endDate)
        await this.agenda.schedule(tx, { kind: 'line_item.change', customerId, subjectId: id, dueAt: endDate });
    }
    await this.events.publish(tx, itemsChanged, {
      ...named(subscription),
      change_id: newId('change'),
      at: at.toISOString(),
      period_id: period?.id ?? null,
      ended: [...ended, ...paid].map(({ id }) => id),
      begun: begun.map(({ id }) => id),
      prorated,
    });
  }

  /** Those that run at `at`; of the others, which never began, nothing is left. */
  withoutUpcoming(items: readonly LineItem[], at: Date): LineItem[] {
    for (const item of items.filter(({ startDate }) => startDate > at)) item.endDate = item.startDate;
    return items.filter(({ startDate }) => startDate <= at);
  }

  /** A change that was agreed for `at` happens at that instant. */
  async plan(tx: Tx, { id: subjectId, customerId }: LineItem, at: Date): Promise<void> {
    await this.agenda.schedule(tx, { kind: 'line_item.change', customerId, subjectId, dueAt: at });
  }
}

/**
 * Fees that were paid for time from `at` on, of items whose successors end now before they owe anything: a change
 * without proration had left them paid to the period's end. Those of one change go together, else by their price.
 */
async function paidAhead(
  tx: Tx,
  { id: subscriptionId }: Subscription,
  ended: readonly LineItem[],
  at: Date,
): Promise<LineItem[]> {
  const early = ended.filter((item) => isRecurringFee(item) && item.feeFrom > at);
  if (early.length === 0) return [];
  const fees = (await tx.em.find(LineItem, { environmentId: tx.scope.environmentId, subscriptionId })).filter(
    isRecurringFee,
  );
  return fees.filter((before) => {
    const { endDate, feeUntil } = before;
    if (!endDate || !feeUntil || feeUntil <= at) return false;
    const begunThen = fees.filter(({ startDate, feeFrom }) => +startDate === +endDate && feeFrom > at);
    const endedNow = begunThen.filter((item) => early.includes(item));
    return (
      endedNow.length > 0 &&
      (endedNow.length === begunThen.length || endedNow.some((item) => familyOf(item) === familyOf(before)))
    );
  });
}

const isRecurringFee = ({ priceType, invoiceCadence, once }: LineItem): boolean =>
  priceType === 'FIXED' && invoiceCadence === 'ADVANCE' && !once;
