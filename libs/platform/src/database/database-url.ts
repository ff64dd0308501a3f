import type { Settings } from '../config/settings.js';
import { ensurePostgres } from './embedded-postgres.js';

export interface DatabaseAddress {
  readonly url: string;
  /** Call last: stops the embedded server if no other process uses it. */
  readonly release: () => Promise<void>;
}

/** `DATABASE_URL` as it is; without it the embedded server is started, or joined where it runs already. */
export async function databaseAddress(settings: Settings): Promise<DatabaseAddress> {
  if (settings.DATABASE_URL) return { url: settings.DATABASE_URL, release: async () => {} };
  const embedded = await ensurePostgres({
    dir: settings.EMBEDDED_PG_DIR,
    database: 'drawdown',
    port: settings.EMBEDDED_PG_PORT,
    settings: { max_wal_size: '4GB' },
  });
  return { url: embedded.url, release: async () => void (await embedded.stopIfIdle()) };
}
