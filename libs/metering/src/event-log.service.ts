import { Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql, type RawBuilder } from 'kysely';
import { eventView, type EventsQueryBody, type EventsView } from './events.dto.js';
import { UsageEvent } from './usage-event.entity.js';

const DEFAULT_PAGE = 50;

/** A place in the list: an event's time and its number of arrival. */
interface Place {
  readonly at: Date;
  readonly seq: string;
}

/** The stored events as they were reported. */
@Injectable()
export class EventLog {
  /** @throws Problem 400 for a key that no answer gave, or filters of the wrong shape. */
  async query(tx: Tx, query: EventsQueryBody): Promise<EventsView> {
    const where = conditions(tx, query);
    const size = query.page_size ?? DEFAULT_PAGE;
    const forward = !query.iter_first_key;
    const direction = (query.order === 'asc') === forward ? sql`asc` : sql`desc`;
    const total = await sql<{ total: string }>`
      select count(*) total from usage_event where ${sql.join(where, sql` and `)}`.execute(tx.db);
    const page = await sql<{ key: string }>`
      select key from usage_event where ${sql.join([...where, ...beyond(query)], sql` and `)}
      order by at ${direction}, seq ${direction} limit ${size + 1} offset ${query.offset ?? 0}`.execute(tx.db);
    const keys = page.rows.slice(0, size).map((row) => row.key);
    const events = await this.byKeys(tx, forward ? keys : keys.toReversed());
    return {
      events: events.map(eventView),
      has_more: page.rows.length > size,
      iter_first_key: events[0] ? placeKey(events[0]) : null,
      iter_last_key: events.length > 0 ? placeKey(events.at(-1)!) : null,
      offset: query.offset ?? 0,
      total_count: Number(total.rows[0]!.total),
    };
  }

  private async byKeys(tx: Tx, keys: readonly string[]): Promise<UsageEvent[]> {
    const events = await tx.em.find(UsageEvent, { environmentId: tx.scope.environmentId, key: { $in: [...keys] } });
    const byKey = new Map(events.map((event) => [event.key, event]));
    return keys.map((key) => byKey.get(key)!);
  }
}

function conditions(tx: Tx, query: EventsQueryBody): RawBuilder<unknown>[] {
  const { external_customer_id: externalId, customer_id: customerId, event_name: name, event_id: id } = query;
  const where: (RawBuilder<unknown> | false)[] = [
    sql`environment_id = ${tx.scope.environmentId}`,
    !!externalId && sql`external_customer_id = ${externalId}`,
    !!customerId && sql`customer_id = ${customerId}`,
    !!name && sql`event_name = ${name}`,
    !!id && sql`event_id = ${id}`,
    !!query.source && sql`source = ${query.source}`,
    !!query.start_time && sql`at >= ${new Date(query.start_time)}`,
    !!query.end_time && sql`at < ${new Date(query.end_time)}`,
    ...Object.entries(query.property_filters ?? {}).map(([key, values]) => {
      if (!isTextList(values)) throw Problem.invalid(`property_filters.${key}`, 'must be a list of texts');
      return sql`properties ->> ${key} = any(${values}::text[])`;
    }),
  ];
  return where.filter((condition) => condition !== false);
}

function beyond(query: EventsQueryBody): RawBuilder<unknown>[] {
  const key = query.iter_first_key ?? query.iter_last_key;
  if (!key) return [];
  const { at, seq } = placeOf(key, query.iter_first_key ? 'iter_first_key' : 'iter_last_key');
  const later = (query.order === 'asc') === !query.iter_first_key;
  return [sql`(at, seq) ${later ? sql`>` : sql`<`} (${at}, ${seq}::bigint)`];
}

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= 100 && value.every((one) => typeof one === 'string');

const placeKey = ({ at, seq }: Place): string => Buffer.from(`${at.getTime()}.${seq}`).toString('base64url');

function placeOf(key: string, field: string): Place {
  const parts = /^(\d{1,15})\.(\d{1,18})$/.exec(Buffer.from(key, 'base64url').toString());
  if (!parts) throw Problem.invalid(field, 'is not a key of an earlier answer');
  return { at: new Date(Number(parts[1])), seq: parts[2]! };
}
