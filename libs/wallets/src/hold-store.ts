import { Decimal, text, ZERO, type Draw, type HoldStatus, type Properties } from '@drawdown/billing-core';
import type { SetTx, Tx } from '@drawdown/platform';
import { sql, type RawBuilder } from 'kysely';
import type { Hold, NewHold, OpenUse, SettledHold } from './hold.js';
import type { HeldChange } from './movement.js';

/**
 * What unexpired holds keep of the lot `l`: its `held`, less what expired holds have not been freed of yet. Those are
 * found by their instant, mostly none: a lot may be kept by thousands of holds.
 */
export const heldAt = (now: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  case when l.held > 0 then l.held - coalesce((
    select sum(kept.credits) from hold_lot kept
    where kept.environment_id = l.environment_id and kept.lot_id = l.id and kept.hold_id = any(array(
      select over.id from hold over
      where over.environment_id = l.environment_id and over.customer_id = l.customer_id and over.status = 'open'
        and over.expires_at <= ${now}))), 0) else 0 end`;

export const heldNow = (tx: SetTx): RawBuilder<unknown> => heldAt(sql`${tx.now}`);

interface HoldRow {
  id: string;
  customer_id: string;
  currency: string | null;
  event_name: string | null;
  properties: Properties | null;
  parts: { lot_id: string; credits: string }[];
  credits: string;
  status: HoldStatus;
  idempotency_key: string | null;
  request_hash: Buffer;
  event_id: string | null;
  credits_captured: string;
  shortfall: string;
  created_at: string;
  expires_at: string;
  ended_at: string | null;
}

/** Holds `h` of the environment in the order they were made. */
export async function findHolds(tx: Tx, where: RawBuilder<unknown>, end: RawBuilder<unknown> = sql``): Promise<Hold[]> {
  const found = await sql<HoldRow>`
    select h.*, coalesce((
      select jsonb_agg(jsonb_build_object('lot_id', lot_id, 'credits', credits::text) order by place) from hold_lot
      where environment_id = h.environment_id and hold_id = h.id), '[]') parts
    from hold h where h.environment_id = ${tx.scope.environmentId} and ${where} ${end}`.execute(tx.db);
  return found.rows.map((row) => hold(row, tx.now));
}

/** The uses of the customers' open holds, in the order they were made. */
export async function findOpenUses(tx: Tx, customerIds: readonly string[]): Promise<OpenUse[]> {
  const found = await sql<{ customer_id: string; event_name: string; properties: Properties; created_at: string }>`
    select customer_id, event_name, properties, created_at from hold
    where environment_id = ${tx.scope.environmentId} and customer_id = any(${[...customerIds]}::text[])
      and status = 'open' and expires_at > ${tx.now} and event_name is not null
    order by created_at, id`.execute(tx.db);
  return found.rows.map((row) => ({
    customerId: row.customer_id,
    use: { eventName: row.event_name, properties: row.properties },
    at: new Date(row.created_at),
  }));
}

function hold(row: HoldRow, now: Date): Hold {
  const expiresAt = new Date(row.expires_at);
  const over = row.status === 'open' && expiresAt <= now;
  const endedAt = row.ended_at === null ? null : new Date(row.ended_at);
  return {
    id: row.id,
    customerId: row.customer_id,
    currency: row.currency,
    use: row.event_name === null ? null : { eventName: row.event_name, properties: row.properties! },
    parts: row.parts.map(({ lot_id: lotId, credits }): Draw => ({ lotId, credits: new Decimal(credits) })),
    credits: new Decimal(row.credits),
    status: over ? 'expired' : row.status,
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash,
    createdAt: new Date(row.created_at),
    expiresAt,
    endedAt: over ? expiresAt : endedAt,
    eventId: row.event_id,
    creditsCaptured: new Decimal(row.credits_captured),
    shortfall: new Decimal(row.shortfall),
  };
}

/** One statement. What they keep of the lots is `post`'s to move. */
export async function insertHolds(tx: Tx, holds: readonly NewHold[]): Promise<void> {
  const rows = holds.map((one) => ({
    id: one.id,
    customer_id: one.customerId,
    currency: one.currency,
    event_name: one.use?.eventName ?? null,
    properties: one.use?.properties ?? null,
    credits: text(one.credits),
    idempotency_key: one.idempotencyKey,
    request_hash: `\\x${one.requestHash.toString('hex')}`,
    expires_at: one.expiresAt.toISOString(),
  }));
  const parts = holds.flatMap((one) =>
    one.parts.map(({ lotId, credits }, place) => ({ hold_id: one.id, lot_id: lotId, place, credits: text(credits) })),
  );
  const { tenantId, environmentId } = tx.scope;
  await sql`
    with made as (
      insert into hold (id, tenant_id, environment_id, customer_id, currency, event_name, properties, credits, status,
                        idempotency_key, request_hash, created_at, expires_at)
      select id, ${tenantId}, ${environmentId}, customer_id, currency, event_name, properties, credits, 'open',
             idempotency_key, request_hash, ${tx.now}, expires_at
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) h(
        id text, customer_id text, currency text, event_name text, properties jsonb, credits numeric,
        idempotency_key text, request_hash bytea, expires_at timestamptz))
    insert into hold_lot (environment_id, hold_id, lot_id, place, credits)
    select ${environmentId}, hold_id, lot_id, place, credits
    from jsonb_to_recordset(${JSON.stringify(parts)}::jsonb) p(hold_id text, lot_id text, place smallint, credits numeric)`.execute(
    tx.db,
  );
}

/** The caller has decided that it may. */
export async function endHold(tx: Tx, id: string, end: SettledHold): Promise<void> {
  const captured = end.status === 'captured' ? end : { eventId: null, creditsCaptured: ZERO, shortfall: ZERO };
  await sql`
    update hold set status = ${end.status}, ended_at = ${tx.now}, event_id = ${captured.eventId},
                    credits_captured = ${text(captured.creditsCaptured)}, shortfall = ${text(captured.shortfall)}
    where environment_id = ${tx.scope.environmentId} and id = ${id}`.execute(tx.db);
}

/** Ends the customers' holds whose time is over. @returns what their lots no longer keep. */
export async function endExpiredHolds(tx: Tx, customerIds: readonly string[]): Promise<HeldChange[]> {
  const freed = await sql<{ hold_id: string; lot_id: string; credits: string }>`
    with over as (
      update hold set status = 'expired', ended_at = expires_at
      where environment_id = ${tx.scope.environmentId} and customer_id = any(${[...customerIds]}::text[])
        and status = 'open' and expires_at <= ${tx.now}
      returning environment_id, id)
    select hold_id, lot_id, credits from hold_lot
    join over on over.environment_id = hold_lot.environment_id and over.id = hold_lot.hold_id
    order by hold_id, place`.execute(tx.db);
  return freed.rows.map((row) => ({
    holdId: row.hold_id,
    lotId: row.lot_id,
    credits: new Decimal(row.credits).neg(),
  }));
}
