import { Agenda, newId, type Tx } from '@drawdown/platform';
import { SubscriptionsService, type UsageItem } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { UsageBurner } from './usage-burner.js';

const HOUR_MS = 3_600_000;

interface OpenPeriod {
  readonly customerId: string;
  readonly periodId: string;
  readonly start: Date;
}

/**
 * Usage that costs without an event: levels accrue with time, and what goes on from one period to the next burns as it
 * opens (MEANING "Usage and accrual": "accrued by each event, hourly, at authorize and at close").
 */
@Injectable()
export class UsageSettlement {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
    private readonly agenda: Agenda,
  ) {}

  /** Opens what a period inherits after the grants of the same instant, so that they can pay it. */
  async begin(tx: Tx, period: OpenPeriod): Promise<void> {
    const items = await this.itemsOf(tx, period, period.start);
    if (items.length > 0) await this.schedule(tx, period, period.start);
  }

  /**
   * Due work `usage.accrue`, its subject the period. Goes on hourly while credits may be drawn: without any nothing is
   * lost by waiting, and credits that come are told (`creditsCame`). Hours of a past that is caught up are passed at once.
   */
  async fallDue(tx: Tx, period: OpenPeriod, at: Date): Promise<void> {
    const items = await this.itemsOf(tx, period, at);
    const [item] = items;
    if (!item?.period.open) return;
    const credits = await this.settle(tx, items, at);
    if (credits && items.some(isLevel)) await this.schedule(tx, period, this.nextHour(tx, item, at));
  }

  /** To the period's end, or where a cancellation has cut it. */
  async close(tx: Tx, period: OpenPeriod, end: Date): Promise<void> {
    const items = await this.itemsOf(tx, period, new Date(end.getTime() - 1));
    if (items.length > 0) await this.settle(tx, items, end);
    await this.agenda.cancel(tx, 'usage.accrue', period.periodId);
  }

  /** Levels of the customer's open periods accrue until `at` before new credits pay what is short. */
  async levels(tx: Tx, customerId: string, currency: string, at: Date): Promise<UsageItem[]> {
    const items = await this.subscriptions.usageItems(tx, [customerId], at, at);
    const levels = items.filter((item) => isLevel(item) && item.period.open && item.currency === currency);
    for (const item of levels) {
      await this.schedule(
        tx,
        { ...item, periodId: item.period.id, start: item.period.start },
        this.nextHour(tx, item, at),
      );
    }
    return levels;
  }

  private async settle(tx: Tx, items: readonly UsageItem[], at: Date): Promise<boolean> {
    const { customerId, currency } = items[0]!;
    const fold = await this.burner.open(tx, [customerId], items);
    fold.settle(at);
    await this.burner.record(tx, fold, { type: 'usage_batch', id: newId('batch') });
    return fold.coverage.hasCredits(customerId, currency);
  }

  /** Those of the period that cost without an event; up to `until` all that have begun. */
  private async itemsOf(tx: Tx, { customerId, periodId, start }: OpenPeriod, until: Date): Promise<UsageItem[]> {
    const items = await this.subscriptions.usageItems(tx, [customerId], start, until);
    return items.filter((item) => item.period.id === periodId && (item.chained || isLevel(item)));
  }

  private schedule(tx: Tx, { customerId, periodId: subjectId }: OpenPeriod, dueAt: Date): Promise<void> {
    return this.agenda.schedule(tx, { kind: 'usage.accrue', customerId, subjectId, dueAt });
  }

  private nextHour(tx: Tx, { period: { start } }: UsageItem, at: Date): Date {
    const from = Math.max(at.getTime(), tx.now.getTime());
    return new Date(start.getTime() + (Math.floor((from - start.getTime()) / HOUR_MS) + 1) * HOUR_MS);
  }
}

const isLevel = (item: UsageItem): boolean => item.rule.meter.aggregation.type === 'WEIGHTED_SUM';
