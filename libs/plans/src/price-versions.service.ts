import { newId, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { firstVersionOf, Price } from './price.entity.js';
import { changedTerms } from './price.rules.js';
import type { UpdatePriceBody } from './prices.dto.js';

/**
 * The versions of a price: each is offered until the next begins. What was finalized is never rewritten: a version begins
 * now or later, and line items keep the copy they were made with until a sync.
 */
@Injectable()
export class PriceVersions {
  /**
   * Ends the price where the new version begins; that one is offered as long as the old one would have been.
   * @throws Problem 400 for an `effective_from` in the past or outside the time in which the price is offered (versions
   * would overlap), or for a price that makes no sense.
   */
  async begin(tx: Tx, before: Price, body: UpdatePriceBody): Promise<Price> {
    const from = body.effective_from ? new Date(body.effective_from) : tx.now;
    assertBegins(tx, before, from);
    const terms = changedTerms(before, body);
    const { endDate = null } = before;
    tx.em.assign(before, { endDate: from, superseded: true, updatedAt: tx.now });
    if (from <= tx.now) before.status = 'archived';
    await tx.em.flush();
    const {
      planId,
      type,
      billingCadence,
      billingPeriod,
      billingPeriodCount,
      invoiceCadence,
      currency,
      trialPeriodDays,
    } = before;
    return tx.em.create(Price, {
      id: newId('price'),
      ...tx.scope,
      createdAt: tx.now,
      updatedAt: tx.now,
      status: 'published',
      planId,
      subscriptionId: null,
      type,
      billingCadence,
      billingPeriod,
      billingPeriodCount,
      invoiceCadence,
      currency,
      meterId: before.meterId ?? null,
      trialPeriodDays,
      lookupKey: before.lookupKey ?? null,
      displayName: before.displayName ?? null,
      description: before.description ?? null,
      metadata: before.metadata,
      ...terms,
      parentPriceId: firstVersionOf(before),
      superseded: false,
      startDate: from,
      endDate,
    });
  }
}

function assertBegins(tx: Tx, { startDate, endDate }: Price, from: Date): void {
  if (from < tx.now) throw Problem.invalid('effective_from', `must not lie before ${tx.now.toISOString()}`);
  const wrong = (startDate && from <= startDate) || (endDate && from >= endDate);
  if (!wrong) return;
  const span = `${startDate?.toISOString() ?? 'ever'} to ${endDate?.toISOString() ?? 'ever'}`;
  throw Problem.invalid(
    'effective_from',
    `must lie within the time the price is offered, ${span}: versions don't overlap`,
  );
}
