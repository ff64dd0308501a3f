import { newId, Transactions, type Scope, type Tx } from '@drawdown/platform';
import { sql } from 'kysely';
import { createHash } from 'node:crypto';
import { client, type Api, type Modules } from './modules.js';

/** A development environment with a clock of its own: a world in which nothing has happened yet. */
export interface Environment {
  readonly scope: Scope;
  readonly api: Api;
  /** Work in one transaction of it. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** One more environment of the test's tenant, its clock standing at an instant, with a key of its own. */
export async function freshEnvironment(modules: Modules, at: Date): Promise<Environment> {
  const scope: Scope = { tenantId: modules.scope.tenantId, environmentId: newId('env') };
  const key = `dd_test_${scope.environmentId}`;
  await modules.run((tx) =>
    sql`
      with made as (
        insert into environment (id, tenant_id, name, type, clock_at, created_at, updated_at)
        values (${scope.environmentId}, ${scope.tenantId}, 'fresh', 'development', ${at}, now(), now()))
      insert into api_key (id, tenant_id, environment_id, name, hash, prefix, created_at, updated_at)
      values (${newId('key')}, ${scope.tenantId}, ${scope.environmentId}, 'fresh',
              ${createHash('sha256').update(key).digest('hex')}, 'dd_test', now(), now())`.execute(tx.db),
  );
  const run: Environment['run'] = (work) => modules.get(Transactions).run(scope, work);
  return { scope, api: client(modules.url, key), run };
}
