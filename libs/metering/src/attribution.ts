import type { UsageItem } from '@drawdown/subscriptions';
import type { Attribution, UnbilledReason } from './usage-event.entity.js';

/** Which item's use it is, and of which period. */
export const unattributed = (item: UsageItem) => ({
  subscription_id: item.subscriptionId,
  line_item_id: item.lineItemId,
  period_id: item.period.id,
  meter_id: item.meterId,
  currency: item.currency,
});

/** An event that an item matches and doesn't bill. */
export const unbilled = (item: UsageItem, reason: UnbilledReason): Attribution => ({
  ...unattributed(item),
  quantity: '0',
  free: '0',
  amount: '0',
  credits: '0',
  draws: [],
  reason,
});
