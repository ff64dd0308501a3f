import { capture, Decimal, emptyCover, mayPay, ONE, sum, ZERO } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { newId, Problem, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { HoldsService, WalletsService, type Hold } from '@drawdown/wallets';
import { Injectable } from '@nestjs/common';
import type { CaptureBody } from './credits.dto.js';
import { contentHash, eventKey, insertEvents, storedHashes, type NewEvent } from './event-store.js';
import { UsageBurner } from './usage-burner.js';

/** How holds end: captured with what was really used, released, expired (MEANING "Authorization and holds"). */
@Injectable()
export class HoldSettlement {
  constructor(
    private readonly holds: HoldsService,
    private readonly wallets: WalletsService,
    private readonly customers: CustomersService,
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
  ) {}

  /** @throws Problem 400, 404, 409 when the hold has ended or the event id is taken. */
  async capture(tx: Tx, id: string, body: CaptureBody): Promise<Hold> {
    const hold = await this.holds.claim(tx, id);
    if (hold.use) await this.captureUse(tx, hold, hold.use, body);
    else await this.captureCredits(tx, hold, body);
    return this.holds.get(tx, id);
  }

  /** @throws Problem 404, 409 when the hold has ended. */
  async release(tx: Tx, id: string): Promise<Hold> {
    const hold = await this.holds.claim(tx, id);
    await this.wallets.post(tx, [], await this.holds.end(tx, hold, { status: 'released' }));
    await this.payDown(tx, hold.customerId, hold.currency ? [hold.currency] : [], id);
    return this.holds.get(tx, id);
  }

  /** The customer's holds whose time is over. What they kept pays what is short, as it would have if never held. */
  async expire(tx: Tx, customerId: string): Promise<void> {
    await this.wallets.freeExpired(tx, [customerId]);
    const currencies = (await this.wallets.ofCustomer(tx, customerId)).map(({ currency }) => currency);
    await this.payDown(tx, customerId, [...new Set(currencies)], newId('free'));
  }

  private async payDown(tx: Tx, customerId: string, currencies: readonly string[], id: string): Promise<void> {
    const fold = await this.burner.open(tx, [customerId], []);
    for (const currency of currencies) fold.coverage.payDown(customerId, currency, tx.now);
    await this.burner.record(tx, fold, { type: 'pay_down', id });
  }

  /** Records the event at the hold's time, with what was really used. */
  private async captureUse(tx: Tx, hold: Hold, use: NonNullable<Hold['use']>, body: CaptureBody): Promise<void> {
    if (body.credits) throw Problem.invalid('credits', 'are of a hold of plain credits; say the properties of the use');
    const { customerId, createdAt: at } = hold;
    const [customer] = await this.customers.find(tx, [customerId]);
    const properties = (body.properties ?? use.properties) as Record<string, string | number | boolean>;
    const event = newEvent(tx, body.event_id ?? newId('event'), at, {
      event_name: use.eventName,
      customer_id: customerId,
      external_customer_id: customer!.externalId,
      properties,
    });
    if ((await storedHashes(tx, [event.key])).size > 0)
      throw Problem.exists('event_id', 'names an event that is stored');
    const items = await this.subscriptions.usageItems(tx, [customerId], at, at);
    const { fold, purses } = await this.burner.openWithPurses(tx, [customerId], items);
    const shortBefore = fold.shortfallOf(customerId);
    const folded = fold.capture(
      { customerId, eventName: use.eventName, at, properties },
      tx.now,
      purses.byCurrency(hold.parts),
    );
    const [bad] = folded.attribution.filter(({ reason }) => reason === 'bad_property');
    if (bad) throw Problem.invalid('properties', bad.problem ?? 'can’t be counted');
    const batchId = newId('batch');
    await insertEvents(tx, batchId, [{ event, outcome: { customerId, ...folded } }]);
    const shortfall = Decimal.max(fold.shortfallOf(customerId).minus(shortBefore), ZERO);
    const captured = { status: 'captured', eventId: event.eventId, shortfall } as const;
    const freed = await this.holds.end(tx, hold, { ...captured, creditsCaptured: folded.creditsBurned });
    await this.burner.record(tx, fold, { type: 'usage_batch', id: batchId }, freed);
  }

  /** As a manual debit: what it keeps first, more as far as there are credits. */
  private async captureCredits(tx: Tx, hold: Hold, body: CaptureBody): Promise<void> {
    if (body.properties) throw Problem.invalid('properties', 'are of a hold of a use');
    if (body.event_id) throw Problem.invalid('event_id', 'is of a hold of a use: plain credits record no event');
    const { id, customerId, currency, parts } = hold;
    const next = new Date(tx.now.getTime() + 1);
    const purses = await this.wallets.purses(tx, [customerId]);
    const usable = purses.lots(customerId, currency!).filter((lot) => mayPay(lot, tx.now, next));
    const wanted = new Decimal(body.credits ?? hold.credits);
    const { draws, cover } = capture(emptyCover(), wanted, parts, usable, ONE);
    const freed = await this.holds.end(tx, hold, {
      status: 'captured',
      eventId: null,
      creditsCaptured: cover.credits,
      shortfall: ZERO,
    });
    const debits = draws.map(({ lotId, credits }) => ({
      lotId,
      credits: credits.neg(),
      kind: 'debit' as const,
      cause: { type: 'hold' as const, id },
      key: `${id}:${lotId}`,
    }));
    await this.wallets.post(tx, debits, freed);
    if (cover.credits.lt(sum(parts.map(({ credits }) => credits)))) await this.payDown(tx, customerId, [currency!], id);
  }
}

function newEvent(
  tx: Tx,
  eventId: string,
  at: Date,
  said: Pick<NewEvent['content'], 'event_name' | 'customer_id' | 'external_customer_id' | 'properties'>,
): NewEvent {
  const content = { event_id: eventId, timestamp: at.toISOString(), source: null, ...said };
  return { key: eventKey(tx.scope, eventId), eventId, content, contentHash: contentHash(content), at };
}
