// What a careful developer writes first: one transaction per request, no lost update, no double event.
import Fastify from 'fastify';
import pg from 'pg';
import { CREDITS_PER_EVENT, type BenchEvent } from './usage.js';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const server = Fastify();

await pool.query(`
  create table event (event_id text primary key, event_name text not null, customer text not null,
    at timestamptz not null, source text not null, properties jsonb not null);
  create index event_by_customer on event (customer, at desc);
  create table wallet (customer text primary key, balance numeric not null check (balance >= 0));
  create table ledger (id bigint generated always as identity primary key, customer text not null,
    event_id text not null unique, amount numeric not null, balance_after numeric not null, at timestamptz not null);
  insert into wallet select 'customer-' || n, 1000000000 from generate_series(0, 999) n`);

server.get('/ready', () => ({ status: 'ok' }));
server.post<{ Body: BenchEvent }>('/v1/events', async (request, reply) => {
  const burned = await take(request.body);
  return reply.status(202).send({ event_id: request.body.event_id, credits_burned: burned });
});
await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
process.on('SIGTERM', () => process.exit(0));

async function take(event: BenchEvent): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const inserted = await client.query(
      `insert into event (event_id, event_name, customer, at, source, properties) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing`,
      [
        event.event_id,
        event.event_name,
        event.external_customer_id,
        event.timestamp,
        event.source,
        JSON.stringify(event.properties),
      ],
    );
    if (inserted.rowCount === 1) await burn(client, event);
    await client.query('commit');
    return inserted.rowCount === 1 ? CREDITS_PER_EVENT : '0';
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function burn(client: pg.PoolClient, event: BenchEvent): Promise<void> {
  const wallet = await client.query<{ balance: string }>(
    'update wallet set balance = balance - $2 where customer = $1 returning balance',
    [event.external_customer_id, CREDITS_PER_EVENT],
  );
  await client.query(
    'insert into ledger (customer, event_id, amount, balance_after, at) values ($1, $2, $3, $4, now())',
    [event.external_customer_id, event.event_id, `-${CREDITS_PER_EVENT}`, wallet.rows[0]!.balance],
  );
}
