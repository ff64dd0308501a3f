import type { Scope } from '@drawdown/platform';
import { sql } from 'kysely';
import { createHash } from 'node:crypto';
import type { Modules } from './modules.js';

/** The other environment of the test's tenant: what is made there must not be found from here. */
export function productionScope(modules: Modules): Promise<Scope> {
  return modules.run(async (tx) => {
    const found = await sql<{ id: string }>`
      select id from environment where tenant_id = ${tx.scope.tenantId} and type = 'production'`.execute(tx.db);
    return { tenantId: tx.scope.tenantId, environmentId: found.rows[0]!.id };
  });
}

const PRODUCTION_KEY = 'dd_live_the-other-key-of-the-tests';

/** A key that opens the production environment. */
export async function productionKey(modules: Modules): Promise<string> {
  const { tenantId, environmentId } = await productionScope(modules);
  const hash = createHash('sha256').update(PRODUCTION_KEY).digest('hex');
  await modules.run((tx) =>
    sql`
      insert into api_key (id, tenant_id, environment_id, name, hash, prefix, created_at, updated_at)
      values ('key_production', ${tenantId}, ${environmentId}, 'production', ${hash}, 'dd_live', now(), now())`.execute(
      tx.db,
    ),
  );
  return PRODUCTION_KEY;
}
