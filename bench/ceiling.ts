import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { usageOf, type BenchEvent } from './usage.js';

const TABLE = `
  create table taken (
    key uuid primary key, event_id text not null, event_name text not null, customer text not null,
    at timestamptz not null, source text not null, properties jsonb not null);
  create index taken_by_customer on taken (customer, at desc)`;

const INSERT = {
  name: 'take',
  text: `insert into taken (key, event_id, event_name, customer, at, source, properties)
         select key, event_id, event_name, customer, at, source, properties
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::jsonb[])
              e(key, event_id, event_name, customer, at, source, properties)
         on conflict (key) do nothing`,
};

/**
 * How fast PostgreSQL takes the same rows when nothing is priced or burnt: deduplicated by a unique 16-byte key, with
 * the index they are read by, durable, in batches. @returns rows per second.
 */
export async function ceiling(
  url: string,
  { connections, batch, seconds }: { connections: number; batch: number; seconds: number },
): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  await pool.query(`drop table if exists taken; ${TABLE}`);
  const customers = Array.from({ length: 500 }, (_, n) => `customer-${n}`);
  const counted = performance.now() + seconds * 250;
  const end = counted + seconds * 1000;
  let rows = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const next = usageOf(customers);
      const client = await pool.connect();
      while (performance.now() < end) {
        await client.query({ ...INSERT, values: columns(Array.from({ length: batch }, next)) });
        if (performance.now() > counted) rows += batch;
      }
      client.release();
    }),
  );
  const took = (performance.now() - counted) / 1000;
  await pool.end();
  return rows / took;
}

const columns = (events: readonly BenchEvent[]): unknown[] => [
  events.map((event) => event.event_id),
  events.map((event) => event.event_id),
  events.map((event) => event.event_name),
  events.map((event) => event.external_customer_id),
  events.map((event) => event.timestamp),
  events.map((event) => event.source),
  events.map((event) => JSON.stringify(event.properties)),
];
