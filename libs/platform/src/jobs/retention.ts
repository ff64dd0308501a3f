import { MikroORM } from '@mikro-orm/postgresql';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { sql } from 'kysely';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { Sql } from '../database/transactions.js';

const HOUR_MS = 3_600_000;
const KEPT_DAYS = 30;
const ROWS_AT_ONCE = 5_000;

/** Forgets what nobody asks for any more: answered idempotency keys and delivered events, 30 days old by real time. */
@Injectable()
export class Retention {
  private readonly log = new Logger(Retention.name);

  constructor(
    private readonly orm: MikroORM,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval(HOUR_MS)
  async tick(): Promise<void> {
    if (this.settings.ROLE === 'api') return;
    await this.forget().catch((error: Error) => this.log.error(error.stack));
  }

  /** In small statements, each short enough to be in nobody's way. */
  async forget(): Promise<void> {
    const db = this.orm.em.fork().getKysely() as Sql;
    for (const batch of [
      sql`delete from idempotency_key where ctid in (
            select ctid from idempotency_key
            where created_at < now() - make_interval(days => ${KEPT_DAYS}::int) limit ${ROWS_AT_ONCE})`,
      sql`delete from outbox_event where seq in (
            select seq from outbox_event e
            where recorded_at < now() - make_interval(days => ${KEPT_DAYS}::int)
              and not exists (select from outbox_delivery d where d.event_seq = e.seq and d.status <> 'done')
            order by seq limit ${ROWS_AT_ONCE})`,
    ]) {
      while (Number((await batch.execute(db)).numAffectedRows ?? 0) === ROWS_AT_ONCE);
    }
  }
}
