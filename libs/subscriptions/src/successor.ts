import { newId, type Tx } from '@drawdown/platform';
import { LineItem } from './line-item.entity.js';

/** The item that takes the place of another at an instant, as yet with the same terms. */
export const successorOf = (tx: Tx, item: LineItem, at: Date): LineItem =>
  tx.em.create(LineItem, {
    id: newId('item'),
    tenantId: item.tenantId,
    environmentId: item.environmentId,
    subscriptionId: item.subscriptionId,
    customerId: item.customerId,
    planId: item.planId ?? null,
    planDisplayName: item.planDisplayName ?? null,
    priceId: item.priceId,
    priceType: item.priceType,
    displayName: item.displayName,
    currency: item.currency,
    billingPeriod: item.billingPeriod,
    billingPeriodCount: item.billingPeriodCount,
    invoiceCadence: item.invoiceCadence,
    once: item.once,
    quantity: item.quantity,
    meterId: item.meterId ?? null,
    meterDisplayName: item.meterDisplayName ?? null,
    price: item.price,
    rule: item.rule,
    commitment: item.commitment ?? null,
    metadata: item.metadata,
    startDate: at,
    endDate: item.endDate ?? null,
    feeFrom: at,
    feeUntil: null,
    createdAt: tx.now,
    updatedAt: tx.now,
  });
