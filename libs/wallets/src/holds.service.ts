import { canMove, HOLD_MOVES } from '@drawdown/billing-core';
import { CustomersService } from '@drawdown/customers';
import { Agenda, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Hold, NewHold, OpenUse, SettledHold } from './hold.js';
import { endHold, findHolds, findOpenUses, insertHolds } from './hold-store.js';
import type { HeldChange } from './movement.js';
import { WalletsService } from './wallets.service.js';

/** What holds keep. What they cost and what a capture draws is metering's to decide. */
@Injectable()
export class HoldsService {
  constructor(
    private readonly wallets: WalletsService,
    private readonly customers: CustomersService,
    private readonly agenda: Agenda,
  ) {}

  /** What the customers' open holds were asked for. */
  openUses(tx: Tx, customerIds: readonly string[]): Promise<OpenUse[]> {
    return findOpenUses(tx, customerIds);
  }

  /** Those made under these idempotency keys. */
  byKeys(tx: Tx, keys: readonly string[]): Promise<Hold[]> {
    return keys.length === 0 ? Promise.resolve([]) : findHolds(tx, sql`h.idempotency_key = any(${[...keys]}::text[])`);
  }

  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<Hold> {
    const [hold] = await findHolds(tx, sql`h.id = ${id}`);
    if (!hold) throw Problem.notFound('hold', id);
    return hold;
  }

  /** Newest first, with how many there are. @param status null for all. */
  async list(
    tx: Tx,
    filter: { customerId: string | null; status: string | null },
    page: { limit: number; offset: number },
  ): Promise<[Hold[], number]> {
    const of = filter.customerId ? sql`h.customer_id = ${filter.customerId}` : sql`true`;
    const where = filter.status ? sql`${of} and ${isIn(filter.status, tx.now)}` : of;
    const count = await sql<{ total: string }>`
      select count(*) total from hold h where h.environment_id = ${tx.scope.environmentId} and ${where}`.execute(tx.db);
    const order = sql`order by h.created_at desc, h.id desc limit ${page.limit} offset ${page.offset}`;
    return [await findHolds(tx, where, order), Number(count.rows[0]!.total)];
  }

  /** Keeps new holds, and sets when they expire. The caller has found the credits in the lots. */
  async keep(tx: Tx, holds: readonly NewHold[]): Promise<void> {
    if (holds.length === 0) return;
    await insertHolds(tx, holds);
    await this.wallets.post(
      tx,
      [],
      holds.flatMap((hold) => changes(hold, 1)),
    );
    await this.agenda.scheduleAll(
      tx,
      holds.map(({ customerId, id: subjectId, expiresAt: dueAt }) => ({
        kind: 'hold.expire',
        customerId,
        subjectId,
        dueAt,
      })),
    );
  }

  /** The hold under its customer's lock, to be ended. @throws Problem 404, 409 when it has ended already. */
  async claim(tx: Tx, id: string): Promise<Hold> {
    const { customerId } = await this.get(tx, id);
    await this.customers.lock(tx, [customerId]);
    await this.agenda.catchUp(tx, customerId);
    await this.wallets.freeExpired(tx, [customerId]);
    const hold = await this.get(tx, id);
    if (!canMove(HOLD_MOVES, hold.status, 'captured')) throw Problem.state(`hold ${id} is ${hold.status}`, hold.status);
    return hold;
  }

  /** Ends an open hold. @returns what its lots no longer keep, for `post` to move. */
  async end(tx: Tx, hold: Hold, how: SettledHold): Promise<HeldChange[]> {
    await endHold(tx, hold.id, how);
    await this.agenda.cancel(tx, 'hold.expire', hold.id);
    return changes(hold, -1);
  }
}

const changes = ({ id: holdId, parts }: Pick<Hold, 'id' | 'parts'>, sign: 1 | -1): HeldChange[] =>
  parts.map(({ lotId, credits }) => ({ holdId, lotId, credits: credits.times(sign) }));

function isIn(status: string, now: Date) {
  if (status === 'open') return sql`h.status = 'open' and h.expires_at > ${now}`;
  if (status === 'expired') return sql`(h.status = 'expired' or (h.status = 'open' and h.expires_at <= ${now}))`;
  return sql`h.status = ${status}`;
}
