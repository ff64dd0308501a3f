import { Migrator } from '@mikro-orm/migrations';
import { applicationName } from './application-name.js';
import { PreparingClient } from './preparing-client.js';
import { SetWiseDriver } from './set-wise-driver.js';
import { defineConfig, type Options } from '@mikro-orm/postgresql';

export interface OrmParts {
  readonly clientUrl: string;
  readonly poolSize: number;
  readonly entities: NonNullable<Options['entities']>;
  readonly migrations: NonNullable<NonNullable<Options['migrations']>['migrationsList']>;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * What is prepared is planned once for all values, not anew for each while that looks cheaper: it looks up rows by their
 * ids, and for a list of one id planning took longer than all the rest (decision 31).
 */
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';

/** Every wait on the database has a limit. */
export const ormOptions = ({ clientUrl, poolSize, entities, migrations }: OrmParts) =>
  defineConfig({
    driver: SetWiseDriver,
    clientUrl,
    entities,
    extensions: [Migrator],
    migrations: {
      migrationsList: migrations,
      tableName: 'migration',
      transactional: true,
      allOrNothing: true,
      snapshot: false,
      silent: true,
    },
    pool: { min: 1, max: poolSize },
    driverOptions: {
      Client: PreparingClient,
      application_name: applicationName,
      options: PLANNED_ONCE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    debug: false,
  });
