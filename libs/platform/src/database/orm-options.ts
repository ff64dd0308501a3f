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
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    // Entities are plain rows without relations: with it each would get a getter and a setter for each of its columns.
    propagationOnPrototype: false,
    debug: false,
  });
