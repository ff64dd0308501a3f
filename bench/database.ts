import { ensurePostgres, type EmbeddedPostgres } from '@drawdown/platform';
import path from 'node:path';
import pg from 'pg';
import { root } from './processes.js';

/** Durable: what is committed survives a power cut (fsync and synchronous_commit are on by default). */
const SETTINGS = { max_wal_size: '4GB' };

/** One PostgreSQL for all contestants; each run has databases of its own on it. */
export class BenchDatabase {
  private constructor(private readonly server: EmbeddedPostgres) {}

  static async start(): Promise<BenchDatabase> {
    const dir = path.join(root, '.data/bench/postgres');
    return new BenchDatabase(await ensurePostgres({ dir, database: 'postgres', settings: SETTINGS }));
  }

  /** An empty database; one of the same name is dropped first. @returns its address. */
  async fresh(name: string): Promise<string> {
    await this.query(`drop database if exists ${name} with (force)`);
    await this.query(`create database ${name}`);
    await this.query('checkpoint');
    return `${this.server.base}/${name}`;
  }

  async version(): Promise<string> {
    const [row] = await this.query<{ version: string }>(`select current_setting('server_version') as version`);
    return row!.version;
  }

  stop(): void {
    this.server.stop();
  }

  private query<T extends pg.QueryResultRow>(text: string): Promise<T[]> {
    return queryOnce(`${this.server.base}/postgres`, text);
  }
}

export async function queryOnce<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}
