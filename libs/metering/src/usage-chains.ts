import type { UsageItem } from '@drawdown/subscriptions';

/**
 * Usage of one meter by one subscription through time: what an item's period begins with depends on those before it, and
 * usage that comes late in one of them changes those after it.
 */
export class UsageChains {
  private readonly chains: Map<string, UsageItem[]>;

  /** @param items in any order; an item cut in two by an older subscription counts once. */
  constructor(items: readonly UsageItem[]) {
    const whole = new Map(items.map((item) => [`${item.lineItemId} ${item.period.id}`, item]));
    this.chains = Map.groupBy(whole.values(), chainOf);
    for (const chain of this.chains.values()) chain.sort(byTime);
  }

  /** The items before it in its period, and all of the period before; oldest first. */
  before(item: UsageItem): { here: UsageItem[]; previous: UsageItem[] } {
    const earlier = this.of(item).filter((other) => byTime(other, item) < 0);
    const here = earlier.filter(({ period }) => period.id === item.period.id);
    const numbers = earlier.map(({ period }) => period.number).filter((number) => number < item.period.number);
    const last = Math.max(...numbers);
    return { here, previous: earlier.filter(({ period }) => period.number === last) };
  }

  /** All that begin after it, oldest first. */
  after(item: UsageItem): UsageItem[] {
    return this.of(item).filter((other) => byTime(other, item) > 0);
  }

  private of(item: UsageItem): UsageItem[] {
    return this.chains.get(chainOf(item)) ?? [];
  }
}

const chainOf = ({ subscriptionId, meterId }: UsageItem): string => `${subscriptionId} ${meterId}`;

const byTime = (a: UsageItem, b: UsageItem): number =>
  a.period.number - b.period.number ||
  a.rule.span!.start.getTime() - b.rule.span!.start.getTime() ||
  (a.lineItemId < b.lineItemId ? -1 : Number(a.lineItemId > b.lineItemId));
