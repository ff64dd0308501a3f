import { intersection, type Span } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import type { LineItem } from './line-item.entity.js';

type MeteredItem = Pick<LineItem, 'id' | 'meterId' | 'startDate' | 'endDate'>;

const FAR = new Date(8.64e15);

/**
 * A meter is priced once at a time in a subscription, or its usage would be charged twice; the items of a meter follow
 * one another. @throws Problem 400 naming the `field` that asks for `item`, and the item that is in its way.
 */
export function assertMeteredOnce(item: MeteredItem, others: readonly LineItem[], field: string): void {
  const other = others.find(
    (one) =>
      one.meterId && one.meterId === item.meterId && one.id !== item.id && intersection(spanOf(one), spanOf(item)),
  );
  if (!other) return;
  throw Problem.invalid(
    field,
    `prices ${other.meterDisplayName ?? 'a meter'}, as the line item ${other.id} does at that time: end that first`,
  );
}

const spanOf = ({ startDate: start, endDate }: MeteredItem): Span => ({ start, end: endDate ?? FAR });
