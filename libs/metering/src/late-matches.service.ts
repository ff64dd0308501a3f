import { text } from '@drawdown/billing-core';
import type { PayloadOf, periodOpened } from '@drawdown/contracts';
import { Agenda, newId, together, type SetTx, type Tx } from '@drawdown/platform';
import { SubscriptionsService } from '@drawdown/subscriptions';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { lockExternalIds } from './event-customers.js';
import type { Folded } from './fold.js';
import { UsageBurner } from './usage-burner.js';
import { UsagePeriod } from './usage-period.entity.js';

/** Events are retried this many at a time: a backlog doesn't have to fit into memory. */
const CHUNK = 1000;

interface UnmatchedRow {
  key: string;
  seq: string;
  event_name: string;
  at: string;
  properties: Record<string, string | number | boolean>;
}

/** Events that matched nothing when they came, tried again when what they waited for appears. */
@Injectable()
export class LateMatches {
  constructor(
    private readonly subscriptions: SubscriptionsService,
    private readonly burner: UsageBurner,
    private readonly agenda: Agenda,
  ) {}

  /** The events that waited for this external id are the customer's own, and are tried again in its periods, if it has any. */
  async claimFor(tx: Tx, customerId: string, externalId: string): Promise<void> {
    await lockExternalIds(tx, [externalId], 'exclusive');
    const claimed = await sql`
      update usage_event set customer_id = ${customerId}, reason = 'no_match'
      where environment_id = ${tx.scope.environmentId} and external_customer_id = ${externalId}
        and reason = 'unknown_customer'`.execute(tx.db);
    if (!claimed.numAffectedRows) return;
    const where = { environmentId: tx.scope.environmentId, customerId, settledAt: null };
    for (const { id: subjectId } of await tx.em.find(UsagePeriod, where)) {
      await this.agenda.schedule(tx, { kind: 'usage.retry', customerId, subjectId, dueAt: tx.now });
    }
  }

  /** What waited for a period burns after the grants of the instant at which it opens, so that they can pay it. */
  async scheduleRetry(tx: Tx, customerId: string, period: PayloadOf<typeof periodOpened>['period']): Promise<void> {
    const dueAt = new Date(period.start);
    const waiting = await together(tx, unmatched, {
      customerId,
      start: dueAt,
      end: new Date(period.end),
      after: '0',
    });
    if (waiting.length === 0) return;
    await this.agenda.schedule(tx, { kind: 'usage.retry', customerId, subjectId: period.period_id, dueAt });
  }

  /** Burns what waited for a period, in the order of arrival. */
  async retry(tx: Tx, customerId: string, periodId: string): Promise<void> {
    const { startAt: start, endAt: end } = await tx.em.findOneOrFail(UsagePeriod, {
      environmentId: tx.scope.environmentId,
      id: periodId,
    });
    for (let after = '0'; ;) {
      const waiting = await together(tx, unmatched, { customerId, start, end, after });
      if (waiting.length > 0) await this.retryChunk(tx, customerId, waiting);
      if (waiting.length < CHUNK) return;
      after = waiting.at(-1)!.seq;
    }
  }

  /** What is decided for an event of the past is decided as of its own time. */
  private async retryChunk(tx: Tx, customerId: string, waiting: readonly UnmatchedRow[]): Promise<void> {
    const times = waiting.map((row) => new Date(row.at).getTime());
    const [from, to] = [new Date(Math.min(...times)), new Date(Math.max(...times))];
    const items = await this.subscriptions.usageItems(tx, [customerId], from, to);
    const fold = await this.burner.open(tx, [customerId], items);
    const matched: { key: string; folded: Folded }[] = [];
    for (const row of waiting) {
      const at = new Date(row.at);
      const folded = fold.fold({ customerId, eventName: row.event_name, at, properties: row.properties }, at);
      if (folded.reason !== 'no_match') matched.push({ key: row.key, folded });
    }
    if (matched.length === 0) return;
    const batchId = newId('batch');
    await this.updateEvents(tx, batchId, matched);
    await this.burner.record(tx, fold, { type: 'usage_batch', id: batchId });
  }

  private async updateEvents(
    tx: Tx,
    batchId: string,
    matched: readonly { readonly key: string; readonly folded: Folded }[],
  ): Promise<void> {
    const rows = matched.map(({ key, folded }) => ({
      key,
      attribution: folded.attribution,
      credits_burned: text(folded.creditsBurned),
      reason: folded.reason,
    }));
    await sql`
      update usage_event e
      set attribution = m.attribution, credits_burned = m.credits_burned, reason = m.reason, batch_id = ${batchId}
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) m(
        key uuid, attribution jsonb, credits_burned numeric, reason text)
      where e.key = any(${rows.map(({ key }) => key)}::uuid[]) and e.key = m.key`.execute(tx.db);
  }
}

interface Waiting {
  readonly customerId: string;
  readonly start: Date;
  readonly end: Date;
  /** The `seq` of the last one that was read. */
  readonly after: string;
}

async function unmatched(tx: SetTx, asked: readonly Waiting[]): Promise<UnmatchedRow[][]> {
  const found = await sql<UnmatchedRow & { place: string }>`
    select a.place, e.*
    from unnest(${asked.map((one) => one.customerId)}::text[], ${asked.map((one) => one.start)}::timestamptz[],
                ${asked.map((one) => one.end)}::timestamptz[], ${asked.map((one) => one.after)}::bigint[])
      with ordinality a(customer_id, start_at, end_at, after, place)
    cross join lateral (
      select key, seq, event_name, at, properties from usage_event
      where environment_id = ${tx.scope.environmentId} and customer_id = a.customer_id and reason = 'no_match'
        and at >= a.start_at and at < a.end_at and seq > a.after
      order by seq limit ${CHUNK}) e
    order by a.place, e.seq`.execute(tx.db);
  const byPlace = Map.groupBy(found.rows, (row) => Number(row.place));
  return asked.map((_, n) => byPlace.get(n + 1) ?? []);
}
