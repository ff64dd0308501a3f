import { text, type Decimal } from '@drawdown/billing-core';
import type { Scope, Tx } from '@drawdown/platform';
import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { IncomingEvent } from './incoming-event.js';
import type { Attribution, UnbilledReason } from './usage-event.entity.js';

/** An event on its way into the database. */
export interface NewEvent {
  readonly key: string;
  readonly eventId: string;
  readonly content: IncomingEvent;
  readonly contentHash: Buffer;
  /** The time it counts by. */
  readonly at: Date;
}

/** What became of it. */
export interface Outcome {
  readonly customerId: string | null;
  readonly attribution: readonly Attribution[];
  readonly creditsBurned: Decimal;
  readonly reason: UnbilledReason | null;
}

/** Name of the constraint that lets an id in only once. */
export const EVENT_KEY = 'usage_event_pkey';

/** The first 16 bytes of SHA-256 over environment and event id, as a uuid. */
export function eventKey({ environmentId }: Scope, eventId: string): string {
  const hex = hash('sha256', `${environmentId}\n${eventId}`, 'hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/**
 * Over what the event says, as it was given: the same event sent again has the same hash whatever the order of its
 * properties, the spelling of its time, or a number sent as text.
 */
export function contentHash(event: IncomingEvent): Buffer {
  const said = [
    event.event_name,
    event.customer_id,
    event.external_customer_id,
    event.timestamp && new Date(event.timestamp).toISOString(),
    event.source,
    Object.entries(event.properties)
      .map(([key, value]) => [key, String(value)])
      .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
  ];
  return hash('sha256', JSON.stringify(said), 'buffer');
}

/** Those of the keys that are taken, with the hash of their content. */
export async function storedHashes(tx: Tx, keys: readonly string[]): Promise<Map<string, Buffer>> {
  const found = await sql<{ key: string; content_hash: Buffer }>`
    select key, content_hash from usage_event where key = any(${[...keys]}::uuid[])`.execute(tx.db);
  return new Map(found.rows.map((row) => [row.key, row.content_hash]));
}

/** In the order of arrival. One statement. */
export async function insertEvents(
  tx: Tx,
  batchId: string,
  events: readonly { readonly event: NewEvent; readonly outcome: Outcome }[],
): Promise<void> {
  const rows = events.map(({ event, outcome }) => ({
    key: event.key,
    event_id: event.eventId,
    event_name: event.content.event_name,
    customer_id: outcome.customerId,
    external_customer_id: event.content.external_customer_id,
    at: event.at.toISOString(),
    source: event.content.source,
    properties: event.content.properties,
    content_hash: `\\x${event.contentHash.toString('hex')}`,
    attribution: outcome.attribution,
    credits_burned: text(outcome.creditsBurned),
    reason: outcome.reason,
  }));
  await sql`
    insert into usage_event (
      key, tenant_id, environment_id, event_id, event_name, customer_id, external_customer_id, at, source, properties,
      content_hash, batch_id, attribution, credits_burned, reason, received_at)
    select key, ${tx.scope.tenantId}, ${tx.scope.environmentId}, event_id, event_name, customer_id,
           external_customer_id, at, source, properties, content_hash, ${batchId}, attribution, credits_burned, reason,
           ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) e(
      key uuid, event_id text, event_name text, customer_id text, external_customer_id text, at timestamptz,
      source text, properties jsonb, content_hash bytea, attribution jsonb, credits_burned numeric, reason text)`.execute(
    tx.db,
  );
}
